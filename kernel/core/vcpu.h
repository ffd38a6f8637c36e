/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPU: passive; it runs inside of an EC's VCPU_CTRL run, on its CPU. State travels in a kernel page that user
 * land can write at any time (struct utcb, `state`): every word is read once, and nothing in it is trusted.
 *
 * A run is in progress from the hypercall until it returns, also while its EC is preempted: `ec` and ec->vcpu say so.
 *
 * Locking: none; all but the last two groups belongs to the vCPU's CPU. Lifetime: it refers to its PD and its three
 * kernel pages; it is dismantled on its CPU, which ends a run in progress.
 */
#pragma once

#include "arch/vcpu.h" /* struct arch_vcpu, for the architecture's own things */
#include "core/ec.h"
#include "space/kobject.h"

#include <hedron/utcb.h>

struct cpu;
struct ec;
struct kp;
struct pd;

/* `exit_reason` of a run that was poked, and of one whose VM entry was refused. Others are the hardware's. */
#define VCPU_EXIT_POKED 255
#define VCPU_EXIT_REFUSED 253

/* `exit_flags`: a passthrough guest is to get an NMI. */
#define VCPU_FLAG_NMI 1u

/* `wanted` of the published interface, which gives back everything. */
#define VCPU_WANT_ALL (~0ul)

struct vcpu {
	struct kobject obj;

	/* its CPU's */
	struct regs regs; /* the guest's, while it is not running: rax..r15 without rsp, and cr2 */
	struct ec *ec;    /* the EC whose run is in progress, or NULL */
	u64 mtd;          /* what the VMM changed in the state page since the last attempt to enter */
	u64 wanted;       /* what it wants to see afterwards: an MTD */
	struct arch_vcpu arch;

	/* immutable */
	u32 cpu_id;
	struct pd *pd;
	struct utcb_state *state;
	struct kp *state_kp, *vlapic_kp, *fpu_kp;

	/* written by all CPUs */
	bool poked;     /* the run in progress, or the next one, is to end; atomic */
	bool poke_sent; /* atomic; `poke` is on its way: whoever sets it sends, the vCPU's CPU clears it */
	struct work poke;
};

struct vcpu_config {
	struct pd *pd;
	struct kp *state, *vlapic, *fpu;
	u32 cpu_id;
};

void vcpu_init_cache(void);
/* BAD_FTR: the machine has no virtualization. BAD_CAP: something of it is dying. */
enum status vcpu_create(const struct vcpu_config *cfg, struct vcpu **out) must_check;

/*
 * `self` runs it. SUCCESS: the exit reason is in the state page, or HAZARD_VCPU sees to the rest, or this does not
 * return (arch_vcpu_begin()). BAD_CPU, BUSY.
 * `mtd` and `wanted` as in the struct.
 */
enum status vcpu_run(struct vcpu *v, u64 mtd, u64 wanted, struct ec *self) must_check;
enum status vcpu_poke_slow(struct vcpu *v);

/* Ends its run in progress, or else its next one, as soon as possible. `self` is the running EC, of any CPU. */
static always_inline enum status vcpu_poke(struct vcpu *v, const struct ec *self)
{
	if (unlikely(v->cpu_id != self->cpu_id))
		return vcpu_poke_slow(v);
	WRITE_ONCE(v->poked, true);
	return SUCCESS;
}

/* Ends the run in progress. Returns its EC, which goes on behind its hypercall. */
static always_inline struct ec *vcpu_end_run(struct vcpu *v)
{
	struct ec *ec = v->ec;
	v->ec = NULL;
	WRITE_ONCE(v->poked, false);
	ec->vcpu = NULL;
	return ec;
}
/* Ends the run of an EC that is killed in it. Others can run the vCPU then, in the state that it has. */
void vcpu_leave_run(struct ec *ec);

/* The last reference is gone: ends a run in progress with BAD_CAP. On its CPU. */
void vcpu_retire(struct vcpu *v);
void vcpu_free(struct vcpu *v);
