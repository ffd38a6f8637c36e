/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor information page, field by field. */
#include "boot.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/port.h"
#include "rt/size.h"
#include "rt/string.h"

#define RSDP_WINDOW 0xe0000
#define RSDP_WINDOW_END 0x100000
#define GAS_SIZE 12

/* Little endian, any alignment. */
static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

static void constants(void)
{
	EXPECT_EQ(rt_hip->signature, 0x4e524448);
	EXPECT_EQ(rt_hip->cpu_offset, 0x70);
	EXPECT_EQ(rt_hip->cpu_size, 8);
	EXPECT_EQ(rt_hip->mem_offset, 0x470);
	EXPECT_EQ(rt_hip->mem_size, 24);
	EXPECT_EQ(rt_hip->api_ver, 13002);
	EXPECT_EQ(rt_hip->sel_num, 0x4000000);
	EXPECT_EQ(rt_hip->sel_exc, 32);
	EXPECT_EQ(rt_hip->sel_vmi, 256);
	EXPECT_EQ(rt_hip->cfg_page, 4096);
	EXPECT_EQ(rt_hip->cfg_utcb, 4096);
}

/* Whether a byte of the page belongs to an extension that is announced. */
static bool is_extension(unsigned offset)
{
	static const struct {
		unsigned flags, at, size;
	} extensions[] = {
		{HIP_EXT_FRAMEBUFFER | HIP_EXT_TEXT, HIP_FRAMEBUFFER, sizeof(struct hip_framebuffer)},
		{HIP_EXT_BUILD_ID, HIP_BUILD_ID, HIP_BUILD_ID_SIZE},
		{HIP_EXT_SERIAL, HIP_SERIAL, GAS_SIZE},
	};

	for (unsigned i = 0; i < RT_ARRAY(extensions); i++)
		if (rt_hip->api_flg & extensions[i].flags && offset - extensions[i].at < extensions[i].size)
			return true;
	return false;
}

static void checksum_and_length(void)
{
	const uint16_t *w = (const uint16_t *)rt_hip;
	uint16_t sum = 0;

	EXPECT(rt_hip->length >= sizeof(struct hip) && rt_hip->length <= RT_PAGE);
	EXPECT_EQ((rt_hip->length - rt_hip->mem_offset) % rt_hip->mem_size, 0);
	for (unsigned i = 0; i < rt_hip->length / 2; i++)
		sum += w[i];
	EXPECT_EQ(sum, 0);
	for (unsigned i = rt_hip->length; i < RT_PAGE; i++)
		if (!is_extension(i))
			ASSERT_EQ(((const uint8_t *)rt_hip)[i], 0); /* nothing else of the kernel is on this page */
}

static void features(void)
{
	bool vmx = rt_cpuid(1, 0).ecx >> 5 & 1, svm = rt_cpuid(0x80000001, 0).ecx >> 2 & 1;

	EXPECT_EQ(rt_hip->api_flg & HIP_FEATURE_IOMMU, 0);
	if (!vmx)
		EXPECT_EQ(rt_hip->api_flg & HIP_FEATURE_VMX, 0);
	if (!svm)
		EXPECT_EQ(rt_hip->api_flg & HIP_FEATURE_SVM, 0);
	EXPECT((rt_hip->api_flg & (HIP_FEATURE_VMX | HIP_FEATURE_SVM)) != (HIP_FEATURE_VMX | HIP_FEATURE_SVM));
	EXPECT_EQ(rt_hip->api_flg & 0xfff0, 0);
	if (!(rt_hip->api_flg & HIP_FEATURE_VMX))
		EXPECT_EQ(rt_hip->cap_vmx_sec_exec, 0);
}

