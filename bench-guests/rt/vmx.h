/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of Intel VMX that a virtual-machine monitor meets in a vCPU's state page.
 * Manual: Intel SDM volume 3, "VMX basic exit reasons" and "VM-execution control fields".
 */
#pragma once

/* exit_reason. */
enum vmx_exit {
	VMX_EXCEPTION = 0, /* or NMI */
	VMX_INTERRUPT = 1,
	VMX_TRIPLE_FAULT = 2,
	VMX_INIT = 3,
	VMX_SIPI = 4,
	VMX_INTR_WINDOW = 7,
	VMX_NMI_WINDOW = 8,
	VMX_TASK_SWITCH = 9,
	VMX_CPUID = 10,
	VMX_GETSEC = 11,
	VMX_HLT = 12,
	VMX_INVD = 13,
	VMX_INVLPG = 14,
	VMX_RDPMC = 15,
	VMX_RDTSC = 16,
	VMX_VMCALL = 18,
	VMX_VMCLEAR = 19,
	VMX_VMLAUNCH = 20,
	VMX_VMPTRLD = 21,
	VMX_VMPTRST = 22,
	VMX_VMREAD = 23,
	VMX_VMRESUME = 24,
	VMX_VMWRITE = 25,
	VMX_VMXOFF = 26,
	VMX_VMXON = 27,
	VMX_CR = 28,
	VMX_DR = 29,
	VMX_IO = 30,
	VMX_RDMSR = 31,
	VMX_WRMSR = 32,
	VMX_MWAIT = 36,
	VMX_TRAP_FLAG = 37,
	VMX_MONITOR = 39,
	VMX_PAUSE = 40,
	VMX_TPR = 43,
	VMX_APIC_ACCESS = 44,
	VMX_EOI = 45,
	VMX_GDT_IDT = 46,
	VMX_LDT_TR = 47,
	VMX_EPT_VIOLATION = 48,
	VMX_EPT_MISCONFIG = 49,
	VMX_INVEPT = 50,
	VMX_RDTSCP = 51,
	VMX_TIMER = 52,
	VMX_INVVPID = 53,
	VMX_WBINVD = 54,
	VMX_XSETBV = 55,
	VMX_APIC_WRITE = 56,
	VMX_RDRAND = 57,
	VMX_INVPCID = 58,
	VMX_RDSEED = 61,
	/* The kernel's own. */
	VMX_NO_ENTRY = 253, /* the instruction that enters the guest failed at once */
	VMX_POKED = 255,
};

#define VMX_BAD_STATE 0x80000021u /* entry failed: invalid guest state */

/* ctrl[0]. */
enum {
	VMX_CTRL0_INTR_WINDOW = 1 << 2,
	VMX_CTRL0_TSC_OFFSET = 1 << 3,
	VMX_CTRL0_HLT = 1 << 7,
	VMX_CTRL0_INVLPG = 1 << 9,
	VMX_CTRL0_MWAIT = 1 << 10,
	VMX_CTRL0_RDPMC = 1 << 11,
	VMX_CTRL0_RDTSC = 1 << 12,
	VMX_CTRL0_CR3_LOAD = 1 << 15,
	VMX_CTRL0_CR3_STORE = 1 << 16,
	VMX_CTRL0_CR8_LOAD = 1 << 19,
	VMX_CTRL0_CR8_STORE = 1 << 20,
	VMX_CTRL0_TPR_SHADOW = 1 << 21,
	VMX_CTRL0_DR = 1 << 23,
	VMX_CTRL0_IO_BITMAPS = 1 << 25,
	VMX_CTRL0_TRAP_FLAG = 1 << 27,
	VMX_CTRL0_MSR_BITMAPS = 1 << 28,
	VMX_CTRL0_MONITOR = 1 << 29,
	VMX_CTRL0_PAUSE = 1 << 30,
};

/* ctrl[1]; which of them there are, the HIP says. */
enum {
	VMX_CTRL1_APIC_ACCESS = 1 << 0,
	VMX_CTRL1_EPT = 1 << 1,
	VMX_CTRL1_TABLES = 1 << 2, /* LGDT, SLDT and the like */
	VMX_CTRL1_RDTSCP = 1 << 3,
	VMX_CTRL1_VPID = 1 << 5,
	VMX_CTRL1_WBINVD = 1 << 6,
	VMX_CTRL1_UNRESTRICTED = 1 << 7,
	VMX_CTRL1_APIC_REGISTERS = 1 << 8,
	VMX_CTRL1_VINTR = 1 << 9,
	VMX_CTRL1_RDRAND = 1 << 11,
	VMX_CTRL1_INVPCID = 1 << 12,
	VMX_CTRL1_RDSEED = 1 << 16,
};

/* intr_info and vect_info. */
enum {
	VMX_EVENT_INTR = 0 << 8,
	VMX_EVENT_NMI = 2 << 8,
	VMX_EVENT_EXCEPTION = 3 << 8,
	VMX_EVENT_SOFT_INTR = 4 << 8,
	VMX_EVENT_PRIVILEGED = 5 << 8, /* INT1 */
	VMX_EVENT_SOFT_EXCEPTION = 6 << 8,
	VMX_EVENT_ERROR = 1 << 11,            /* intr_error is its error code */
	VMX_EVENT_WANT_INTR_WINDOW = 1 << 12, /* on entry only */
	VMX_EVENT_WANT_NMI_WINDOW = 1 << 13,
};
#define VMX_EVENT_VALID 0x80000000u

/* intr_state, actv_state. */
enum {
	VMX_BLOCKED_STI = 1,
	VMX_BLOCKED_SS = 2,
	VMX_BLOCKED_NMI = 8,
	VMX_ACTIVE = 0,
	VMX_HALTED = 1,
	VMX_SHUTDOWN = 2,
	VMX_WAIT_SIPI = 3,
};

/* Access rights as the state page packs them: bits 15:12 of VMX are 11:8 here, its bit 16 is bit 12. */
enum {
	VMX_AR_CODE16 = 0x09b,
	VMX_AR_CODE32 = 0xc9b,
	VMX_AR_CODE64 = 0xa9b,
	VMX_AR_DATA16 = 0x093,
	VMX_AR_DATA32 = 0xc93,
	VMX_AR_TSS = 0x08b,
	VMX_AR_LDT = 0x082,
	VMX_AR_RING3 = 0x060,
	VMX_AR_LONG = 0x200, /* of code */
	VMX_AR_UNUSABLE = 0x1000,
};
