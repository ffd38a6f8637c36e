/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offsets for assembly: only ASM_OFFSET lines. Compiled to make asm_offsets.h. */
#include "core/ec.h"
#include "core/percpu.h"
#include "core/pt.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "entry/frame.h"
#include "mm/layout.h"
#include "space/cap.h"

#include <hedron/abi.h>

#define ASM_CONST(name, value) __asm__ volatile("\n.ascii \"=>" #name " %c0\\n\"" : : "i"(value))
#define ASM_OFFSET(name, type, member) ASM_CONST(name, offsetof(type, member))

_Static_assert(HC_SM_CTRL == HC_PT_CTRL + 1, "entry_syscall in entry.S");
_Static_assert(sizeof(struct cap_slot) == 1 << CAP_SLOT_SHIFT && offsetof(struct cap_slot, cap) == 0,
	       "lookup in fastcall.S");

void asm_offsets(void);
void asm_offsets(void)
{
	ASM_OFFSET(CPU_EC, struct cpu, ec);
	ASM_OFFSET(CPU_HAZARD, struct cpu, hazard);
	ASM_OFFSET(CPU_ATTENTION, struct cpu, attention);
	ASM_OFFSET(CPU_MAILBOX, struct cpu, mailbox);
	ASM_OFFSET(CPU_SLEEPING, struct cpu, sleeping);
	ASM_CONST(ASM_HAZARD_REMOTE, HAZARD_REMOTE);
	ASM_CONST(ASM_HAZARD_VCPU, HAZARD_VCPU);
	ASM_CONST(ASM_SLEEPING_HALTED, SLEEPING_HALTED);
	ASM_OFFSET(FRAME_VECTOR, struct trap_frame, vector);
	ASM_OFFSET(FRAME_RIP, struct trap_frame, rip);
	ASM_OFFSET(FRAME_RFLAGS, struct trap_frame, rflags);
	ASM_OFFSET(FRAME_RSP, struct trap_frame, rsp);
	ASM_OFFSET(EC_CONT, struct ec, cont);
	ASM_OFFSET(EC_RAX, struct ec, regs.rax);
	ASM_OFFSET(EC_RCX, struct ec, regs.rcx);
	ASM_OFFSET(EC_RDX, struct ec, regs.rdx);
	ASM_OFFSET(EC_RBX, struct ec, regs.rbx);
	ASM_OFFSET(EC_RSP, struct ec, regs.rsp);
	ASM_OFFSET(EC_RBP, struct ec, regs.rbp);
	ASM_OFFSET(EC_RSI, struct ec, regs.rsi);
	ASM_OFFSET(EC_RDI, struct ec, regs.rdi);
	ASM_OFFSET(EC_R8, struct ec, regs.r8);
	ASM_OFFSET(EC_R9, struct ec, regs.r9);
	ASM_OFFSET(EC_R10, struct ec, regs.r10);
	ASM_OFFSET(EC_R11, struct ec, regs.r11);
	ASM_OFFSET(EC_R12, struct ec, regs.r12);
	ASM_OFFSET(EC_R13, struct ec, regs.r13);
	ASM_OFFSET(EC_R14, struct ec, regs.r14);
	ASM_OFFSET(EC_R15, struct ec, regs.r15);
	ASM_OFFSET(EC_RIP, struct ec, regs.rip);
	ASM_OFFSET(EC_RFLAGS, struct ec, regs.rflags);
	ASM_OFFSET(EC_CR2, struct ec, regs.cr2);
	ASM_OFFSET(EC_ERROR, struct ec, regs.error);
	ASM_OFFSET(EC_UTCB, struct ec, utcb); /* for tests/checks/speculation_check.py, like VCPU_STATE */
	ASM_OFFSET(VCPU_STATE, struct vcpu, state);
	ASM_OFFSET(CPU_SPACE, struct cpu, space);
	ASM_OFFSET(CPU_VCPU, struct cpu, vcpu);
	ASM_OFFSET(CPU_TR_SHORT, struct cpu, tr_short);
	ASM_OFFSET(VCPU_RAX, struct vcpu, regs.rax);
	ASM_OFFSET(VCPU_RCX, struct vcpu, regs.rcx);
	ASM_OFFSET(VCPU_RDX, struct vcpu, regs.rdx);
	ASM_OFFSET(VCPU_RBX, struct vcpu, regs.rbx);
	ASM_OFFSET(VCPU_RBP, struct vcpu, regs.rbp);
	ASM_OFFSET(VCPU_RSI, struct vcpu, regs.rsi);
	ASM_OFFSET(VCPU_RDI, struct vcpu, regs.rdi);
	ASM_OFFSET(VCPU_R8, struct vcpu, regs.r8);
	ASM_OFFSET(VCPU_R9, struct vcpu, regs.r9);
	ASM_OFFSET(VCPU_R10, struct vcpu, regs.r10);
	ASM_OFFSET(VCPU_R11, struct vcpu, regs.r11);
	ASM_OFFSET(VCPU_R12, struct vcpu, regs.r12);
	ASM_OFFSET(VCPU_R13, struct vcpu, regs.r13);
	ASM_OFFSET(VCPU_R14, struct vcpu, regs.r14);
	ASM_OFFSET(VCPU_R15, struct vcpu, regs.r15);
	ASM_OFFSET(KOBJECT_TYPE, struct kobject, type);
	ASM_OFFSET(SM_STATE, struct sm, state);
	ASM_OFFSET(PT_ID, struct pt, id);
	ASM_CONST(ASM_CAP_SLOT_SHIFT, CAP_SLOT_SHIFT);
	ASM_CONST(ASM_KOBJECT_ALIGN, KOBJECT_ALIGN);
	ASM_CONST(ASM_KOBJ_SM, KOBJ_SM);
	ASM_CONST(ASM_KOBJ_PT, KOBJ_PT);
	ASM_CONST(ASM_HC_PT_CTRL, HC_PT_CTRL);
	ASM_CONST(ASM_SM_CTRL_DOWN, SM_CTRL_DOWN);
	ASM_CONST(ASM_SM_CTRL_ZERO, SM_CTRL_ZERO);
	ASM_CONST(ASM_PERM_SM_UP, PERM_SM_UP);
	ASM_CONST(ASM_PERM_SM_DOWN, PERM_SM_DOWN);
	ASM_CONST(ASM_PERM_PT_CTRL, PERM_PT_CTRL);
	ASM_OFFSET(VCPU_SPECIAL, struct vcpu, arch.special);
	ASM_CONST(ASM_SPECIAL_FIRST, SPECIAL_FIRST);
	ASM_CONST(ASM_CONT_SYSRET, CONT_SYSRET);
	ASM_CONST(ASM_CONT_IRET, CONT_IRET);
}
