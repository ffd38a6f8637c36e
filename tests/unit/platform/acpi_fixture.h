/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables in a machine's memory, good ones to begin with. */
#pragma once

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
static inline void seal(u64 pa, u64 size, u64 at)
{
	u8 sum = 0;

	*physical_at(pa + at, 1) = 0;
	for (u64 i = 0; i < size; i++)
		sum = (u8)(sum + *physical_at(pa + i, 1));
	*physical_at(pa + at, 1) = (u8)-sum;
}

/* Header and checksum of a table whose contents are there already. */
static inline void finish(u64 pa, const char *signature, u32 length)
{
	physical_put(pa, signature, 4);
	physical_put32(pa + 4, length);
	seal(pa, length, 9);
}

static inline void put_rsdp(u64 pa, u8 revision, u32 rsdt, u64 xsdt)
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

static inline void put_root(u64 pa, const char *signature, const u64 *tables, unsigned count)
{
	u32 width = signature[0] == 'X' ? 8 : 4;

	for (unsigned i = 0; i < count; i++)
		physical_put(pa + 36 + width * i, &tables[i], width);
	finish(pa, signature, 36 + width * count);
}

static u32 madt_length;

static inline void madt_entry(const void *data, u8 length)
{
	physical_put(MADT + madt_length, data, length);
	madt_length += length;
	finish(MADT, "APIC", madt_length);
}

static inline void madt_start(void)
{
	memset(physical_at(MADT, 0x2000), 0, 0x2000);
	madt_length = 44;
	finish(MADT, "APIC", madt_length);
}

static inline void madt_lapic(u8 acpi_id, u8 apic_id, u32 flags)
{
	struct {
		u8 type, length, acpi_id, apic_id;
		u32 flags;
	} e = {0, 8, acpi_id, apic_id, flags};
	madt_entry(&e, sizeof(e));
}

static inline void madt_x2apic(u32 acpi_id, u32 apic_id, u32 flags)
{
	struct {
		u8 type, length;
		u16 reserved;
		u32 apic_id, flags, acpi_id;
	} e = {9, 16, 0xffff, apic_id, flags, acpi_id};
	madt_entry(&e, sizeof(e));
}

static inline void put_gas(u64 pa, u8 space, u8 bits, u64 addr)
{
	u8 head[4] = {space, bits, 7, 3}; /* offset and access are to be dropped */
	physical_put(pa, head, 4);
	physical_put64(pa + 4, addr);
}

static inline void put_fadt(u32 length)
{
	memset(physical_at(FADT, 0x1000), 0, 0x1000);
	physical_put32(FADT + 36, FACS);
	physical_put32(FADT + 64, 0x604);
	physical_put32(FADT + 68, 0x704);
	*physical_at(FADT + 89, 1) = 2;
	finish(FADT, "FACP", length);
}

static inline void put_facs(void)
{
	physical_put(FACS, "FACS", 4);
	physical_put32(FACS + 4, 64);
}

static inline void put_mcfg_entry(unsigned n, u64 base, u16 segment, u8 start, u8 end)
{
	u64 at = MCFG + 44 + 16 * n;

	physical_put64(at, base);
	physical_put(at + 8, &segment, 2);
	physical_put(at + 10, &start, 1);
	physical_put(at + 11, &end, 1);
	finish(MCFG, "MCFG", 44 + 16 * (n + 1));
}

/* A sane machine: RSDP from the loader, XSDT and RSDT with all tables. */
UNIT_FIXTURE(setup)
{
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

UNIT_FIXTURE(teardown)
{
	physical_reset();
	return 0;
}

static inline void parse(void)
{
	fake_log_start();
	memset(&acpi, 0xa5, sizeof(acpi));
	assert_true(acpi_parse(&boot, 0, &acpi));
}

static inline void refuse(void)
{
	static struct acpi_info nothing;

	irq_map_init(&nothing.irq);
	fake_log_start();
	memset(&acpi, 0xa5, sizeof(acpi));
	assert_false(acpi_parse(&boot, 0, &acpi));
	assert_memory_equal(&acpi, &nothing, sizeof(acpi));
	assert_false(fake_log_empty());
}

static inline void assert_gas(struct hip_gas g, u8 space, u8 bits, u64 addr)
{
	assert_int_equal(g.space, space);
	assert_int_equal(g.bits, bits);
	assert_int_equal(g.offset, 0);
	assert_int_equal(g.access, 0);
	assert_int_equal(g.addr, addr);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
