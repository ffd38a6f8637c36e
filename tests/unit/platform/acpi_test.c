/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables: found in each of the three places, read in each format, refused in each way they can be damaged. */
#include "unit.h"

#include <stdio.h>

#include "fake_log.h"
#include "physical.h"
#include "platform/acpi.h"

#define EBDA 0x9f000
#define BIOS 0xe0000
#define TABLES 0x7fe0000
#define RSDT (TABLES + 0x0)
#define XSDT (TABLES + 0x1000)
#define MADT (TABLES + 0x2000)
#define FADT (TABLES + 0x4000)
#define MCFG (TABLES + 0x5000)
#define DMAR (TABLES + 0x6000)
#define FACS (TABLES + 0x7000)
#define NOWHERE 0xdead0000

static struct boot_info boot;
static struct acpi_info acpi;

/* ---- building tables ---- */

/* Sets the byte at `at` so that all bytes of [pa, pa + size) add up to 0. */
static void seal(u64 pa, u64 size, u64 at)
{
	u8 sum = 0;

	*physical_at(pa + at, 1) = 0;
	for (u64 i = 0; i < size; i++)
		sum = (u8)(sum + *physical_at(pa + i, 1));
	*physical_at(pa + at, 1) = (u8)-sum;
}

/* Header and checksum of a table whose contents are there already. */
static void finish(u64 pa, const char *signature, u32 length)
{
	physical_put(pa, signature, 4);
	physical_put32(pa + 4, length);
	seal(pa, length, 9);
}

static void put_rsdp(u64 pa, u8 revision, u32 rsdt, u64 xsdt)
{
	u64 size = revision >= 2 ? 36 : 20;

	memset(physical_at(pa, size), 0, size);
	physical_put(pa, "RSD PTR ", 8);
	*physical_at(pa + 15, 1) = revision;
	physical_put32(pa + 16, rsdt);
	seal(pa, 20, 8);
	if (revision >= 2) {
		physical_put32(pa + 20, 36);
		physical_put64(pa + 24, xsdt);
		seal(pa, 36, 32);
	}
}

static const u64 all_tables[] = {MADT, FADT, MCFG, DMAR};

static void put_root(u64 pa, const char *signature, const u64 *tables, unsigned count)
{
	u32 width = signature[0] == 'X' ? 8 : 4;

	for (unsigned i = 0; i < count; i++)
		physical_put(pa + 36 + width * i, &tables[i], width);
	finish(pa, signature, 36 + width * count);
}

static u32 madt_length;

static void madt_entry(const void *data, u8 length)
{
	physical_put(MADT + madt_length, data, length);
	madt_length += length;
	finish(MADT, "APIC", madt_length);
}

static void madt_start(void)
{
	memset(physical_at(MADT, 0x2000), 0, 0x2000);
	madt_length = 44;
	finish(MADT, "APIC", madt_length);
}

static void madt_lapic(u8 acpi_id, u8 apic_id, u32 flags)
{
	struct {
		u8 type, length, acpi_id, apic_id;
		u32 flags;
	} e = {0, 8, acpi_id, apic_id, flags};
	madt_entry(&e, sizeof(e));
}

static void madt_x2apic(u32 acpi_id, u32 apic_id, u32 flags)
{
	struct {
		u8 type, length;
		u16 reserved;
		u32 apic_id, flags, acpi_id;
	} e = {9, 16, 0xffff, apic_id, flags, acpi_id};
	madt_entry(&e, sizeof(e));
}

static void put_gas(u64 pa, u8 space, u8 bits, u64 addr)
{
	u8 head[4] = {space, bits, 7, 3}; /* offset and access are to be dropped */
	physical_put(pa, head, 4);
	physical_put64(pa + 4, addr);
}

static void put_fadt(u32 length)
{
	memset(physical_at(FADT, 0x1000), 0, 0x1000);
	physical_put32(FADT + 36, FACS);
	physical_put32(FADT + 64, 0x604);
	physical_put32(FADT + 68, 0x704);
	*physical_at(FADT + 89, 1) = 2;
	finish(FADT, "FACP", length);
}

static void put_facs(void)
{
	physical_put(FACS, "FACS", 4);
	physical_put32(FACS + 4, 64);
}

static void put_mcfg_entry(unsigned n, u64 base, u16 segment, u8 start, u8 end)
{
	u64 at = MCFG + 44 + 16 * n;

	physical_put64(at, base);
	physical_put(at + 8, &segment, 2);
	physical_put(at + 10, &start, 1);
	physical_put(at + 11, &end, 1);
	finish(MCFG, "MCFG", 44 + 16 * (n + 1));
}

/* A sane machine: RSDP from the loader, XSDT and RSDT with all tables. */
static int setup(void **state)
{
	(void)state;
	boot = (struct boot_info){0};
	physical_reset();
	physical_add(0, PAGE_SIZE);
	physical_add(EBDA, PAGE_SIZE);
	physical_add(BIOS, 0x20000);
	physical_add(TABLES, 0x10000);
	put_root(RSDT, "RSDT", all_tables, 4);
	put_root(XSDT, "XSDT", all_tables, 4);
	madt_start();
	madt_lapic(1, 0, 1);
	put_facs();
	put_fadt(244);
	put_mcfg_entry(0, 0xb0000000, 0, 0, 255);
	finish(DMAR, "DMAR", 48);
	put_rsdp(BIOS, 2, RSDT, XSDT);
	memcpy(boot.rsdp, physical_at(BIOS, 36), 36);
	memset(physical_at(BIOS, 36), 0, 36);
	boot.rsdp_size = 36;
	fake_log_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	physical_reset();
	return 0;
}

