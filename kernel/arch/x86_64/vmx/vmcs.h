/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of the VMCS and bits of its controls. Manual: SDM vol. 3, appendix B (encodings), 25.6..25.9 (controls). */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

enum vmcs_field {
	VMCS_VPID = 0x0000,

	/* Segments: eight in this order, two apart; GDTR and IDTR have limit and base. */
	VMCS_GUEST_ES_SEL = 0x0800,
	VMCS_GUEST_ES_LIMIT = 0x4800,
	VMCS_GUEST_ES_AR = 0x4814,
	VMCS_GUEST_ES_BASE = 0x6806,

	VMCS_GUEST_INTR_STATUS = 0x0810,

	VMCS_HOST_ES_SEL = 0x0c00,
	VMCS_HOST_CS_SEL = 0x0c02,
	VMCS_HOST_SS_SEL = 0x0c04,
	VMCS_HOST_DS_SEL = 0x0c06,
	VMCS_HOST_FS_SEL = 0x0c08,
	VMCS_HOST_GS_SEL = 0x0c0a,
	VMCS_HOST_TR_SEL = 0x0c0c,

	VMCS_IO_BITMAP_A = 0x2000,
	VMCS_IO_BITMAP_B = 0x2002,
	VMCS_MSR_BITMAP = 0x2004,
	VMCS_TSC_OFFSET = 0x2010,
	VMCS_VIRTUAL_APIC = 0x2012,
	VMCS_APIC_ACCESS = 0x2014,
	VMCS_EPTP = 0x201a,
	VMCS_EOI_BITMAP = 0x201c, /* four, two apart */
	VMCS_XSS_EXITING = 0x202c,
	VMCS_GUEST_PHYSICAL = 0x2400,
	VMCS_LINK = 0x2800,
	VMCS_GUEST_DEBUGCTL = 0x2802,
	VMCS_GUEST_PAT = 0x2804,
	VMCS_GUEST_EFER = 0x2806,
	VMCS_GUEST_PDPTE = 0x280a, /* four, two apart */
	VMCS_HOST_PAT = 0x2c00,
	VMCS_HOST_EFER = 0x2c02,

	VMCS_PIN = 0x4000,
	VMCS_PRIMARY = 0x4002,
	VMCS_EXC_BITMAP = 0x4004,
	VMCS_PF_MASK = 0x4006,
	VMCS_PF_MATCH = 0x4008,
	VMCS_CR3_TARGETS = 0x400a,
	VMCS_EXIT_CONTROLS = 0x400c,
	VMCS_EXIT_MSR_STORES = 0x400e,
	VMCS_EXIT_MSR_LOADS = 0x4010,
	VMCS_ENTRY_CONTROLS = 0x4012,
	VMCS_ENTRY_MSR_LOADS = 0x4014,
	VMCS_ENTRY_INTR_INFO = 0x4016,
	VMCS_ENTRY_INTR_ERROR = 0x4018,
	VMCS_ENTRY_INST_LEN = 0x401a,
	VMCS_TPR_THRESHOLD = 0x401c,
	VMCS_SECONDARY = 0x401e,
	VMCS_PLE_GAP = 0x4020,
	VMCS_PLE_WINDOW = 0x4022,

	VMCS_EXIT_REASON = 0x4402,
	VMCS_EXIT_INTR_INFO = 0x4404,
	VMCS_EXIT_INTR_ERROR = 0x4406,
	VMCS_VECTORING_INFO = 0x4408,
	VMCS_VECTORING_ERROR = 0x440a,
	VMCS_EXIT_INST_LEN = 0x440c,

	VMCS_GUEST_GDTR_LIMIT = 0x4810,
	VMCS_GUEST_IDTR_LIMIT = 0x4812,
	VMCS_GUEST_INTR_STATE = 0x4824,
	VMCS_GUEST_ACTV_STATE = 0x4826,
	VMCS_GUEST_SYSENTER_CS = 0x482a,
	VMCS_TIMER = 0x482e,
	VMCS_HOST_SYSENTER_CS = 0x4c00,

	VMCS_CR0_MASK = 0x6000,
	VMCS_CR4_MASK = 0x6002,
	VMCS_CR0_SHADOW = 0x6004,
	VMCS_CR4_SHADOW = 0x6006,
	VMCS_EXIT_QUAL = 0x6400,
	VMCS_GUEST_CR0 = 0x6800,
	VMCS_GUEST_CR3 = 0x6802,
	VMCS_GUEST_CR4 = 0x6804,
	VMCS_GUEST_GDTR_BASE = 0x6816,
	VMCS_GUEST_IDTR_BASE = 0x6818,
	VMCS_GUEST_DR7 = 0x681a,
	VMCS_GUEST_RSP = 0x681c,
	VMCS_GUEST_RIP = 0x681e,
	VMCS_GUEST_RFLAGS = 0x6820,
	VMCS_GUEST_PENDING_DEBUG = 0x6822,
	VMCS_GUEST_SYSENTER_RSP = 0x6824,
	VMCS_GUEST_SYSENTER_RIP = 0x6826,
	VMCS_HOST_CR0 = 0x6c00,
	VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_FS_BASE = 0x6c06,
	VMCS_HOST_GS_BASE = 0x6c08,
	VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c,
	VMCS_HOST_IDTR_BASE = 0x6c0e,
	VMCS_HOST_SYSENTER_RSP = 0x6c10,
	VMCS_HOST_SYSENTER_RIP = 0x6c12,
	VMCS_HOST_RSP = 0x6c14,
	VMCS_HOST_RIP = 0x6c16,
};

