/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSRs and firmware are looked at only on machines that measure time: where instructions are counted they mean
 * nothing, and there the kernel's state shall be the same with every version of this file.
 */
#include "rt/bench/bench_machine.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_window.h"
#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/hypercall.h"
#include "rt/map.h"
#include "rt/string.h"

#define MSR_SMI_COUNT 0x34
#define MSR_MICROCODE 0x8b
#define MSR_MPERF 0xe7
#define MSR_APERF 0xe8
#define MSR_ARCH_CAPABILITIES 0x10a
#define CPUID_OSXSAVE (1u << 27)
#define CPUID_OSPKE (1u << 4)
#define SPIN_MS 20

/* SDM volume 2, CPUID: family and model have extensions; the brand fills three leaves. */
static struct bench_cpu look_at_cpu(void)
{
	struct rt_cpuid id = rt_cpuid(0, 0), sig = rt_cpuid(1, 0);
	uint32_t vendor[3] = {id.ebx, id.edx, id.ecx}, last = rt_cpuid(0x80000000, 0).eax;
	struct bench_cpu c = {.family = sig.eax >> 8 & 15, .model = sig.eax >> 4 & 15, .stepping = sig.eax & 15};

	memcpy(c.vendor, vendor, sizeof(vendor));
	for (unsigned i = 0; i < 3 && last >= 0x80000004; i++) {
		struct rt_cpuid r = rt_cpuid(0x80000002 + i, 0);

		memcpy(c.brand + 16 * i, &r, sizeof(r));
	}
	if (c.family == 15 || c.family == 6)
		c.model += (sig.eax >> 16 & 15) << 4;
	if (c.family == 15)
		c.family += sig.eax >> 20 & 0xff;
	c.intel = id.ebx == 0x756e6547; /* "Genu" */
	c.amd = rt_cpu_is_amd();
	c.tsc_invariant = last >= 0x80000007 && rt_cpuid(0x80000007, 0).edx & 1u << 8;
	return c;
}

static bool measures_time;
static struct bench_cpu cpu;

void bench_machine_init(void)
{
	measures_time = rt_arg("time", !bench_counts_instructions());
	cpu = look_at_cpu();
}

bool bench_machine_measures_time(void)
{
	return measures_time;
}

const struct bench_cpu *bench_machine_cpu(void)
{
	return &cpu;
}

bool bench_machine_msr(unsigned msr, unsigned long *value)
{
	return measures_time && hc_msr_read(msr, value) == SUCCESS;
}

/* SDM volume 3, 11.11.7.1: CPUID puts the revision into the register; AMD has it in the lower half. */
uint32_t bench_machine_microcode(void)
{
	unsigned long value = 0;

	rt_cpuid(1, 0);
	if (!bench_machine_msr(MSR_MICROCODE, &value))
		return 0;
	return (uint32_t)(cpu.intel ? value >> 32 : value);
}

/* SDM vol. 2, CPUID leaf 0xb: EBX of level 0 is the number of logical processors of a core. */
int bench_machine_smt(void)
{
	struct rt_cpuid level = rt_cpuid(0, 0);

	if (level.eax < 0xb)
		return 0;
	level = rt_cpuid(0xb, 0);
	if (!(level.ebx & 0xffff))
		return 0;
	return (level.ebx & 0xffff) > 1 ? 1 : -1;
}

/*
 * Features identify the firmware's settings, too, because it hides some, and leaf 7 tells of mitigations. Two bits
 * are left out that mirror CR4, so that they are those of the kernel and not of the machine.
 */
void bench_machine_features(char text[48])
{
	struct rt_cpuid base = rt_cpuid(1, 0), more = rt_cpuid(7, 0);

	rt_snprintf(text, 48, "%08x-%08x-%08x-%08x-%08x", base.ecx & ~CPUID_OSXSAVE, base.edx, more.ebx,
		    more.ecx & ~CPUID_OSPKE, more.edx);
}

/*
 * The register says which speculation bugs the CPU does not have and which mitigations it offers (SDM volume 4,
 * 2.1, IA32_ARCH_CAPABILITIES).
 */
uint64_t bench_machine_capabilities(void)
{
	unsigned long value = 0;

	if (!(rt_cpuid(7, 0).edx & 1u << 29) || !bench_machine_msr(MSR_ARCH_CAPABILITIES, &value))
		return 0;
	return value;
}

void bench_machine_hypervisor(char name[13])
{
	struct rt_cpuid id = rt_cpuid(0x40000000, 0);

	memset(name, 0, 13);
	if (!(rt_cpuid(1, 0).ecx & 1u << 31))
		return;
	memcpy(name, &id.ebx, 4);
	memcpy(name + 4, &id.ecx, 4);
	memcpy(name + 8, &id.edx, 4);
}

uint64_t bench_machine_memory(void)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < rt_mem_count(); i++)
		if (rt_hip->mem[i].type == HIP_MEM_RAM)
			bytes += rt_hip->mem[i].size;
	return bytes >> 20;
}

/* Makers write their firmware's name and version into the header of the ACPI root table (ACPI 5.2.6). */
void bench_machine_firmware(char text[32])
{
	const uint8_t *table;

	text[0] = '\0';
	if (!measures_time || !rt_hip->xsdt_rsdt)
		return;
	table = rt_map(rt_hip->xsdt_rsdt, 36, PERM_MEM_R);
	if (!table)
		return;
	rt_snprintf(text, 32, "%.6s %.8s %x", (const char *)table + 10, (const char *)table + 16,
		    (unsigned)table[24] | (unsigned)table[25] << 8 | (unsigned)table[26] << 16 |
			    (unsigned)table[27] << 24);
}

/*
 * A core that is not at the time-stamp counter's frequency, by turbo or to save power, makes ticks no measure of
 * work.
 */
unsigned bench_machine_clock(void)
{
	unsigned long a0, a1, m0, m1;
	uint64_t start = bench_start();

	if (!bench_machine_msr(MSR_APERF, &a0) || !bench_machine_msr(MSR_MPERF, &m0))
		return 0;
	while (bench_ticks(start) < (uint64_t)rt_hip->freq_tsc * SPIN_MS)
		;
	if (!bench_machine_msr(MSR_APERF, &a1) || !bench_machine_msr(MSR_MPERF, &m1) || m1 == m0)
		return 0;
	return (unsigned)((a1 - a0) * 1000 / (m1 - m0));
}

bool bench_machine_smi_count(unsigned long *count)
{
	return cpu.intel && bench_machine_msr(MSR_SMI_COUNT, count);
}
