/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the single tables say: CPUs, sleep and reset, clocks, PCI segments. */
#include "acpi_fixture.h"

/* ---- MADT ---- */

UNIT_TEST(test_madt_order_and_flags)
{
	static const u8 other[] = {1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0};

	madt_start();
	madt_lapic(7, 4, 1);
	madt_lapic(8, 5, 0);           /* disabled */
	madt_lapic(9, 6, 2);           /* online capable: not enabled */
	madt_entry(other, 12);         /* an I/O APIC */
	madt_x2apic(0x10, 0x12345, 1); /* a large identifier */
	madt_x2apic(0x11, 0x300, 2);
	madt_lapic(1, 0, 0xffffffff); /* reserved flags do not matter */
	madt_lapic(2, 0xff, 1);       /* nobody's */
	madt_x2apic(3, 0xffffffff, 1);
	madt_x2apic(4, 4, 1); /* a CPU that was listed already */
	madt_lapic(5, 4, 1);
	parse();
	assert_int_equal(acpi.cpu_count, 3);
	assert_int_equal(acpi.cpu[0].acpi_id, 7);
	assert_int_equal(acpi.cpu[0].apic_id, 4);
	assert_int_equal(acpi.cpu[1].acpi_id, 0x10);
	assert_int_equal(acpi.cpu[1].apic_id, 0x12345);
	assert_int_equal(acpi.cpu[2].acpi_id, 1);
	assert_int_equal(acpi.cpu[2].apic_id, 0);
	assert_true(fake_log_empty());
}

/* I/O APICs, and where interrupts of the ISA bus come to; what makes no sense is named. */
UNIT_TEST(test_madt_lines)
{
	static const u8 first[] = {1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0};
	static const u8 second[] = {1, 12, 1, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0};
	static const u8 pit[] = {2, 10, 0, 0, 2, 0, 0, 0, 0, 0}, sci[] = {2, 10, 0, 9, 20, 0, 0, 0, 0xf, 0};
	static const u8 wrong[] = {2, 10, 0, 77, 20, 0, 0, 0, 0, 0},
			nowhere[] = {1, 12, 2, 0, 0, 0, 0, 0, 48, 0, 0, 0};

	madt_start();
	madt_lapic(0, 0, 1);
	madt_entry(first, 12);
	madt_entry(pit, 10);
	madt_entry(second, 12);
	madt_entry(sci, 10);
	parse();
	assert_int_equal(acpi.irq.chip_count, 2);
	assert_int_equal(acpi.irq.chip[1].pa, 0xfec01000);
	assert_int_equal(acpi.irq.chip[1].first, 24);
	assert_int_equal(acpi.irq.isa[0].number, 2);
	assert_int_equal(acpi.irq.isa[9].number, 20);
	assert_true(acpi.irq.isa[9].level && acpi.irq.isa[9].low);
	assert_int_equal(acpi.irq.isa[4].number, 4);
	assert_true(fake_log_empty());
	madt_entry(wrong, 10);
	madt_entry(nowhere, 12);
	parse();
	assert_int_equal(acpi.irq.chip_count, 2);
	assert_true(fake_log_has("the override of interrupt 77 is ignored"));
	assert_true(fake_log_has("the I/O APIC at 0 is not used"));
}

UNIT_TEST(test_madt_too_many)
{
	madt_start();
	for (u32 i = 0; i < HEDRON_CPU_MAX; i++)
		madt_x2apic(i, 2 * i, 1);
	parse();
	assert_int_equal(acpi.cpu_count, HEDRON_CPU_MAX);
	assert_true(fake_log_empty());

	madt_lapic(200, 201, 1);
	madt_lapic(201, 203, 0);
	madt_x2apic(202, 205, 1);
	parse();
	assert_int_equal(acpi.cpu_count, HEDRON_CPU_MAX);
	assert_int_equal(acpi.cpu[HEDRON_CPU_MAX - 1].apic_id, 2 * (HEDRON_CPU_MAX - 1));
	assert_true(fake_log_has("2 CPUs beyond the first 128"));
}

/* The boot CPU has a place wherever it is listed, and as any other if it is among the first. */
UNIT_TEST(test_madt_boot_cpu)
{
	madt_start();
	for (u32 i = 0; i < HEDRON_CPU_MAX; i++)
		madt_x2apic(i, 2 * i, 1);
	madt_x2apic(202, 501, 1);
	madt_x2apic(203, 503, 1);
	madt_x2apic(204, 505, 1);
	for (u32 self = 501; self <= 507; self += 2) {
		assert_true(acpi_parse(&boot, self, &acpi));
		assert_int_equal(acpi.cpu_count, HEDRON_CPU_MAX);
		u32 last = acpi.cpu[HEDRON_CPU_MAX - 1].apic_id;
		assert_int_equal(last, self <= 505 ? self : 2 * (HEDRON_CPU_MAX - 1));
		assert_true(fake_log_has("3 CPUs beyond the first 128"));
	}
	assert_true(acpi_parse(&boot, 10, &acpi));
	assert_int_equal(acpi.cpu[5].apic_id, 10);
	assert_int_equal(acpi.cpu[HEDRON_CPU_MAX - 1].apic_id, 2 * (HEDRON_CPU_MAX - 1));
}