enum vmcs_segment { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR };

#define PIN_INTERRUPTS (1u << 0)
#define PIN_NMI (1u << 3)
#define PIN_VIRTUAL_NMI (1u << 5)
#define PIN_TIMER (1u << 6)

#define PRI_INTERRUPT_WINDOW (1u << 2)
#define PRI_HLT (1u << 7)
#define PRI_CR8_LOAD (1u << 19)
#define PRI_CR8_STORE (1u << 20)
#define PRI_TPR_SHADOW (1u << 21)
#define PRI_NMI_WINDOW (1u << 22)
#define PRI_IO_ALL (1u << 24)
#define PRI_IO_BITMAPS (1u << 25)
#define PRI_MSR_BITMAPS (1u << 28)
#define PRI_TERTIARY (1u << 17)
#define PRI_SECONDARY (1u << 31)

#define SEC_VIRTUAL_APIC (1u << 0)
#define SEC_EPT (1u << 1)
#define SEC_DESCRIPTORS (1u << 2)
#define SEC_RDTSCP (1u << 3)
#define SEC_X2APIC (1u << 4)
#define SEC_VPID (1u << 5)
#define SEC_WBINVD (1u << 6)
#define SEC_UNRESTRICTED (1u << 7)
#define SEC_APIC_REGISTERS (1u << 8)
#define SEC_VIRTUAL_INTERRUPTS (1u << 9)
#define SEC_PAUSE_LOOP (1u << 10)
#define SEC_RDRAND (1u << 11)
#define SEC_INVPCID (1u << 12)
#define SEC_RDSEED (1u << 16)
#define SEC_XSAVES (1u << 20)
#define SEC_USER_WAIT (1u << 26)

#define EXIT_SAVE_DEBUG (1u << 2)
#define EXIT_HOST_64 (1u << 9)
#define EXIT_SAVE_PAT (1u << 18)
#define EXIT_LOAD_PAT (1u << 19)
#define EXIT_SAVE_EFER (1u << 20)
#define EXIT_LOAD_EFER (1u << 21)
#define EXIT_SAVE_TIMER (1u << 22)

#define ENTRY_LOAD_DEBUG (1u << 2)
#define ENTRY_IA32E (1u << 9)
#define ENTRY_LOAD_PAT (1u << 14)
#define ENTRY_LOAD_EFER (1u << 15)

/* Interruption information, in both directions; the window bits are the interface's (docs/abi.md). */
#define INTR_VALID (1u << 31)
#define INTR_VECTOR_MASK 0xffu
#define INTR_TYPE_MASK 0x700u
#define INTR_TYPE_NMI 0x200u
#define INTR_TYPE_INT1 0x500u
#define INTR_ERROR_VALID (1u << 11)
#define INTR_NMI_UNBLOCKED (1u << 12) /* on exit only: an IRET had unblocked NMIs and then met the exception */
#define INTR_WANT_WINDOW (1u << 12)
#define INTR_WANT_NMI_WINDOW (1u << 13)

/*
 * What always exits: #AC is shown to the VMM (the delivery may cause the next one without an end, CVE-2015-5307), the
 * others are the kernel's business first (vmx_event.c).
 */
#define VECTOR_DB 1
#define VECTOR_NMI 2
#define VECTOR_UD 6
#define VECTOR_AC 17
#define VECTOR_MC 18
#define EXCEPTIONS_SHOWN (1u << VECTOR_AC)
#define EXCEPTIONS_KEPT (1u << VECTOR_DB | 1u << VECTOR_MC)

#define INTR_STATE_STI (1u << 0)
#define INTR_STATE_MOV_SS (1u << 1)
#define INTR_STATE_SMI (1u << 2)
#define INTR_STATE_NMI (1u << 3)

enum vmcs_activity { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_SIPI };

/* Fields that do not exist are a bug, so nothing is checked. */
static always_inline u64 vmread(u64 field)
{
	u64 v;
	__asm__ volatile("vmread %1, %0" : "=r"(v) : "r"(field) : "cc");
	return v;
}

/* Always writes 8 bytes: what lies behind a shorter member has to be written afterwards. */
static always_inline void vmread_to(u64 field, void *to)
{
	__asm__ volatile("vmread %1, %0" : "=m"(*(u64 *)to) : "r"(field) : "cc", "memory");
}

/* Reads 8 bytes, of which the field takes what it has. One access: for memory that changes. */
static always_inline void vmwrite_from(u64 field, const void *from)
{
	__asm__ volatile("vmwrite %0, %1" : : "m"(*(const u64 *)from), "r"(field) : "cc");
}

static always_inline void vmwrite(u64 field, u64 v)
{
	__asm__ volatile("vmwrite %0, %1" : : "rm"(v), "r"(field) : "cc");
}