static void cpu_descriptors(void)
{
	unsigned count = 0, apic = rt_cpuid(1, 0).ebx >> 24;

	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct hip_cpu *c = &rt_hip->cpu[i];

		if (c->flags & HIP_CPU_ENABLED) {
			EXPECT_EQ(i, count); /* dense */
			EXPECT_EQ(c->flags, HIP_CPU_ENABLED);
			count++;
		} else {
			EXPECT_EQ(get((const uint8_t *)c, 8), 0);
		}
		EXPECT_EQ(c->reserved[0] | c->reserved[1], 0);
		for (unsigned j = 0; j < i && c->flags; j++)
			EXPECT(rt_hip->cpu[j].apic_id != c->apic_id);
	}
	EXPECT(count > 0);
	EXPECT_EQ(rt_hip->cpu[rt_cpu].apic_id, apic);
	EXPECT_ST(hc_create_ec(sel_new(), RT_SEL_PD, count, 0, 0, 0, 0), BAD_CPU);
	EXPECT_OK(hc_create_ec(sel_new(), RT_SEL_PD, count - 1, 0, 0, 0, 0));
}

/* Firmware's entries first, then modules, then the hypervisor's. */
static unsigned order_of(uint32_t type)
{
	return type == (uint32_t)HIP_MEM_HYPERVISOR ? 2 : type == (uint32_t)HIP_MEM_MODULE ? 1 : 0;
}

static bool in_ram(uint64_t addr, uint64_t size)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == HIP_MEM_RAM && m->addr <= addr && addr + size <= m->addr + m->size)
			return true;
	}
	return false;
}

static void memory_descriptors(void)
{
	unsigned modules = 0, claimed = 0, ram = 0;

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		EXPECT(m->size > 0);
		if (i)
			EXPECT(order_of(m->type) >= order_of(m[-1].type));
		ram += m->type == HIP_MEM_RAM;
		if (order_of(m->type))
			EXPECT(in_ram(m->addr, m->size));
		if (order_of(m->type) != 1)
			EXPECT_EQ(m->aux, 0);
		modules += order_of(m->type) == 1;
		if (order_of(m->type) != 2)
			continue;
		claimed++;
		EXPECT_EQ(m->addr % RT_PAGE | m->size % RT_PAGE, 0);
		for (unsigned j = 0; j < rt_mem_count(); j++) /* adjacent ones are merged, none overlap */
			EXPECT(j == i || order_of(rt_hip->mem[j].type) != 2 ||
			       rt_hip->mem[j].addr > m->addr + m->size ||
			       rt_hip->mem[j].addr + rt_hip->mem[j].size < m->addr);
	}
	EXPECT(ram > 0);
	EXPECT(modules >= 1);
	EXPECT(claimed >= 1);
}

/* The first module is this program: its ELF header is there, and its size is that of a file with these contents. */
static void own_module(void)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];
		const uint8_t *elf;

		if (m->type != (uint32_t)HIP_MEM_MODULE)
			continue;
		elf = rt_map(m->addr, RT_PAGE, PERM_MEM_R);
		ASSERT(elf);
		EXPECT_EQ(get(elf, 4), 0x464c457f);
		EXPECT_EQ(get(elf + 24, 8), (uint64_t)boot_entry);
		EXPECT(m->size >= (uint64_t)(rt_image_end - rt_image_start));
		return;
	}
}

/* Large contiguous RAM: 64 MiB, 4 MiB aligned, between 256 and 480 MiB on a machine of 512 MiB. */
static void contiguous_memory(void)
{
	const uint64_t mib = 1 << 20;

	if (!in_ram(256 * mib, 224 * mib))
		SKIP("a machine with less memory");
	for (uint64_t at = 256 * mib; at + 64 * mib <= 480 * mib; at += 4 * mib) {
		bool hit = false;

		for (unsigned i = 0; i < rt_mem_count(); i++) {
			const struct hip_mem *m = &rt_hip->mem[i];

			hit |= m->type != HIP_MEM_RAM && m->addr < at + 64 * mib && m->addr + m->size > at;
		}
		if (!hit)
			return;
	}
	test_fail(__FILE__, __LINE__, "expected 64 MiB of free RAM between 256 and 480 MiB, found none");
}

/* All of the RAM that is not claimed can be had, up to its last page. */
static void ram_can_be_had(void)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];
		unsigned long last = (m->addr + m->size - 1) & -RT_PAGE;

		if (m->type != HIP_MEM_RAM)
			continue;
		ASSERT(rt_map(last, RT_PAGE, PERM_MEM_R));
		EXPECT(can_read(RT_PHYS + last));
	}
	ASSERT(rt_map(0xfee00000, RT_PAGE, PERM_MEM_R)); /* the local APIC, too */
	EXPECT(can_read(RT_PHYS + 0xfee00020));
}

