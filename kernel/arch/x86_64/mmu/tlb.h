/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB tags and flushes. A tag is a PCID, which a PD gets when it is made and keeps until it is freed. PDs for which
 * none was left have PCID 0, and loading their CR3 flushes. Locking: pd->tlb_lock, for shootdowns.
 * Manual: SDM vol. 3, 4.10.
 */
#pragma once

#include "lib/compiler.h"

struct cpu;
struct pd;

/* Chooses the PCID and fills in pd->cr3. All CPUs are marked stale, so that what a former owner of the PCID has left
 * in TLBs is flushed before the first use. */
void tlb_init_pd(struct pd *pd);
void tlb_free_pd(struct pd *pd);

/* Flushes the tag of a PD whose CR3 this CPU has just loaded, and that is marked stale for it. */
void tlb_refresh(struct cpu *cpu, struct pd *pd);

/*
 * The same for this CPU's `space`, through a wrapper in tlb_refresh.S that preserves all registers and has no
 * arguments: so the unlikely call on the IPC path costs the likely path nothing.
 */
static always_inline void tlb_refresh_preserving(void)
{
	__asm__ volatile("call tlb_refresh_wrapper" : : : "memory", "cc");
}

/*
 * Values of pd->guest_stale[n]. "Stale" is set by any CPU, "out" by CPU n when a flush has interrupted it, while it
 * is not in a guest of the PD. CPU n alone clears the mark, before it flushes on its way into a guest
 * (vmx/vmx_run.c). Whoever finds "out" after a change of tables need not ask that CPU: its next entry flushes after
 * the change. An entry that finds "fresh" has tested the mark, and does no more. Modelled in tests/model/guest.pml.
 */
enum { TLB_GUEST_FRESH, TLB_GUEST_STALE, TLB_GUEST_OUT };

/* Does the flushes that other CPUs wait for. Called by the NMI handler. */
void tlb_answer(struct cpu *cpu);
