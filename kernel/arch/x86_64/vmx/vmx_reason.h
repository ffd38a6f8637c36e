/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exit reasons, and what the kernel knows of each without a look at the VMCS. Those that are not in the list go to
 * the VMM without any of these properties. Manual: SDM vol. 3, appendix C; 28.1, 28.2.
 */
#pragma once

#include "lib/types.h"

/* Bit 31 of the reason: the entry has failed, and the guest has not run. */
#define REASON_FAILED (1u << 31)

enum vmx_reason_trait {
	/* The exit is more than a message to the VMM: vmx_exit.c has a function for it. */
	REASON_OF_KERNEL = 1 << 0,
	/* The guest's own instruction: no event was being delivered, and the CPU was active. */
	REASON_BY_INSTRUCTION = 1 << 1,
	/* It may come while an event is being delivered, whose delivery also ends a halt. */
	REASON_IN_DELIVERY = 1 << 2,
	/* The page tells more of it than of others: an event, or a guest-physical address. */
	REASON_TELLS_MORE = 1 << 3,
};

/* X(number, NAME, traits) */
// clang-format off
#define VMX_REASON_LIST(X) \
	X(0, EXCEPTION, REASON_TELLS_MORE) /* or an NMI */ \
	X(1, INTERRUPT, 0) /* of the kernel after vmx_exit_take_interrupts() */ \
	X(3, INIT, REASON_OF_KERNEL) \
	X(4, SIPI, REASON_OF_KERNEL) \
	X(9, TASK_SWITCH, REASON_IN_DELIVERY) \
	X(10, CPUID, REASON_BY_INSTRUCTION) \
	X(11, GETSEC, REASON_BY_INSTRUCTION) \
	X(12, HLT, REASON_BY_INSTRUCTION) \
	X(13, INVD, REASON_BY_INSTRUCTION) \
	X(14, INVLPG, REASON_BY_INSTRUCTION) \
	X(15, RDPMC, REASON_BY_INSTRUCTION) \
	X(16, RDTSC, REASON_BY_INSTRUCTION) \
	X(18, VMCALL, REASON_BY_INSTRUCTION) \
	X(19, VMCLEAR, REASON_BY_INSTRUCTION) \
	X(20, VMLAUNCH, REASON_BY_INSTRUCTION) \
	X(21, VMPTRLD, REASON_BY_INSTRUCTION) \
	X(22, VMPTRST, REASON_BY_INSTRUCTION) \
	X(23, VMREAD, REASON_BY_INSTRUCTION) \
	X(24, VMRESUME, REASON_BY_INSTRUCTION) \
	X(25, VMWRITE, REASON_BY_INSTRUCTION) \
	X(26, VMXOFF, REASON_BY_INSTRUCTION) \
	X(27, VMXON, REASON_BY_INSTRUCTION) \
	X(28, CR_ACCESS, REASON_BY_INSTRUCTION | REASON_OF_KERNEL) \
	X(29, DR_ACCESS, REASON_BY_INSTRUCTION) \
	X(30, IO, REASON_BY_INSTRUCTION) \
	X(31, RDMSR, REASON_BY_INSTRUCTION) /* of the kernel, too, after vmx_exit_hide_spec_ctrl() */ \
	X(32, WRMSR, REASON_BY_INSTRUCTION | REASON_OF_KERNEL) \
	X(33 | REASON_FAILED, BAD_STATE, REASON_OF_KERNEL) \
	X(34 | REASON_FAILED, BAD_MSR, REASON_OF_KERNEL) \
	X(36, MWAIT, REASON_BY_INSTRUCTION) \
	X(39, MONITOR, REASON_BY_INSTRUCTION) \
	X(40, PAUSE, REASON_BY_INSTRUCTION) \
	X(41 | REASON_FAILED, MACHINE_CHECK, REASON_OF_KERNEL) \
	X(44, APIC_ACCESS, REASON_IN_DELIVERY) \
	X(46, GDTR_IDTR, REASON_BY_INSTRUCTION) \
	X(47, LDTR_TR, REASON_BY_INSTRUCTION) \
	X(48, EPT_VIOLATION, REASON_IN_DELIVERY | REASON_TELLS_MORE) \
	X(49, EPT_MISCONFIG, REASON_IN_DELIVERY | REASON_TELLS_MORE) \
	X(50, INVEPT, REASON_BY_INSTRUCTION) \
	X(51, RDTSCP, REASON_BY_INSTRUCTION) \
	X(52, TIMER, REASON_OF_KERNEL) \
	X(53, INVVPID, REASON_BY_INSTRUCTION) \
	X(54, WBINVD, REASON_BY_INSTRUCTION) \
	X(55, XSETBV, REASON_BY_INSTRUCTION) \
	X(57, RDRAND, REASON_BY_INSTRUCTION) \
	X(58, INVPCID, REASON_BY_INSTRUCTION) \
	X(61, RDSEED, REASON_BY_INSTRUCTION)
// clang-format on

#define X(number, name, traits) REASON_##name = (number),
enum vmx_reason { VMX_REASON_LIST(X) };
#undef X

/* All reasons with a trait, one bit each, so that looking one up is a single BT. */
#define VMX_REASON_BIT(number, has) | (u64)((has) ? 1ull << ((number)&63) : 0)
#define VMX_REASON_OF_KERNEL(number, name, traits) VMX_REASON_BIT(number, (traits)&REASON_OF_KERNEL)
#define VMX_REASON_BY_INSTRUCTION(number, name, traits) VMX_REASON_BIT(number, (traits)&REASON_BY_INSTRUCTION)
#define VMX_REASON_IN_DELIVERY(number, name, traits) VMX_REASON_BIT(number, (traits)&REASON_IN_DELIVERY)
#define VMX_REASON_TELLS_MORE(number, name, traits) VMX_REASON_BIT(number, (traits)&REASON_TELLS_MORE)

#define VMX_REASONS_OF_KERNEL (0ull VMX_REASON_LIST(VMX_REASON_OF_KERNEL))
#define VMX_REASONS_BY_INSTRUCTION (0ull VMX_REASON_LIST(VMX_REASON_BY_INSTRUCTION))
#define VMX_REASONS_IN_DELIVERY (0ull VMX_REASON_LIST(VMX_REASON_IN_DELIVERY))
#define VMX_REASONS_TELLING_MORE (0ull VMX_REASON_LIST(VMX_REASON_TELLS_MORE))
