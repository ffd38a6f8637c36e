/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI: found in each of the three places, read in each format, refused in each way it can be damaged. */
#include "acpi_fixture.h"

UNIT_TEST(test_good)
{
	parse();
	assert_int_equal(acpi.root, XSDT);
	assert_int_equal(acpi.dmar, DMAR);
	assert_int_equal(acpi.facs, FACS);
	assert_int_equal(acpi.mcfg_base, 0xb0000000);
	assert_int_equal(acpi.mcfg_size, 256 * MiB);
	assert_gas(acpi.pm1a_cnt, 1, 16, 0x604);
	assert_gas(acpi.pm1b_cnt, 1, 16, 0x704);
	assert_int_equal(acpi.cpu_count, 1);
	assert_int_equal(acpi.cpu[0].acpi_id, 1);
	assert_int_equal(acpi.cpu[0].apic_id, 0);
	assert_true(fake_log_empty());
}

/* ---- RSDP and root table ---- */

UNIT_TEST(test_no_rsdp)
{
	boot.rsdp_size = 0;
	refuse();
	assert_true(fake_log_has("no RSDP"));
}

UNIT_TEST(test_rsdp_in_bios)
{
	static const u64 places[] = {BIOS, BIOS + 16, BIOS + 0xfff0, BIOS + 0x1ffd0};

	boot.rsdp_size = 0;
	for (unsigned i = 0; i < array_size(places); i++) {
		put_rsdp(places[i], 2, RSDT, XSDT);
		parse();
		assert_int_equal(acpi.root, XSDT);
		memset(physical_at(places[i], 36), 0, 36);
	}
	put_rsdp(BIOS + 0x1ffe0, 0, RSDT, 0); /* an old one fits the last 32 bytes */
	parse();
	assert_int_equal(acpi.root, RSDT);
	memset(physical_at(BIOS + 0x1ffe0, 20), 0, 20);

	put_rsdp(BIOS + 8, 2, RSDT, XSDT); /* not at a multiple of 16 */
	refuse();
}

UNIT_TEST(test_rsdp_in_ebda)
{
	static const struct {
		u16 segment;
		u64 at;
		bool found;
	} cases[] = {
		{EBDA >> 4, EBDA, true},
		{EBDA >> 4, EBDA + 0x3d0, true},
		{EBDA >> 4, EBDA + 0x400, false}, /* behind the first KiB */
		{0, EBDA, false},                 /* there is none */
		{0xffff, EBDA, false},
		{0xa000, EBDA, false},
	};

	boot.rsdp_size = 0;
	for (unsigned i = 0; i < array_size(cases); i++) {
		physical_put(0x40e, &cases[i].segment, 2);
		put_rsdp(cases[i].at, 2, RSDT, XSDT);
		if (cases[i].found)
			parse();
		else
			refuse();
		memset(physical_at(cases[i].at, 36), 0, 36);
	}
}

/* What the loader passed comes first; if it is damaged, memory is searched. */
UNIT_TEST(test_rsdp_order)
{
	put_rsdp(BIOS, 0, RSDT, 0);
	parse();
	assert_int_equal(acpi.root, XSDT);
	boot.rsdp[3]++;
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_true(fake_log_has("RSDP is damaged"));
}

UNIT_TEST(test_rsdp_damage)
{
	for (unsigned i = 0; i < 20; i++) { /* each byte of the first checksum counts */
		boot.rsdp[i] ^= 0x10;
		refuse();
		boot.rsdp[i] ^= 0x10;
	}
	for (unsigned i = 20; i < 36; i++) { /* a wrong second one: only the RSDT is left */
		boot.rsdp[i] ^= 0x10;
		parse();
		assert_int_equal(acpi.root, RSDT);
		boot.rsdp[i] ^= 0x10;
	}
	static const u32 sizes[] = {1, 8, 19};
	for (unsigned i = 0; i < array_size(sizes); i++) {
		boot.rsdp_size = sizes[i];
		refuse();
	}
	boot.rsdp_size = 20; /* cut behind the first part */
	parse();
	assert_int_equal(acpi.root, RSDT);
}

