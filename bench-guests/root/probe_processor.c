/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 2, CPUID; vol. 4, 2.1 (IA32_ARCH_CAPABILITIES). */
#include "probe.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_machine.h"
#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/string.h"
#include "rt/vcpu.h"

enum { ECX, EDX, EBX };

/* What changes the cost of the paths that are measured, and what the kernel cannot do without. */
static void named_features(void)
{
	static const struct {
		uint32_t leaf;
		uint8_t reg, bit;
		const char *name;
	} known[] = {
		{1, ECX, 26, "XSAVE"},
		{1, ECX, 17, "PCID"},
		{1, ECX, 21, "x2APIC"},
		{1, ECX, 3, "MWAIT"},
		{1, ECX, 28, "AVX"},
		{7, EBX, 16, "AVX-512"},
		{7, EBX, 0, "FSGSBASE"},
		{7, EBX, 10, "INVPCID"},
		{7, EBX, 7, "SMEP"},
		{7, EBX, 20, "SMAP"},
		{7, ECX, 2, "UMIP"},
		{7, ECX, 16, "LA57"},
		{7, EDX, 15, "hybrid"},
		{0x80000001, EDX, 26, "1G-pages"},
		{0x80000001, EDX, 27, "RDTSCP"},
	};
	char text[160] = "";

	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct rt_cpuid c = rt_cpuid(known[i].leaf, 0);
		uint32_t regs[] = {[ECX] = c.ecx, [EDX] = c.edx, [EBX] = c.ebx};

		if (regs[known[i].reg] >> known[i].bit & 1)
			rt_snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", known[i].name);
	}
	probe_say("features that matter:%s", text);
}

static void identity(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	const char *brand = cpu->brand;
	char firmware[32], microcode[16], features[48];
	unsigned revision = bench_machine_microcode();

	while (*brand == ' ')
		brand++;
	bench_machine_firmware(firmware);
	bench_machine_features(features);
	rt_snprintf(microcode, sizeof(microcode), revision ? "0x%x" : "unknown", revision);
	probe_heading("machine");
	probe_state(PROBE_FACT, "microcode", microcode, "%s, family %u model %u stepping %u, microcode %s",
		    *brand ? brand : cpu->vendor, cpu->family, cpu->model, cpu->stepping, microcode);
	probe_state(PROBE_FACT, "features", features, "features (CPUID 1 and 7): %s", features);
	named_features();
	probe_state(PROBE_FACT, "firmware", *firmware ? firmware : "none", "%u CPUs, %lu MiB, ACPI tables by %s",
		    rt_cpu_count(), bench_machine_memory(), *firmware ? firmware : "nobody");
}

static void company(void)
{
	char hypervisor[13];

	bench_machine_hypervisor(hypervisor);
	if (*hypervisor)
		probe_state(PROBE_OBSTACLE, "hypervisor", hypervisor,
			    "a hypervisor (%s) is below this kernel: time is what it makes of it", hypervisor);
	else
		probe_state(PROBE_FACT, "hypervisor", "none", "no hypervisor is below this kernel");
	if (bench_counts_instructions())
		probe_state(PROBE_NOTE, "tick", "instruction",
			    "a tick is an executed instruction here: an emulator that counts, not a clock");
	else
		probe_state(PROBE_FACT, "tick", "time", "a tick is a time");
}

static void smt(void)
{
	int smt = bench_machine_smt();

	if (smt > 0)
		probe_state(PROBE_DOUBT, "smt", "on",
			    "threads share cores (SMT): a busy sibling takes half of a core; off in the firmware is "
			    "best");
	else
		probe_state(PROBE_FACT, "smt", smt ? "off" : "unknown",
			    smt ? "one thread a core" : "how many threads share a core is not known");
}

static void virtualization(void)
{
	bool iommu = rt_hip->api_flg & HIP_FEATURE_IOMMU;

	probe_heading("virtualization");
	if (rt_hip->api_flg & HIP_FEATURE_VMX)
		probe_state(PROBE_FACT, "virtualization", "VMX",
			    "VMX: virtual CPUs can be made; MTDs can be partial: %s",
			    rt_has_vcpu_partial() ? "yes" : "no");
	else if (rt_hip->api_flg & HIP_FEATURE_SVM)
		probe_state(PROBE_FACT, "virtualization", "SVM",
			    "SVM: virtual CPUs can be made, with the interface of VMX");
	else if (rt_cpuid(1, 0).ecx & 1u << 5)
		probe_state(PROBE_NOTE, "virtualization", "VMX, not usable",
			    "the CPU has VMX, but lacks something of it, or firmware has locked it");
	else if (rt_cpuid(0x80000000, 0).eax >= 0x80000001 && rt_cpuid(0x80000001, 0).ecx & 1u << 2)
		probe_state(PROBE_NOTE, "virtualization", "SVM, not usable",
			    "the CPU has SVM, but lacks something of it, or firmware has locked it");
	else
		probe_state(PROBE_NOTE, "virtualization", "none", "no VMX and no SVM: the suite vmexit is skipped");
	probe_state(PROBE_FACT, "iommu", iommu ? "yes" : "no", "IOMMU known to the kernel: %s", iommu ? "yes" : "no");
}

struct named_bit {
	unsigned bit;
	const char *name;
};

/* The names of the bits that are set, or not set, with spaces between them; "none" if there are none. */
static void list_bits(char *text, size_t size, const struct named_bit *bits, unsigned long value, bool set)
{
	size_t used = 0;

	rt_snprintf(text, size, "none");
	for (; bits->name; bits++)
		if ((value >> bits->bit & 1) == set && used < size)
			used += (size_t)rt_snprintf(text + used, size - used, "%s%s", used ? " " : "", bits->name);
}

static void mitigations(void)
{
	static const struct named_bit offers[] = {
		{26, "IBRS/IBPB"}, {27, "STIBP"}, {31, "SSBD"}, {10, "VERW"}, {0, NULL}};
	static const struct named_bit immune[] = {{0, "Meltdown"}, {3, "L1TF"}, {5, "MDS"},   {8, "TAA"},
						  {13, "SBDR"},    {26, "GDS"}, {27, "RFDS"}, {0, NULL}};
	unsigned long capabilities = bench_machine_capabilities();
	char text[80];

	probe_heading("mitigations");
	list_bits(text, sizeof(text), offers, rt_cpuid(7, 0).edx, true);
	probe_state(PROBE_FACT, "mitigations", text, "offered by the CPU: %s", text);
	list_bits(text, sizeof(text), immune, capabilities, false);
	if (capabilities)
		probe_state(PROBE_FACT, "affected_by", text, "speculation bugs that it may be affected by: %s", text);
	else
		probe_state(PROBE_FACT, "affected_by", "unknown",
			    "the CPU does not say which speculation bugs it lacks");
}

void probe_processor(void)
{
	identity();
	company();
	smt();
	virtualization();
	mitigations();
}
