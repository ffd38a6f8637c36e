/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware, or a kernel before this one, may have left tracing, sampling, breakpoints or supervisor state switched
 * on, which would go on in the kernel or be seen by programs; user land may not write most of these (msr_policy.c).
 * What works around errata or stops leaks (MISC_ENABLE, TSX_CTRL, SPEC_CTRL) stays as firmware has it. Manual: SDM
 * vol. 4, 2.1, vol. 3, 18.2 (debug registers); APM vol. 2, appendix A.
 */
#include "cpu/leftovers.h"

#include "cpu/cpu.h"

/* Set to 0. No vendor uses these numbers for anything else, so a write that may fault does not ask first who made the
 * CPU. */
static const u32 msrs[] = {
	0x0e1,      /* UMWAIT_CONTROL: how long programs may wait */
	0x140,      /* MISC_FEATURES_ENABLES: CPUID of programs faults */
	0x1c4,      /* XFD: extended state that faults */
	0x1d9,      /* DEBUGCTL: branch traces and traps */
	0x38f,      /* PERF_GLOBAL_CTRL: counters, whose overflows are NMIs */
	0x3f1,      /* PEBS_ENABLE: samples, written to memory */
	0x570,      /* RTIT_CTL: processor trace, likewise */
	0x6a0,      /* U_CET */
	0x6a2,      /* S_CET */
	0x6e1,      /* PKRS */
	0xd90,      /* BNDCFGS */
	0xda0,      /* XSS */
	0x14ce,     /* LBR_CTL: branch records */
	0x17d1,     /* HW_FEEDBACK_CONFIG: tables, written to memory */
	0xc0000301, /* AMD's PERF_CNT_GLOBAL_CTL */
	0xc0000103, /* TSC_AUX, which programs read */
};

/* AMD's: how fast the time of guests passes, by 2^32. APM vol. 2, 15.30.5. */
#define MSR_TSC_RATIO 0xc0000104
#define TSC_RATIO_RESET (1ull << 32)

#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400

/* Breakpoints are switched off in DR7, and first, so that none hits here. The addresses in DR0 to DR3 mean nothing
 * then. */
void leftovers_reset(void)
{
	__asm__ volatile("mov %0, %%db7" : : "r"((u64)DR7_RESET));
	__asm__ volatile("mov %0, %%db6" : : "r"((u64)DR6_RESET));
	for (unsigned i = 0; i < array_size(msrs); i++)
		(void)!msr_write_safe(msrs[i], 0);
	(void)!msr_write_safe(MSR_TSC_RATIO, TSC_RATIO_RESET);
}
