/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that assembly knows of C: offsets of members, and constants. asm_offsets.c makes asm_offsets.h of this list,
 * and asm_verify.c compares that with what the kernel is compiled with. Whoever expands ASM_LIST defines
 * ASM_CONST(name, value).
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "core/pt.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "entry/frame.h"
#include "entry/gpr.h"
#include "entry/restart.h"
#include "mm/layout.h"
#include "space/cap.h"

#include <hedron/abi.h>

#define ASM_OFFSET(name, type, member) ASM_CONST(name, offsetof(type, member))
#define ASM_EC_GPR(reg, REG) ASM_OFFSET(EC_##REG, struct ec, regs.reg)
#define ASM_VCPU_GPR(reg, REG) ASM_OFFSET(VCPU_##REG, struct vcpu, regs.reg)

/* EC_UTCB and VCPU_STATE are for tests/checks/speculation_check.py. */
#define ASM_LIST                                                     \
	ASM_OFFSET(CPU_EC, struct cpu, ec)                           \
	ASM_OFFSET(CPU_SPACE, struct cpu, space)                     \
	ASM_OFFSET(CPU_VCPU, struct cpu, vcpu)                       \
	ASM_OFFSET(CPU_HAZARD, struct cpu, hazard)                   \
	ASM_OFFSET(CPU_ATTENTION, struct cpu, attention)             \
	ASM_OFFSET(CPU_MAILBOX, struct cpu, mailbox)                 \
	ASM_OFFSET(CPU_SLEEPING, struct cpu, sleeping)               \
	ASM_OFFSET(CPU_TR_SHORT, struct cpu, tr_short)               \
	ASM_CONST(ASM_HAZARD_REMOTE, HAZARD_REMOTE)                  \
	ASM_CONST(ASM_HAZARD_VCPU, HAZARD_VCPU)                      \
	ASM_CONST(ASM_SLEEPING_HALTED, SLEEPING_HALTED)              \
                                                                     \
	ASM_CONST(FRAME_SIZE, sizeof(struct trap_frame))             \
	ASM_OFFSET(FRAME_VECTOR, struct trap_frame, vector)          \
	ASM_OFFSET(FRAME_RIP, struct trap_frame, rip)                \
	ASM_OFFSET(FRAME_CS, struct trap_frame, cs)                  \
	ASM_OFFSET(FRAME_RFLAGS, struct trap_frame, rflags)          \
	ASM_OFFSET(FRAME_RSP, struct trap_frame, rsp)                \
	ASM_OFFSET(FRAME_SS, struct trap_frame, ss)                  \
	ASM_CONST(RETURN_SIZE, sizeof(struct entry_return_words))    \
	ASM_OFFSET(RETURN_RFLAGS, struct entry_return_words, rflags) \
	ASM_OFFSET(RETURN_RIP, struct entry_return_words, rip)       \
	ASM_CONST(ASM_RESTART_CONT_KEPT, RESTART_CONT_KEPT)          \
                                                                     \
	GPR_LIST(ASM_EC_GPR)                                         \
	ASM_OFFSET(EC_RIP, struct ec, regs.rip)                      \
	ASM_OFFSET(EC_RFLAGS, struct ec, regs.rflags)                \
	ASM_OFFSET(EC_CR2, struct ec, regs.cr2)                      \
	ASM_OFFSET(EC_ERROR, struct ec, regs.error)                  \
	ASM_OFFSET(EC_CONT, struct ec, cont)                         \
	ASM_OFFSET(EC_UTCB, struct ec, utcb)                         \
	ASM_CONST(ASM_CONT_SYSRET, CONT_SYSRET)                      \
	ASM_CONST(ASM_CONT_IRET, CONT_IRET)                          \
                                                                     \
	GPR_LIST(ASM_VCPU_GPR)                                       \
	ASM_OFFSET(VCPU_STATE, struct vcpu, state)                   \
	ASM_OFFSET(VCPU_PENDING, struct vcpu, arch.pending)          \
	ASM_CONST(ASM_PENDING_LAUNCH, PENDING_LAUNCH)                \
	ASM_OFFSET(VCPU_VMCB_PA, struct vcpu, arch.svm.vmcb_pa)      \
                                                                     \
	ASM_OFFSET(KOBJECT_TYPE, struct kobject, type)               \
	ASM_OFFSET(SM_STATE, struct sm, state)                       \
	ASM_OFFSET(PT_ID, struct pt, id)                             \
	ASM_CONST(ASM_CAP_SLOT_SHIFT, CAP_SLOT_SHIFT)                \
	ASM_CONST(ASM_KOBJECT_ALIGN, KOBJECT_ALIGN)                  \
	ASM_CONST(ASM_KOBJ_SM, KOBJ_SM)                              \
	ASM_CONST(ASM_KOBJ_PT, KOBJ_PT)                              \
	ASM_CONST(ASM_PERM_SM_UP, PERM_SM_UP)                        \
	ASM_CONST(ASM_PERM_SM_DOWN, PERM_SM_DOWN)                    \
	ASM_CONST(ASM_PERM_PT_CTRL, PERM_PT_CTRL)                    \
                                                                     \
	ASM_CONST(ASM_HC_REPLY, HC_REPLY)                            \
	ASM_CONST(ASM_HC_PT_CTRL, HC_PT_CTRL)                        \
	ASM_CONST(ASM_HC_SM_CTRL, HC_SM_CTRL)                        \
	ASM_CONST(ASM_SM_CTRL_DOWN, SM_CTRL_DOWN)                    \
	ASM_CONST(ASM_SM_CTRL_ZERO, SM_CTRL_ZERO)
