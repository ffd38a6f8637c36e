/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NMIs: the handler, and what other code that may hit or meet anything needs of it. Manual: SDM vol. 3, 6.7. */
#pragma once

#include "core/percpu.h"
#include "lib/compiler.h"

struct trap_frame;

/* Answers what other CPUs ask, and sees to it that hazards are noticed before user code goes on (entry/nmi.c). */
void nmi_handle(struct trap_frame *f);
/*
 * For another handler that may hit anything: after it has returned to where the frame says then, the hazards are
 * tested once more before user code or a guest runs, or the CPU sleeps.
 */
void nmi_redirect(struct trap_frame *f);
/* For the same if it has hit the handler of an NMI: another one comes as soon as that has returned. */
void nmi_follow(void);
/* Whether something is asked of the CPU that it would learn by an NMI. */
bool nmi_requested(const struct cpu *cpu);
/*
 * Finds out what an NMI is about, answers flushes and sets hazards. It has hit the instruction at rip, or a guest
 * (0); NMIs are blocked. False: no CPU of ours has sent it, so that a passthrough guest will hear of it.
 */
bool nmi_take(struct cpu *cpu, u64 rip);

/*
 * Records an NMI, and what it has hit (enum trace_mode) if a sample was asked for. To be called only where the trace
 * point is open.
 */
void nmi_trace(struct cpu *cpu, unsigned mode, u64 rip);

/* What all CPUs are to do in their NMI handlers besides; nearly always nothing. */
enum nmi_order {
	NMI_ORDER_HALT = 1 << 0,         /* stay in the handler for good: there is a panic */
	NMI_ORDER_STOP_MACHINE = 1 << 1, /* stop_machine_answer() */
	NMI_ORDER_COUNTER = 1 << 2,      /* look for a performance counter that has overflowed */
};
void nmi_order(u32 order, bool on);
void nmi_halt_if_ordered(void);
/* Sends an NMI to each other CPU that is online; returns how many there are. */
unsigned nmi_kick_others(void);