/* Lengths beyond what there is, with both checksums right as far as they can be. */
UNIT_TEST(test_rsdp_length)
{
	static const u32 lengths[] = {0, 20, 35, 37, 65, 0x10000, 0xffffffff};

	for (unsigned i = 0; i < array_size(lengths); i++) {
		put_rsdp(BIOS, 2, RSDT, XSDT);
		physical_put32(BIOS + 20, lengths[i]);
		seal(BIOS, 36, 32);
		memcpy(boot.rsdp, physical_at(BIOS, 36), 36);
		parse();
		assert_int_equal(acpi.root, RSDT);
	}
}

/* Revision 0 has no XSDT, whatever follows it in memory. */
UNIT_TEST(test_revision_0)
{
	put_rsdp(BIOS, 2, RSDT, XSDT);
	*physical_at(BIOS + 15, 1) = 0;
	seal(BIOS, 20, 8);
	seal(BIOS, 36, 32);
	memcpy(boot.rsdp, physical_at(BIOS, 36), 36);
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_int_equal(acpi.dmar, DMAR);
	assert_int_equal(acpi.cpu_count, 1);
}

/* A root table with a right checksum before one with a wrong one, and the XSDT before the RSDT. */
UNIT_TEST(test_root_fallback)
{
	*physical_at(XSDT + 30, 1) ^= 1;
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_true(fake_log_has("XSDT at 0x7fe1000 has a wrong checksum"));

	*physical_at(RSDT + 30, 1) ^= 1;
	parse();
	assert_int_equal(acpi.root, XSDT);
	assert_int_equal(acpi.dmar, DMAR);
	assert_true(fake_log_has("RSDT at 0x7fe0000 has a wrong checksum"));

	*physical_at(XSDT + 30, 1) ^= 1;
	parse();
	assert_int_equal(acpi.root, XSDT);
	assert_true(fake_log_empty());

	put_root(XSDT, "XSDX", all_tables, 4); /* not what it should be */
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_true(fake_log_has("no XSDT at 0x7fe1000"));
	put_root(RSDT, "RSDX", all_tables, 4);
	refuse();
}

UNIT_TEST(test_root_entries)
{
	static const u64 odd[] = {0, NOWHERE, UINT64_MAX, UINT64_MAX - 35, XSDT, MADT + 1, DMAR};

	put_root(XSDT, "XSDT", odd, array_size(odd));
	parse();
	assert_int_equal(acpi.dmar, DMAR);
	assert_int_equal(acpi.cpu_count, 0);

	finish(XSDT, "XSDT", 36); /* no entries */
	parse();
	assert_int_equal(acpi.dmar, 0);

	put_root(XSDT, "XSDT", all_tables, 4);
	finish(XSDT, "XSDT", 36 + 4 * 8 - 1); /* the last one is cut */
	parse();
	assert_int_equal(acpi.dmar, 0);
	assert_int_equal(acpi.cpu_count, 1);
}

/* ---- any table ---- */

UNIT_TEST(test_table_length)
{
	static const u32 lengths[] = {0, 8, 35, 1 * MiB + 1, 0x7fffffff, 0xffffffff};

	for (unsigned i = 0; i < array_size(lengths); i++) {
		physical_put32(DMAR + 4, lengths[i]);
		parse();
		assert_int_equal(acpi.dmar, 0);
		assert_int_equal(acpi.cpu_count, 1); /* the others count */
		assert_true(fake_log_has("DMAR at 0x7fe6000 has the length"));
	}
	physical_put32(DMAR + 4, 0x10000); /* runs out of the memory */
	parse();
	assert_int_equal(acpi.dmar, 0);
}

/* Firmware patches its tables: what they say is used all the same, with a line. */
UNIT_TEST(test_table_checksum)
{
	for (unsigned i = 0; i < array_size(all_tables); i++) {
		setup(NULL);
		*physical_at(all_tables[i] + 20, 1) ^= 1;
		parse();
		assert_true(acpi.cpu_count && acpi.pm1a_cnt.addr && acpi.mcfg_base && acpi.dmar);
		assert_true(fake_log_has("wrong checksum"));
	}
}

