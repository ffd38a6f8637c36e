/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: 36 bytes of RSDP, then physical memory. Random bytes never have the right checksum, so checksums are made
 * right here, for the RSDP and for a table at each multiple of 1 KiB; with the first byte changed they stay as they
 * are.
 */
#include "fuzz.h"

#include "platform/acpi.h"
#include "platform/phys.h"

#define SLOT 1024

static u8 checksum(const u8 *p, size_t size)
{
	u8 sum = 0;

	while (size--)
		sum = (u8)(sum + *p++);
	return sum;
}

static void seal(u8 *p, size_t size, size_t at)
{
	p[at] = (u8)(p[at] - checksum(p, size));
}

/* From the last to the first: a table that covers others is right, whatever they are. */
static void seal_tables(void)
{
	for (size_t at = FUZZ_MEMORY_SIZE; at; at -= SLOT) {
		u8 *table = fuzz_memory + at - SLOT;
		u32 length;
		memcpy(&length, table + 4, 4);
		if (length >= 36 && length <= FUZZ_MEMORY_SIZE - (at - SLOT))
			seal(table, length, 9);
	}
}

static void check_gas(struct hip_gas g)
{
	CHECK(!g.offset && !g.access && (g.addr || (!g.space && !g.bits)));
}

static void check_line(const struct serial_found *f)
{
	CHECK(!f->line.base || uart_can_be_at(&f->line));
	CHECK(f->pci == SERIAL_NO_PCI || f->pci <= 0xffff);
	CHECK(!f->line.baud || f->line.clock);
}

static void check_info(const struct acpi_info *info)
{
	CHECK(info->cpu_count <= HEDRON_CPU_MAX);
	for (u32 i = 0; i < info->cpu_count; i++)
		for (u32 j = 0; j < i; j++)
			CHECK(info->cpu[i].apic_id != info->cpu[j].apic_id);
	CHECK(info->kept_count <= ACPI_KEPT_MAX);
	for (u32 i = 0; i < info->kept_count; i++) { /* all of it is there */
		u8 sum = 0;
		CHECK(phys_sum(info->kept[i].addr, info->kept[i].size, &sum));
	}
	check_gas(info->pm1a_cnt);
	check_gas(info->pm1b_cnt);
	check_line(&info->spcr);
	check_line(&info->dbg2);
	CHECK(info->s3.a <= SLEEP_TYPE_MAX && info->s3.b <= SLEEP_TYPE_MAX);
	CHECK(info->s3.known || (!info->s3.a && !info->s3.b));
	CHECK(info->pm_timer <= 0xfffc);
	CHECK(info->pm_timer ? info->pm_timer_bits == 24 || info->pm_timer_bits == 32 : !info->pm_timer_bits);
	CHECK(info->mcfg_size % MiB == 0 && info->mcfg_size <= 256 * MiB);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info boot;
	struct acpi_info info;

	if (size < 36)
		return 0;
	memcpy(boot.rsdp, data, 36);
	boot.rsdp_size = 36;
	fuzz_load(data + 36, size - 36);
	if (*data == 'R') {
		seal(boot.rsdp, 20, 8);
		seal(boot.rsdp, 36, 32);
		seal_tables();
	}
	if (acpi_parse(&boot, data[0], &info))
		CHECK(info.root);
	check_info(&info);
	return 0;
}
