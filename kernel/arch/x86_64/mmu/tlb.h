/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB tags and flushes. A PD has a PCID for life, if there is one left; PDs without have PCID 0 and are flushed at
 * each switch. Manual: SDM vol. 3, 4.10.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

struct cpu;
struct pd;
struct vcpu;

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
 * From the NMI handler, if it has not hit a guest: v, which is loaded, is not in the guest, and will not be without a
 * look at its mark. True if that is set.
 */
bool tlb_note_out(const struct vcpu *v);
/* From the NMI handler: does the flushes that other CPUs wait for. */
void tlb_answer(struct cpu *cpu);