/* ACPI, as found by the program itself. */
static const uint8_t *table_at(uint64_t pa)
{
	const uint8_t *t = rt_map(pa, 36, PERM_MEM_R);

	return t ? rt_map(pa, get(t + 4, 4), PERM_MEM_R) : NULL;
}

static const uint8_t *find_table(const char *signature)
{
	const uint8_t *root = table_at(rt_hip->xsdt_rsdt);
	unsigned width = root && get(root, 4) == get((const uint8_t *)"XSDT", 4) ? 8 : 4;

	for (unsigned at = 36; root && at + width <= get(root + 4, 4); at += width) {
		const uint8_t *t = table_at(get(root + at, width));

		if (t && !memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

static void root_table(void)
{
	const uint8_t *bios = rt_map(RSDP_WINDOW, RSDP_WINDOW_END - RSDP_WINDOW, PERM_MEM_R);
	const uint8_t *root;

	if (rt_hip->api_flg & HIP_FEATURE_UEFI)
		SKIP("the firmware is no BIOS");
	ASSERT(bios);
	for (unsigned at = 0; at < RSDP_WINDOW_END - RSDP_WINDOW; at += 16)
		if (!memcmp(bios + at, "RSD PTR ", 8)) {
			uint64_t rsdt = get(bios + at + 16, 4),
				 xsdt = bios[at + 15] >= 2 ? get(bios + at + 24, 8) : 0;

			EXPECT_EQ(rt_hip->xsdt_rsdt, xsdt ? xsdt : rsdt);
			root = table_at(rt_hip->xsdt_rsdt);
			ASSERT(root);
			EXPECT(!memcmp(root, "XSDT", 4) || !memcmp(root, "RSDT", 4));
			return;
		}
	SKIP("no RSDP in the BIOS");
}

static void mcfg(void)
{
	const uint8_t *t = find_table("MCFG");

	for (unsigned at = 44; t && at + 16 <= get(t + 4, 4); at += 16)
		if (!get(t + at + 8, 2)) {
			EXPECT_EQ(rt_hip->mcfg_base, get(t + at, 8));
			EXPECT_EQ(rt_hip->mcfg_size, (uint64_t)(t[at + 11] - t[at + 10] + 1) << 20);
			return;
		}
	EXPECT_EQ(rt_hip->mcfg_base | rt_hip->mcfg_size, 0);
}

static void dmar(void)
{
	const uint8_t *t = find_table("DMAR");

	EXPECT_EQ(rt_hip->dmar_table, t ? (uint64_t)t - RT_PHYS : 0);
}

/* PM1x_CNT: from the long form if the table has it, else from the short one. */
static void check_pm1(const struct hip_gas *gas, const uint8_t *fadt, unsigned long_at, unsigned short_at)
{
	struct hip_gas want = {0};

	if (fadt && get(fadt + 4, 4) >= 236 && get(fadt + long_at + 4, 8))
		want = (struct hip_gas){fadt[long_at], fadt[long_at + 1], 0, 0, get(fadt + long_at + 4, 8)};
	else if (fadt && get(fadt + short_at, 4))
		want = (struct hip_gas){1, (uint8_t)(8 * fadt[89]), 0, 0, get(fadt + short_at, 4)};
	EXPECT(!memcmp(gas, &want, GAS_SIZE));
}

static void power_management(void)
{
	const uint8_t *fadt = find_table("FACP");

	check_pm1(&rt_hip->pm1a_cnt, fadt, 172, 64);
	check_pm1(&rt_hip->pm1b_cnt, fadt, 184, 68);
}

/*
 * The time-stamp counter against the timer chip, within 10 %. An emulator may be held up at any time, which makes a
 * measurement longer: the shortest of many counts. Bochs' counter does not run at the frequency that its CPUID
 * states; then the page may say either.
 */
enum { PIT_CONTROL = 0x43, PIT_2 = 0x42, PIT_GATE = 0x61 };

static uint64_t stated_khz(void)
{
	struct rt_cpuid c = {0};

	if (rt_cpuid(0, 0).eax >= 0x15)
		c = rt_cpuid(0x15, 0);
	return c.eax && c.ebx && c.ecx ? (uint64_t)c.ecx * c.ebx / c.eax / 1000 : 0;
}

/* 10 ms of the 1193182 Hz oscillator. */
static uint64_t measure_khz(void)
{
	const unsigned ticks = 11932;
	uint64_t start;

	rt_out8(PIT_GATE, (uint8_t)((rt_in8(PIT_GATE) & ~2) | 1));
	rt_out8(PIT_CONTROL, 0xb0); /* channel 2, both bytes, interrupt on terminal count */
	rt_out8(PIT_2, ticks & 0xff);
	start = rt_rdtsc();
	rt_out8(PIT_2, ticks >> 8);
	for (unsigned i = 0; i < 10000000 && !(rt_in8(PIT_GATE) & 0x20); i++)
		;
	return (rt_rdtsc() - start) / 10;
}

static void tsc_frequency(void)
{
	uint64_t khz = ~0ul, page = rt_hip->freq_tsc;

	ASSERT_OK(rt_ports(PIT_2, 1));
	ASSERT_OK(rt_ports(PIT_GATE, 0));
	if (page == stated_khz())
		return;
	for (unsigned i = 0; i < 5 || (i < 200 && khz > page + page / 10); i++) {
		uint64_t now = measure_khz();

		khz = now < khz ? now : khz;
	}
	if (page < khz - khz / 10 || page > khz + khz / 10)
		test_fail(__FILE__, __LINE__, "the page says %lu kHz, measured %lu", page, khz);
}

/* Claimed: an image of less than 1 MiB, and a heap of a sixteenth of the RAM, 4 to 256 MiB, in steps of 2 MiB. */
static void kernel_claims_little(void)
{
	const uint64_t mib = 1 << 20;
	uint64_t ram = 0, claimed = 0, heap;

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		ram += m->type == HIP_MEM_RAM ? m->size : 0;
		claimed += m->type == (uint32_t)HIP_MEM_HYPERVISOR ? m->size : 0;
	}
	heap = ram / 16 < 4 * mib ? 4 * mib : ram / 16 > 256 * mib ? 256 * mib : ram / 16;
	heap -= heap % (2 * mib);
	if (claimed <= heap || claimed >= heap + mib)
		test_fail(__FILE__, __LINE__, "of %lu KiB RAM the kernel has %lu KiB, with a heap of %lu KiB",
			  ram >> 10, claimed >> 10, heap >> 10);
}

/* What the report of this test goes through. */
static void console(void)
{
	const struct hip_gas *line = rt_hip_serial();

	if (!line)
		return;
	EXPECT(line->bits == 8 || line->bits == 16 || line->bits == 32);
	EXPECT(line->space == HIP_GAS_MEMORY || (line->space == HIP_GAS_PORTS && line->bits == 8));
	EXPECT(line->addr && line->addr % line->bits == 0); /* eight registers of that width, on one page */
	EXPECT(line->space == HIP_GAS_MEMORY || line->addr <= 0xfff8);
	EXPECT_EQ(line->offset | line->access, 0);
}

/* Of a hash of 20 bytes none has 16 zeros; that it is this kernel's, `hbench run` checks. */
static void build_id(void)
{
	const uint8_t *id = rt_hip_build_id();
	unsigned zeros = 0;

	ASSERT(id);
	EXPECT_EQ((const char *)id - (const char *)rt_hip, 4064);
	for (unsigned i = 0; i < HIP_BUILD_ID_SIZE; i++)
		zeros += !id[i];
	EXPECT(zeros < 16);
}

const struct test boot_hip_tests[] = {
	TEST(constants),
	TEST(checksum_and_length),
	TEST(features),
	TEST(cpu_descriptors),
	TEST(memory_descriptors),
	TEST(own_module),
	TEST(contiguous_memory),
	TEST(kernel_claims_little),
	TEST(ram_can_be_had),
	TEST(root_table),
	TEST(mcfg),
	TEST(dmar),
	TEST(power_management),
	TEST(console),
	TEST(build_id),
	TEST(tsc_frequency),
	{},
};
