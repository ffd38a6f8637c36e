/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's state on its way between the state page and the VMCB, which is memory. */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_reason.h"

/*
 * Loads everything that v->mtd selects but for the groups that svm_state_load_often() loads. Returns 0, or the reason
 * of the exit that state deserves which the kernel cannot load. Can be repeated.
 */
u32 svm_state_load_rest(struct vcpu *v) must_check;

/* Before an entry, if PENDING_CHECK: 0, or the reason with which Intel's processors refuse the state. Those of AMD
 * accept more. */
u32 svm_check(const struct vcpu *v) must_check;

/*
 * What most VMMs change: it is tested for first, and loaded without a call. The guest's RAX is in the VMCB and
 * nowhere else. The length is for events only: svm_run.c loads it with one.
 */
#define SVM_MTD_OFTEN (u64)(MTD_GPR_ACDB | MTD_RIP_LEN)

static always_inline void svm_state_load_often(struct vcpu *v, struct vmcb *b, u64 mtd)
{
	const struct utcb_state *s = v->state;

	if (likely(mtd & MTD_GPR_ACDB)) {
		b->rax = READ_ONCE(s->rax);
		BLOCK_COPY(&v->regs, s, rcx, rbx);
	}
	if (likely(mtd & MTD_RIP_LEN))
		b->rip = READ_ONCE(s->rip);
}

/* Stores what tells about an exit, everything that v->wanted selects, and ends the run. Returns its EC, which goes
 * on.
 */
struct ec *svm_state_store(struct vcpu *v, u32 reason);
/* The same without reason and RIP, which are stored already. `plain`: the exit is no exception, and has not cut the
 * delivery of an event short. */
struct ec *svm_state_store_rest(struct vcpu *v, u32 reason);
struct ec *svm_state_store_rest_plain(struct vcpu *v);

/* RAX to RBX, in the order of the numbers. */
static always_inline void svm_state_store_acdb(const struct vcpu *v, const struct vmcb *b, struct utcb_state *s)
{
	s->rax = b->rax;
	BLOCK_COPY(s, &v->regs, rcx, rbx);
}

/* The same without RIP; complete here for a VMM that asks for no more than four general registers. */
static always_inline struct ec *svm_state_store_often(struct vcpu *v, const struct vmcb *b, struct utcb_state *s,
						      u32 reason, bool plain)
{
	u64 wanted = v->wanted;

	s->exit_reason = reason;
	if (unlikely(wanted & ~(u64)MTD_GPR_ACDB))
		return plain ? svm_state_store_rest_plain(v) : svm_state_store_rest(v, reason);
	if (wanted)
		svm_state_store_acdb(v, b, s);
	return vcpu_end_run(v);
}

/*
 * The same for a run that did not end with an exit: the event that is still to be injected is shown as one whose
 * delivery was interrupted.
 */
struct ec *svm_state_store_undelivered(struct vcpu *v, u32 reason);

/* `tsc_timeout` without PENDING_TIMED. */
#define SVM_NO_TIMEOUT ((u64)~0u)

/* What the VMM asks for (svm_controls.c). */
void svm_set_controls(struct vcpu *v, u32 primary);
void svm_set_exceptions(struct vcpu *v, u32 exceptions);
/* The window bits of the primary controls. */
void svm_set_windows(struct vcpu *v, bool interrupts, bool nmis);
/* The IRET intercept, and what says that NMIs are blocked. */
void svm_set_nmi_blocked(struct vcpu *v, bool blocked);
void svm_init_controls(struct vcpu *v);

/* Control registers (svm_cr.c): as the guest is to see them, and which of their bits are not its own. */
void svm_cr_set(struct vcpu *v, u64 cr0, u64 cr4);
void svm_cr_set_monitored(struct vcpu *v, u64 cr0_mon, u64 cr4_mon);
void svm_cr_set_xcr0(struct vcpu *v, u64 xcr0);
/* EFER, which the guest cannot access without an exit. */
void svm_cr_set_efer(struct vcpu *v, u64 efer);
void svm_cr_init(struct vcpu *v);
/* CR4 bits that a guest may have. */
u64 svm_cr4_may(void);

/* What the guest reads of them. */
static always_inline u64 svm_cr0_seen(const struct vcpu *v)
{
	u64 mask = v->arch.cr0_mask;
	return (v->arch.svm.vmcb->cr0 & ~mask) | (v->arch.cr0_shadow & mask);
}

/* All writes of it exit. */
static always_inline u64 svm_cr4_seen(const struct vcpu *v)
{
	return v->arch.svm.cr4_seen;
}

/* New translations for the vCPU: it gets another ASID. */
void svm_flush(struct vcpu *v);