UNIT_TEST(test_madt_damage)
{
	static const u8 lengths[] = {0, 1, 17, 255};

	for (unsigned i = 0; i < array_size(lengths); i++) {
		madt_start();
		madt_lapic(0, 0, 1);
		madt_lapic(1, 1, 1);
		madt_lapic(2, 2, 1);
		*physical_at(MADT + 44 + 8 + 1, 1) = lengths[i];
		finish(MADT, "APIC", madt_length);
		parse();
		assert_int_equal(acpi.cpu_count, 1);
		assert_true(fake_log_has("MADT is damaged at byte 52"));
	}

	madt_start(); /* entries too short for their type are skipped */
	madt_lapic(0, 0, 1);
	static const u8 short_lapic[] = {0, 7, 1, 1, 1, 0, 0},
			short_x2apic[] = {9, 15, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0};
	madt_entry(short_lapic, 7);
	madt_entry(short_x2apic, 15);
	madt_lapic(2, 2, 1);
	parse();
	assert_int_equal(acpi.cpu_count, 2);
	assert_int_equal(acpi.cpu[1].apic_id, 2);

	finish(MADT, "APIC", 44 + 8 + 1); /* ends within an entry's head: nothing more to read */
	parse();
	assert_int_equal(acpi.cpu_count, 1);
	finish(MADT, "APIC", 40); /* ends before the entries start */
	parse();
	assert_int_equal(acpi.cpu_count, 0);
}

/* ---- FADT ---- */

UNIT_TEST(test_fadt_extended)
{
	put_gas(FADT + 172, 0, 32, 0xfed00000); /* memory mapped */
	put_gas(FADT + 184, 1, 16, 0);          /* address 0: not there */
	finish(FADT, "FACP", 244);
	parse();
	assert_gas(acpi.pm1a_cnt, 0, 32, 0xfed00000);
	assert_gas(acpi.pm1b_cnt, 1, 16, 0x704);

	finish(FADT, "FACP", 236); /* just long enough */
	parse();
	assert_gas(acpi.pm1a_cnt, 0, 32, 0xfed00000);
	finish(FADT, "FACP", 235); /* no longer */
	parse();
	assert_gas(acpi.pm1a_cnt, 1, 16, 0x604);
}

UNIT_TEST(test_fadt_old)
{
	put_fadt(116); /* revision 1 */
	physical_put32(FADT + 68, 0);
	finish(FADT, "FACP", 116);
	parse();
	assert_gas(acpi.pm1a_cnt, 1, 16, 0x604);
	assert_gas(acpi.pm1b_cnt, 0, 0, 0);
	assert_int_equal(acpi.facs, FACS);

	finish(FADT, "FACP", 90); /* the shortest of use */
	parse();
	assert_gas(acpi.pm1a_cnt, 1, 16, 0x604);
	finish(FADT, "FACP", 89);
	parse();
	assert_gas(acpi.pm1a_cnt, 0, 0, 0);
	assert_true(fake_log_has("too short"));
}

UNIT_TEST(test_facs)
{
	physical_put32(FADT + 36, NOWHERE);
	physical_put64(FADT + 132, FACS); /* beats the old field */
	finish(FADT, "FACP", 244);
	parse();
	assert_int_equal(acpi.facs, FACS);

	physical_put64(FADT + 132, 0);
	finish(FADT, "FACP", 244);
	parse();
	assert_int_equal(acpi.facs, 0);
	assert_true(fake_log_has("no FACS at 0xdead0000"));

	physical_put32(FADT + 36, FACS);
	finish(FADT, "FACP", 244);
	physical_put32(FACS + 4, 63); /* too short */
	parse();
	assert_int_equal(acpi.facs, 0);
	physical_put32(FACS + 4, 64);
	physical_put(FACS, "FACX", 4);
	parse();
	assert_int_equal(acpi.facs, 0);

	physical_put32(FADT + 36, 0); /* none: nothing to complain about */
	finish(FADT, "FACP", 244);
	parse();
	assert_int_equal(acpi.facs, 0);
	assert_true(fake_log_empty());
}

static void put_pm_timer(u32 port, u8 length, u32 flags)
{
	put_fadt(244);
	physical_put32(FADT + 76, port);
	*physical_at(FADT + 91, 1) = length;
	physical_put32(FADT + 112, flags);
	finish(FADT, "FACP", 244);
	parse();
}

