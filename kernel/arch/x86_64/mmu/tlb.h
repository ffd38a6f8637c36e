/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB tags and flushes. A PD has a PCID for life, if there is one left; PDs without have PCID 0 and are flushed at
 * each switch. Manual: SDM vol. 3, 4.10.
 */
#pragma once

#include "lib/compiler.h"

struct cpu;
struct pd;

/* Chooses the PCID and fills in pd->cr3. Whatever a former owner of the PCID left behind is flushed before its first
 * use. */
void tlb_init_pd(struct pd *pd);
void tlb_free_pd(struct pd *pd);

/* This CPU has loaded the CR3 of a PD that is marked stale for it. */
void tlb_refresh(struct cpu *cpu, struct pd *pd);

/*
 * The same for this CPU's `space`, through a wrapper in tlb_refresh.S that preserves every register and wants nothing
 * in one: an unlikely call on the IPC path must not cost the likely path anything.
 */
static always_inline void tlb_refresh_preserving(void)
{
	__asm__ volatile("call tlb_refresh_wrapper" : : : "memory", "cc");
}

/*
 * What pd->guest_stale[n] says. CPU n clears it before it flushes on its way into a guest of the PD (vmx/vmx_run.c),
 * and says "out" while it is not in one; all others only set "stale". Entries pay for none of it: the mark is tested,
 * and set or not. So whoever finds "out" after his change knows that the CPU's next entry flushes behind it, and need
 * not ask. Modelled in tests/model/guest.pml.
 */
enum { TLB_GUEST_FRESH, TLB_GUEST_STALE, TLB_GUEST_OUT };

/* From the NMI handler: does the flushes that other CPUs wait for. */
void tlb_answer(struct cpu *cpu);
