/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 2, CPUID; vol. 4, 2.1 (IA32_ARCH_CAPABILITIES). */
#include "probe.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_machine.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/vcpu.h"

static void identity(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	const char *brand = cpu->brand;
	char firmware[32], hypervisor[13];
	int smt = bench_machine_smt();

	while (*brand == ' ')
		brand++;
	bench_machine_firmware(firmware);
	bench_machine_hypervisor(hypervisor);
	probe_heading("machine");
	probe_say("%s, family %u model %u stepping %u, microcode 0x%x", *brand ? brand : cpu->vendor, cpu->family,
		  cpu->model, cpu->stepping, bench_machine_microcode());
	probe_say("%u CPUs, %lu MiB, ACPI tables by %s", rt_cpu_count(), bench_machine_memory(),
		  *firmware ? firmware : "nobody");
	if (*hypervisor)
		probe_remark(PROBE_OBSTACLE, "a hypervisor (%s) is below this kernel: time is what it makes of it",
			     hypervisor);
	if (bench_counts_instructions())
		probe_remark(PROBE_NOTE,
			     "a tick is an executed instruction here: an emulator that counts, not a clock");
	if (smt > 0)
		probe_remark(PROBE_DOUBT, "threads share cores (SMT): a busy sibling takes half of a core; off in "
					  "the firmware is best");
	else if (smt < 0)
		probe_say("one thread a core");
}

static void virtualization(void)
{
	probe_heading("virtualization");
	if (rt_hip->api_flg & HIP_FEATURE_VMX)
		probe_say("VMX: virtual CPUs can be made; MTDs can be partial: %s",
			  rt_has_vcpu_partial() ? "yes" : "no");
	else if (rt_hip->api_flg & HIP_FEATURE_SVM)
		probe_say("SVM");
	else if (rt_cpuid(1, 0).ecx & 1u << 5)
		probe_remark(PROBE_NOTE, "the CPU has VMX, but lacks something of it, or firmware has locked it");
	else
		probe_remark(PROBE_NOTE, "no VMX: the suite vmexit is skipped");
	probe_say("IOMMU known to the kernel: %s", rt_hip->api_flg & HIP_FEATURE_IOMMU ? "yes" : "no");
}

static void mitigations(void)
{
	static const struct {
		unsigned bit;
		const char *bug;
	} immune[] = {{0, "Meltdown"},   {3, "L1TF"}, {5, "MDS"},  {8, "TAA"},
		      {13, "SBDR/SSDP"}, {26, "GDS"}, {27, "RFDS"}};
	struct rt_cpuid more = rt_cpuid(7, 0);
	unsigned long capabilities = bench_machine_capabilities();

	probe_heading("mitigations");
	probe_say("offered: IBRS/IBPB %s, STIBP %s, SSBD %s, VERW clears buffers %s",
		  more.edx & 1u << 26 ? "yes" : "no", more.edx & 1u << 27 ? "yes" : "no",
		  more.edx & 1u << 31 ? "yes" : "no", more.edx & 1u << 10 ? "yes" : "no");
	if (!capabilities) {
		probe_say("the CPU does not say which speculation bugs it lacks");
		return;
	}
	for (unsigned i = 0; i < sizeof(immune) / sizeof(*immune); i++)
		probe_say("%-9s %s", immune[i].bug,
			  capabilities >> immune[i].bit & 1 ? "not affected" : "may be affected");
}

void probe_processor(void)
{
	identity();
	virtualization();
	mitigations();
}