UNIT_TEST(test_pm_timer)
{
	parse();
	assert_int_equal(acpi.pm_timer, 0);
	put_pm_timer(0x608, 4, 0);
	assert_int_equal(acpi.pm_timer, 0x608);
	assert_int_equal(acpi.pm_timer_bits, 24);
	put_pm_timer(0x608, 4, 1 << 8);
	assert_int_equal(acpi.pm_timer_bits, 32);
	put_pm_timer(0x608, 0, 0);
	assert_int_equal(acpi.pm_timer, 0);
	put_pm_timer(0xfffd, 4, 0); /* goes beyond the last port */
	assert_int_equal(acpi.pm_timer, 0);
	put_pm_timer(0x10608, 4, 0);
	assert_int_equal(acpi.pm_timer, 0);

	put_pm_timer(0x608, 4, 0);
	put_gas(FADT + 208, 1, 32, 0x408); /* beats the old field */
	finish(FADT, "FACP", 244);
	parse();
	assert_int_equal(acpi.pm_timer, 0x408);
	put_gas(FADT + 208, 0, 32, 0xfed80000); /* in memory */
	finish(FADT, "FACP", 244);
	parse();
	assert_int_equal(acpi.pm_timer, 0);
	finish(FADT, "FACP", 92); /* an old table: ends before the flags */
	parse();
	assert_int_equal(acpi.pm_timer, 0x608);
	assert_int_equal(acpi.pm_timer_bits, 24);
	assert_true(fake_log_empty());
}

static void put_reset(u32 length, u32 flags)
{
	put_fadt(length);
	physical_put32(FADT + 112, flags);
	put_gas(FADT + 116, 1, 8, 0xcf9);
	*physical_at(FADT + 128, 1) = 6;
	finish(FADT, "FACP", length);
	parse();
}

UNIT_TEST(test_reset_register)
{
	parse();
	assert_int_equal(acpi.reset.addr, 0);
	put_reset(244, 1 << 10);
	assert_int_equal(acpi.reset.space, 1);
	assert_int_equal(acpi.reset.addr, 0xcf9);
	assert_int_equal(acpi.reset_value, 6);
	put_reset(129, 1 << 10);
	assert_int_equal(acpi.reset.addr, 0xcf9);
	put_reset(128, 1 << 10); /* ends before the value */
	assert_int_equal(acpi.reset.addr, 0);
	put_reset(244, ~(1u << 10)); /* does not count */
	assert_int_equal(acpi.reset.addr, 0);
}

/* ---- HPET ---- */

static void put_hpet(u8 space, u64 base, u32 length)
{
	put_gas(DMAR + 40, space, 64, base); /* in the place of a table that does not matter here */
	finish(DMAR, "HPET", length);
	parse();
}

UNIT_TEST(test_hpet)
{
	parse();
	assert_int_equal(acpi.hpet, 0);
	put_hpet(0, 0xfed00000, 56);
	assert_int_equal(acpi.hpet, 0xfed00000);
	put_hpet(1, 0xfed00000, 56); /* in ports */
	assert_int_equal(acpi.hpet, 0);
	put_hpet(0, 0xfed00000, 51); /* cut */
	assert_int_equal(acpi.hpet, 0);
	put_hpet(0, 0xfed00000, 52);
	assert_int_equal(acpi.hpet, 0xfed00000);
}

/* ---- MCFG ---- */

UNIT_TEST(test_mcfg)
{
	put_mcfg_entry(0, 0x1000000000, 1, 0, 255); /* another segment */
	put_mcfg_entry(1, 0x2000000000, 0, 16, 15); /* ends before it starts */
	put_mcfg_entry(2, 0xe0000000, 0, 2, 2);
	put_mcfg_entry(3, 0xf0000000, 0, 0, 255);
	parse();
	assert_int_equal(acpi.mcfg_base, 0xe0000000);
	assert_int_equal(acpi.mcfg_size, 1 * MiB);

	finish(MCFG, "MCFG", 44 + 3 * 16 - 1); /* cut: the third is not there */
	parse();
	assert_int_equal(acpi.mcfg_base, 0);
	assert_int_equal(acpi.mcfg_size, 0);
	finish(MCFG, "MCFG", 36);
	parse();
	assert_int_equal(acpi.mcfg_base, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(madt_order_and_flags),
		TEST(madt_lines),
		TEST(madt_too_many),
		TEST(madt_boot_cpu),
		TEST(madt_damage),
		TEST(fadt_extended),
		TEST(fadt_old),
		TEST(facs),
		TEST(pm_timer),
		TEST(reset_register),
		TEST(hpet),
		TEST(mcfg),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