static void parse(void)
{
	fake_log_start();
	memset(&acpi, 0xa5, sizeof(acpi));
	assert_true(acpi_parse(&boot, &acpi));
}

static void refuse(void)
{
	static const struct acpi_info nothing;

	fake_log_start();
	memset(&acpi, 0xa5, sizeof(acpi));
	assert_false(acpi_parse(&boot, &acpi));
	assert_memory_equal(&acpi, &nothing, sizeof(acpi));
	assert_false(fake_log_empty());
}

static void assert_gas(struct hip_gas g, u8 space, u8 bits, u64 addr)
{
	assert_int_equal(g.space, space);
	assert_int_equal(g.bits, bits);
	assert_int_equal(g.offset, 0);
	assert_int_equal(g.access, 0);
	assert_int_equal(g.addr, addr);
}

static void test_good(void **state)
{
	(void)state;
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

static void test_no_rsdp(void **state)
{
	(void)state;
	boot.rsdp_size = 0;
	refuse();
	assert_true(fake_log_has("no RSDP"));
}

static void test_rsdp_in_bios(void **state)
{
	(void)state;
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

static void test_rsdp_in_ebda(void **state)
{
	(void)state;
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
static void test_rsdp_order(void **state)
{
	(void)state;
	put_rsdp(BIOS, 0, RSDT, 0);
	parse();
	assert_int_equal(acpi.root, XSDT);
	boot.rsdp[3]++;
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_true(fake_log_has("RSDP is damaged"));
}

static void test_rsdp_damage(void **state)
{
	(void)state;
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
static void test_rsdp_length(void **state)
{
	(void)state;
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
static void test_revision_0(void **state)
{
	(void)state;
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

static void test_root_fallback(void **state)
{
	(void)state;
	*physical_at(XSDT + 40, 1) ^= 1;
	parse();
	assert_int_equal(acpi.root, RSDT);
	assert_true(fake_log_has("XSDT"));

	*physical_at(RSDT + 40, 1) ^= 1;
	refuse();
	*physical_at(XSDT + 40, 1) ^= 1;
	parse();
	assert_int_equal(acpi.root, XSDT);

	put_root(XSDT, "XSDX", all_tables, 4); /* not what it should be */
	refuse();
	assert_true(fake_log_has("no XSDT at 0x7fe1000"));
}

static void test_root_entries(void **state)
{
	(void)state;
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

static void test_table_length(void **state)
{
	(void)state;
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

static void test_table_checksum(void **state)
{
	(void)state;
	for (unsigned i = 0; i < array_size(all_tables); i++) {
		setup(NULL);
		*physical_at(all_tables[i] + 20, 1) ^= 1;
		parse();
		assert_int_equal(acpi.cpu_count, all_tables[i] != MADT);
		assert_int_equal(acpi.pm1a_cnt.addr != 0, all_tables[i] != FADT);
		assert_int_equal(acpi.mcfg_base != 0, all_tables[i] != MCFG);
		assert_int_equal(acpi.dmar != 0, all_tables[i] != DMAR);
		assert_true(fake_log_has("wrong checksum"));
	}
}

/* The first good table of a kind counts. */
static void test_duplicates(void **state)
{
	(void)state;
	static const u64 twice[] = {MADT, MADT, DMAR, TABLES + 0x8000, MCFG, MCFG};

	finish(TABLES + 0x8000, "DMAR", 36);
	put_root(XSDT, "XSDT", twice, array_size(twice));
	parse();
	assert_int_equal(acpi.cpu_count, 1);
	assert_int_equal(acpi.dmar, DMAR);
	*physical_at(DMAR + 40, 1) ^= 1;
	parse();
	assert_int_equal(acpi.dmar, TABLES + 0x8000);
}

/* ---- MADT ---- */

static void test_madt_order_and_flags(void **state)
{
	(void)state;
	static const u8 other[] = {1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

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

static void test_madt_too_many(void **state)
{
	(void)state;
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

static void test_madt_damage(void **state)
{
	(void)state;
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

static void test_fadt_extended(void **state)
{
	(void)state;
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

static void test_fadt_old(void **state)
{
	(void)state;
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

static void test_facs(void **state)
{
	(void)state;
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

/* ---- MCFG ---- */

static void test_mcfg(void **state)
{
	(void)state;
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

/* ---- anything ---- */

/* With any one byte of any table changed, the result is either as before or lacks that table's part; and it always
 * ends. */
static void test_every_byte(void **state)
{
	(void)state;
	for (unsigned t = 0; t < array_size(all_tables); t++) {
		u32 length;
		memcpy(&length, physical_at(all_tables[t] + 4, 4), 4);
		for (u32 i = 0; i < length; i++) {
			*physical_at(all_tables[t] + i, 1) ^= 0x41;
			parse();
			unsigned parts = (acpi.cpu_count != 0) + (acpi.pm1a_cnt.addr != 0) + (acpi.mcfg_base != 0) +
					 (acpi.dmar != 0);
			assert_int_equal(parts, 3);
			*physical_at(all_tables[t] + i, 1) ^= 0x41;
		}
	}
	parse();
	assert_true(acpi.cpu_count && acpi.pm1a_cnt.addr && acpi.mcfg_base && acpi.dmar);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good),          TEST(no_rsdp),
		TEST(rsdp_in_bios),  TEST(rsdp_in_ebda),
		TEST(rsdp_order),    TEST(rsdp_damage),
		TEST(rsdp_length),   TEST(revision_0),
		TEST(root_fallback), TEST(root_entries),
		TEST(table_length),  TEST(table_checksum),
		TEST(duplicates),    TEST(madt_order_and_flags),
		TEST(madt_too_many), TEST(madt_damage),
		TEST(fadt_extended), TEST(fadt_old),
		TEST(facs),          TEST(mcfg),
		TEST(every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