/* The first good table of a kind counts; without a good one the first. */
UNIT_TEST(test_duplicates)
{
	static const u64 twice[] = {MADT, MADT, DMAR, TABLES + 0x8000, MCFG, MCFG};

	finish(TABLES + 0x8000, "DMAR", 36);
	put_root(XSDT, "XSDT", twice, array_size(twice));
	parse();
	assert_int_equal(acpi.cpu_count, 1);
	assert_int_equal(acpi.dmar, DMAR);
	*physical_at(DMAR + 40, 1) ^= 1;
	parse();
	assert_int_equal(acpi.dmar, TABLES + 0x8000);
	*physical_at(TABLES + 0x8000 + 20, 1) ^= 1;
	parse();
	assert_int_equal(acpi.dmar, DMAR);
}

/* The memory of all that was looked at: nobody knows whether firmware's map says that it is in use. */
UNIT_TEST(test_kept)
{
	static const struct range wanted[] = {{XSDT, 68}, {MADT, 52}, {FADT, 244},
					      {FACS, 64}, {MCFG, 60}, {DMAR, 48}};

	parse();
	assert_int_equal(acpi.kept_count, array_size(wanted));
	assert_memory_equal(acpi.kept, wanted, sizeof(wanted));
}

/* More tables than anybody has: all of them are read. */
UNIT_TEST(test_kept_too_many)
{
	u64 many[ACPI_KEPT_MAX + 1];

	physical_add(2 * TABLES, 0x10000);
	for (unsigned i = 0; i < array_size(many); i++) {
		many[i] = 2 * TABLES + 64 * i;
		finish(many[i], "SSDT", 36);
	}
	many[ACPI_KEPT_MAX] = DMAR;
	put_root(XSDT, "XSDT", many, array_size(many));
	parse();
	assert_int_equal(acpi.kept_count, ACPI_KEPT_MAX);
	assert_int_equal(acpi.dmar, DMAR);
	assert_true(fake_log_has("the memory of that at 0x7fe6000 is not kept"));
}

/* ---- anything ---- */

/* With any one byte of any table changed, all other tables are read as before, and it always ends. */
UNIT_TEST(test_every_byte)
{
	for (unsigned t = 0; t < array_size(all_tables); t++) {
		u32 length;
		memcpy(&length, physical_at(all_tables[t] + 4, 4), 4);
		for (u32 i = 0; i < length; i++) {
			*physical_at(all_tables[t] + i, 1) ^= 0x41;
			parse();
			unsigned parts = (acpi.cpu_count != 0) + (acpi.pm1a_cnt.addr != 0) + (acpi.mcfg_base != 0) +
					 (acpi.dmar != 0);
			assert_in_range(parts, 3, 4);
			assert_true(parts == 4 || i < 8 || all_tables[t] == MADT || all_tables[t] == FADT ||
				    all_tables[t] == MCFG);
			assert_true(i < 4 || !fake_log_empty()); /* one of another kind is none of our affair */
			*physical_at(all_tables[t] + i, 1) ^= 0x41;
		}
	}
	parse();
	assert_true(acpi.cpu_count && acpi.pm1a_cnt.addr && acpi.mcfg_base && acpi.dmar);
}

/* A machine whose firmware has its tables above 4 GiB. */
UNIT_TEST(test_above_4_gib)
{
	static const u64 tables[] = {8 * GiB + 0x1000};
	u32 length;

	physical_add(8 * GiB, 0x10000);
	memcpy(&length, physical_at(MADT + 4, 4), 4);
	physical_put(tables[0], physical_at(MADT, length), length);
	put_root(8 * GiB, "XSDT", tables, 1);
	put_rsdp(BIOS, 2, 0, 8 * GiB);
	memcpy(boot.rsdp, physical_at(BIOS, 36), 36);
	parse();
	assert_int_equal(acpi.root, 8 * GiB);
	assert_int_equal(acpi.cpu_count, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(good),          TEST(no_rsdp),      TEST(rsdp_in_bios),  TEST(rsdp_in_ebda),
		TEST(rsdp_order),    TEST(rsdp_damage),  TEST(rsdp_length),   TEST(revision_0),
		TEST(root_fallback), TEST(root_entries), TEST(table_length),  TEST(table_checksum),
		TEST(duplicates),    TEST(kept),         TEST(kept_too_many), TEST(every_byte),
		TEST(above_4_gib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
