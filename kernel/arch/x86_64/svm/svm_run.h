/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the way into the guest (svm_run.c) and the way out (svm_exit.c) have of each other. After an exit the CPU
 * holds the guest's TR, LDTR, FS, GS and the MSRs of system calls, and takes no NMI: only what touches none of that
 * may run before svm_run_to_host().
 */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"
#include "svm/svm_state.h"

/* Loads what VMLOAD loads, of the guest's and then the host's VMCB, and lets NMIs in. As the selectors in FS and GS,
 * those in DS and ES are null afterwards, whatever the VMM had there. */
static always_inline void svm_run_to_host(const struct vcpu *v)
{
	__asm__ volatile("vmsave %0" : : "a"(v->arch.svm.vmcb_pa) : "memory");
	__asm__ volatile("vmload %0\n\tmov %1, %%ds\n\tmov %1, %%es\n\tstgi"
			 :
			 : "a"(v->arch.svm.host_pa), "r"(0)
			 : "memory");
}

/* What a guest that goes on can have pending: its registers are still in the CPU. */
#define PENDING_IN_GUEST                                                                              \
	(PENDING_TSC_AUX | PENDING_SPEC_CTRL | PENDING_MSR_PASSTHROUGH | PENDING_XCR0 | PENDING_FPU | \
	 PENDING_HOST_FPU | PENDING_ENTERED)

/* Saves what the host has of these registers, after they were set for good. */
void svm_run_save_host(struct svm_cpu *c);

/* An exit that only the kernel is interested in. Again: before svm_run_to_host(), and nothing is to be looked at. */
struct ec *enter_svm_again(struct cpu *cpu, struct vcpu *v);
/* Back into the guest after a look at what has come meanwhile, after svm_run_to_host(). */
struct ec *svm_run_on(struct cpu *cpu, struct vcpu *v);
/* The end of a run that does not end with an exit; the host's registers are loaded. */
struct ec *svm_run_finish(struct vcpu *v, u32 reason);
/* ... and one whose time is over. */
struct ec *svm_run_end_in_time(struct vcpu *v);
/* A guest that drives the machine is to hear of an NMI that none of our CPUs has sent. */
struct ec *svm_run_end_with_nmi(struct cpu *cpu, struct vcpu *v);
/* Where a run goes on when a hazard was found. */
__attribute__((noreturn)) void svm_interrupted(struct cpu *cpu, struct vcpu *v);

/* Before the first guest. */
void svm_exit_init(void);
/* The run is over, with an exit: after svm_run_to_host(). `reason` and what the VMCB has become the page. */
struct ec *svm_exit_leave(struct cpu *cpu, struct vcpu *v, u32 reason);

/* Guests that are not active (svm_wait.c). Allocates what CPU n needs; false: no memory. */
bool svm_wait_prepare(unsigned n) must_check;
enum svm_wait { WAIT_OVER, WAIT_HAZARD, WAIT_INTERRUPT, WAIT_TIMEOUT };
/* Waits until something wakes the guest up or ends its run. */
enum svm_wait svm_wait(struct cpu *cpu, struct vcpu *v);

/* The timeout has come. */
static inline void svm_run_forget_time(struct arch_vcpu *a)
{
	a->has_timeout = false;
	a->pending &= ~(u32)PENDING_TIMED;
	a->svm.left = SVM_NO_TIMEOUT;
}

/* PENDING_TIMED: what has passed since the last look is taken off. True if nothing is left. */
static always_inline bool svm_run_time_over(struct arch_vcpu *a)
{
	u64 now = arch_tsc(), passed = now - a->svm.entered;

	a->svm.entered = now;
	a->svm.left = passed < a->svm.left ? a->svm.left - passed : 0;
	return !a->svm.left;
}
