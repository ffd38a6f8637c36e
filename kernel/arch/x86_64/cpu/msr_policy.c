/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 4, 2.1 (architectural MSRs). */
#include "cpu/msr_policy.h"

#include "arch/arch.h"
#include "cpu/cpu.h"

enum { MSR_REFUSE_WRITE, MSR_REFUSE_ALL };

/* X(first, last, what is refused, why) */
#define MSR_POLICY_LIST(X)                                                             \
	X(0x01b, 0x01b, WRITE, "APIC_BASE: the kernel's signals would get lost")       \
	X(0x03a, 0x03a, WRITE, "FEATURE_CONTROL: virtualization is the kernel's")      \
	X(0x079, 0x079, WRITE, "BIOS_UPDT_TRIG: microcode has its own hypercall")      \
	X(0x174, 0x176, ALL, "SYSENTER: no such way into the kernel")                  \
	X(0x1a0, 0x1a0, WRITE, "MISC_ENABLE: could take no-execute and MWAIT away")    \
	X(0x1d9, 0x1d9, WRITE, "DEBUGCTL: would trace and trap in the kernel")         \
	X(0x200, 0x26f, WRITE, "MTRRs: memory types are part of capabilities")         \
	X(0x277, 0x277, WRITE, "PAT: likewise")                                        \
	X(0x2ff, 0x2ff, WRITE, "MTRR_DEF_TYPE: likewise")                              \
	X(0x480, 0x491, ALL, "VMX capabilities: see the HIP")                          \
	X(0x560, 0x587, WRITE, "processor trace: writes to any physical address")      \
	X(0x600, 0x600, ALL, "DS_AREA: writes to kernel addresses")                    \
	X(0x6a0, 0x6a8, WRITE, "CET: shadow stacks of the kernel")                     \
	X(0x800, 0x8ff, ALL, "x2APIC: memory-mapped for user land, the kernel's IPIs") \
	X(0xda0, 0xda0, WRITE, "XSS: supervisor state that nobody switches")           \
	X(0xc0000080, 0xc0000080, ALL, "EFER: paging and system calls")                \
	X(0xc0000081, 0xc0000084, WRITE, "STAR, LSTAR, CSTAR, FMASK: the system call") \
	X(0xc0010010, 0xc0010010, WRITE, "SYSCFG: memory types and encryption")        \
	X(0xc0010015, 0xc0010015, WRITE, "HWCR: how the CPU reports errors")           \
	X(0xc0000101, 0xc0000103, ALL, "GS bases, TSC_AUX: switched or the kernel's")

bool msr_policy_allows(u64 msr, bool write)
{
#define X(first, last, what, why)                                                          \
	if (msr >= first && msr <= last && (write || MSR_REFUSE_##what == MSR_REFUSE_ALL)) \
		return false;
	MSR_POLICY_LIST(X)
#undef X
	return msr <= 0xffffffff;
}

enum status arch_msr_access(u64 msr, bool write, u64 *value)
{
	if (!msr_policy_allows(msr, write))
		return BAD_PAR;
	if (write)
		return msr_write_safe((u32)msr, *value) ? SUCCESS : BAD_PAR;
	return msr_read_safe((u32)msr, value) ? SUCCESS : BAD_PAR;
}
