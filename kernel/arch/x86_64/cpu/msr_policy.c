/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual: SDM vol. 4, 2.1 (architectural MSRs), 2.17 (those of single processors); APM vol. 2, appendix A; the
 * processor programming references of AMD's families.
 */
#include "cpu/msr_policy.h"

#include "arch/machine.h"
#include "cpu/cpu.h"

enum { MSR_REFUSE_WRITE, MSR_REFUSE_ALL };

/*
 * X(first, last, what is refused, why), in the order of numbers. Besides what the kernel itself depends on: whatever
 * makes the processor write to memory, hides memory, reports machine checks elsewhere, or changes what other programs
 * see of their CPU. Numbers of different vendors do not collide.
 */
#define MSR_POLICY_LIST(X)                                                                    \
	X(0x01b, 0x01b, WRITE, "APIC_BASE: the kernel's signals would get lost")              \
	X(0x033, 0x033, WRITE, "TEST_CTRL: locked accesses of all programs would trap")       \
	X(0x03a, 0x03a, WRITE, "FEATURE_CONTROL: virtualization is the kernel's")             \
	X(0x048, 0x048, WRITE, "SPEC_CTRL: the kernel's own between runs of guests")          \
	X(0x079, 0x079, WRITE, "BIOS_UPDT_TRIG: microcode has its own hypercall")             \
	X(0x09b, 0x09b, WRITE, "SMM_MONITOR_CTL: who handles SMIs")                           \
	X(0x09e, 0x09e, WRITE, "SMBASE: where they are handled")                              \
	X(0x0bd, 0x0bd, WRITE, "XAPIC_DISABLE_STATUS: the local APIC's mode is the kernel's") \
	X(0x0e4, 0x0e4, WRITE, "PMG_IO_CAPTURE: ports at which the kernel would fall asleep") \
	X(0x122, 0x123, WRITE, "TSX_CTRL, MCU_OPT_CTRL: what stops leaks, for all programs")  \
	X(0x13c, 0x13c, WRITE, "FEATURE_CONFIG: takes instructions away from all programs")   \
	X(0x140, 0x140, WRITE, "MISC_FEATURES_ENABLES: likewise, CPUID")                      \
	X(0x150, 0x150, WRITE, "the overclocking mailbox: voltages at which CPUs miscompute") \
	X(0x174, 0x176, ALL, "SYSENTER: no such way into the kernel")                         \
	X(0x179, 0x17b, WRITE, "MCG_CAP, MCG_STATUS, MCG_CTL: machine checks")                \
	X(0x194, 0x195, WRITE, "FLEX_RATIO, OVERCLOCKING_STATUS: as the mailbox")             \
	X(0x1a0, 0x1a0, WRITE, "MISC_ENABLE: could take no-execute and MWAIT away")           \
	X(0x1c4, 0x1c5, WRITE, "XFD, XFD_ERR: extended state that faults in the kernel")      \
	X(0x1cc, 0x1d4, WRITE, "FRED: stacks and entries of the kernel")                      \
	X(0x1d9, 0x1d9, WRITE, "DEBUGCTL: would trace and trap in the kernel")                \
	X(0x1f2, 0x1f5, WRITE, "SMRR, PRMRR: hide memory")                                    \
	X(0x200, 0x26f, WRITE, "MTRRs: memory types are part of capabilities")                \
	X(0x277, 0x277, WRITE, "PAT: likewise")                                               \
	X(0x280, 0x29f, WRITE, "MCi_CTL2: signals of corrected machine checks")               \
	X(0x2a0, 0x2a7, WRITE, "PRMRR bases: hide memory")                                    \
	X(0x2e0, 0x2e7, WRITE, "NO_EVICT_MODE, LT_LOCK_MEMORY: caches and memory at boot")    \
	X(0x2f4, 0x2f5, WRITE, "UNCORE_PRMRR: hide memory")                                   \
	X(0x2ff, 0x2ff, WRITE, "MTRR_DEF_TYPE: as the MTRRs")                                 \
	X(0x3f1, 0x3f1, WRITE, "PEBS_ENABLE: writes to where DS_AREA points")                 \
	X(0x400, 0x47f, WRITE, "machine check banks")                                         \
	X(0x480, 0x491, ALL, "VMX capabilities: see the HIP")                                 \
	X(0x4d0, 0x4d0, WRITE, "MCG_EXT_CTL: who hears of machine checks")                    \
	X(0x4e0, 0x4e3, WRITE, "SMM features: what protects firmware's SMI handlers")         \
	X(0x560, 0x587, WRITE, "processor trace: writes to any physical address")             \
	X(0x600, 0x600, ALL, "DS_AREA: writes to kernel addresses")                           \
	X(0x6a0, 0x6a8, WRITE, "CET: shadow stacks of the kernel")                            \
	X(0x6e1, 0x6e1, WRITE, "PKRS: rights of the kernel to its pages")                     \
	X(0x800, 0x8ff, ALL, "x2APIC: memory-mapped for user land, the kernel's IPIs")        \
	X(0x981, 0x984, WRITE, "TME: encryption of memory")                                   \
	X(0x985, 0x98a, WRITE, "user interrupts: writes to kernel addresses")                 \
	X(0xc80, 0xc80, WRITE, "DEBUG_INTERFACE: lets debuggers into the silicon")            \
	X(0xd90, 0xd90, WRITE, "BNDCFGS: bounds of the kernel")                               \
	X(0xda0, 0xda0, WRITE, "XSS: supervisor state that nobody switches")                  \
	X(0x1400, 0x1401, WRITE, "SEAMRR: hides memory")                                      \
	X(0x14ce, 0x14cf, WRITE, "LBR_CTL: would trace the kernel")                           \
	X(0x17d0, 0x17d1, WRITE, "hardware feedback: writes to any physical address")         \
	X(0xc0000080, 0xc0000080, ALL, "EFER: paging and system calls")                       \
	X(0xc0000081, 0xc0000084, WRITE, "STAR, LSTAR, CSTAR, FMASK: the system call")        \
	X(0xc0000101, 0xc0000103, ALL, "GS bases, TSC_AUX: switched or the kernel's")         \
	X(0xc0000104, 0xc0000104, WRITE, "TSC_RATIO: the time of all guests")                 \
	X(0xc0000105, 0xc0000106, WRITE, "lightweight profiling: writes to memory")           \
	X(0xc000010f, 0xc000010f, WRITE, "DBG_EXTN_CFG: as DEBUGCTL")                         \
	X(0xc0000408, 0xc0000410, WRITE, "signals of machine checks")                         \
	X(0xc0002000, 0xc0002fff, WRITE, "machine check banks")                               \
	X(0xc0010010, 0xc0010010, WRITE, "SYSCFG: memory types and encryption")               \
	X(0xc0010015, 0xc0010015, WRITE, "HWCR: how the CPU reports errors")                  \
	X(0xc0010016, 0xc001001a, WRITE, "IORRs, TOP_MEM: what is memory and what a device")  \
	X(0xc001001d, 0xc001001d, WRITE, "TOP_MEM2: likewise")                                \
	X(0xc001001f, 0xc0010020, WRITE, "NB_CFG, PATCH_LOADER: microcode has a hypercall")   \
	X(0xc0010022, 0xc0010022, WRITE, "machine checks become SMIs")                        \
	X(0xc0010030, 0xc0010035, WRITE, "what CPUID says of the name")                       \
	X(0xc0010044, 0xc001004a, WRITE, "masks of machine checks")                           \
	X(0xc0010050, 0xc0010056, WRITE, "I/O that becomes SMIs")                             \
	X(0xc0010058, 0xc0010058, WRITE, "MMIO_CFG_BASE: where PCI is configured")            \
	X(0xc0010064, 0xc001006b, WRITE, "P-states: voltages at which CPUs miscompute")       \
	X(0xc0010070, 0xc0010070, WRITE, "COFVID_CTL: likewise")                              \
	X(0xc0010073, 0xc0010073, WRITE, "CSTATE_ADDR: as PMG_IO_CAPTURE")                    \
	X(0xc0010074, 0xc0010074, WRITE, "CPU_WDT: waits that become machine checks")         \
	X(0xc0010111, 0xc0010116, WRITE, "SMM, VM_CR: who may virtualize")                    \
	X(0xc0010117, 0xc0010117, ALL, "VM_HSAVE_PA: where VM entries save the kernel")       \
	X(0xc0010118, 0xc001011f, WRITE, "SVM_KEY, AVIC doorbell, VIRT_SPEC_CTRL")            \
	X(0xc0010130, 0xc001013f, WRITE, "SEV: encryption, who owns memory")                  \
	X(0xc0010400, 0xc001043f, WRITE, "masks of machine checks")                           \
	X(0xc0011002, 0xc0011005, WRITE, "what CPUID says")                                   \
	X(0xc0011019, 0xc001101b, WRITE, "masks of breakpoints, which nobody switches")       \
	X(0xc0011020, 0xc001102f, WRITE, "LS_CFG to DE_CFG: errata, speculation")             \
	X(0xc00110e3, 0xc00110e3, WRITE, "SPECTRAL_CHICKEN: likewise")

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
