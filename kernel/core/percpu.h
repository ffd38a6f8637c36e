/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU owns. Only that CPU reads and writes its struct unless a group says otherwise.
 * On x86_64 it lies at the start of the CPU's area (mm/layout.h), so that the stack pointer leads to it.
 */
#pragma once

#include "arch/cpu.h"
#include "core/remote.h"
#include "core/sched.h"
#include "core/trace_cpu.h"
#include "lib/nospec.h"
#include "lib/types.h"
#include "platform/mca_log.h"

#include <hedron/abi.h>

struct ec;
struct pd;
struct sc;
struct vcpu;

/* Reasons to leave the kernel through dispatch_run(); none is set on the hot path. */
enum hazard {
	HAZARD_SCHED = 1 << 0,  /* another SC may deserve the CPU, or the current EC cannot go on */
	HAZARD_REAP = 1 << 1,   /* objects are in `dying`: they have lost the last capability or reference */
	HAZARD_RCU = 1 << 2,    /* memory waits to be freed, or another CPU waits for this one */
	HAZARD_REMOTE = 1 << 3, /* work items of other CPUs */
	HAZARD_VCPU = 1 << 4,   /* the current EC goes on in its vCPU */
	HAZARD_NMI = 1 << 5,    /* an NMI came that no CPU of ours has sent: to be reported */
	HAZARD_MCA = 1 << 6,    /* machine checks have left something to be reported, or an EC to be killed */
	/* the current EC's hypercall is not through (core/unfinished.h) */
	HAZARD_UNFINISHED = 1 << 7,
	HAZARD_ORPHANS = 1 << 8, /* objects are in `orphans`: whoever is current takes them over */
	HAZARD_CROWD = 1 << 9,   /* the current EC has sent more to another CPU than that takes at once */
};

enum sleeping {
	SLEEPING_NOT = 0,
	SLEEPING_HALTED = 1, /* an NMI is needed */
	SLEEPING_MWAIT = 2,  /* a write to `mailbox` is enough */
};

/*
 * The account of kicks and NMIs (entry/nmi_origin.h). A kick is left over when it was counted and its NMI has neither
 * been handled nor is known to have merged: `kicks` - `handled` of them, which is an upper bound of the NMIs of ours
 * that may still come.
 */
struct nmi_origin {
	u32 handled;  /* with 2^31 added while `merged`, so that one comparison with `kicks` finds the usual case */
	u32 counted;  /* if `merged`: `kicks` at the last look */
	bool merged;  /* kicks were left over at the last look: their NMIs have merged, or are still to come */
	bool settled; /* all of them had been sent by then, so their NMIs come at once if at all */
	u64 looked;   /* TSC of that look */
	u64 back;     /* the instruction that the handler returned to last */
};

struct cpu {
	/* used by the entries in assembly */
	struct ec *ec; /* the current EC, whose registers the exit loads. Other CPUs read it (mmu/tlb.c, runs()) */
	union {
		struct {
			u32 hazard; /* enum hazard; an NMI on this CPU sets bits */
			/* A byte for each segment register that a switch between PDs does not switch: what the last
			 * switch found in it (note_selectors()). Cleared before user land goes on. */
			u32 residue;
		};
		u64 attention; /* both, for the exits */
	};
	u8 residue_end; /* selectors are stored as two bytes: the second of the last one, always 0 */

	u32 id;        /* CPU number; immutable */
	struct sc *sc; /* the current SC, which is charged; NULL: none */
	/* The SC that was preempted last, or NULL. It counts as the head of its priority's queue, and its priority is
	 * below that of `sc`. */
	struct sc *preempted;
	struct ec *idle_ec; /* immutable */
	u64 sc_since; /* twice the TSC from which on `sc` has not been charged; atomic: others read it (core/sc.c) */
	u32 mxcsr;    /* scratch of fpu_switch() */
	u32 apic_id;  /* immutable */
	struct pd *space; /* the PD whose tables are in CR3, or were until just now. Other CPUs read it */

	/* virtualization */
	struct vcpu *vcpu; /* loaded; written with a barrier behind it, read by others (vcpu_poke(), mmu/tlb.c) */
	struct vcpu *guest_regs; /* the vCPU whose values are in the registers that only guests use, or NULL */
	bool tr_short;           /* TR has the limit that a VM exit leaves: the I/O bitmap is out of reach */
	bool nmi_foreign;        /* an NMI came that no CPU of ours sent: for a passthrough guest, if there is one */

	struct list dying; /* kobjects for reap_all(): what the current EC has killed, or what was sent here */
	struct ec
		*rcu_caller; /* current when something was queued for which this CPU is to lead; NULL: nothing was */
	struct ec *rcu_deleter; /* the same, for what is ripe; only compared */
	struct work *rcu_stop;  /* what was freed just now was long: this is to come next; NULL: it was not */
	struct list orphans;    /* kobjects whose EC cannot dismantle them any more */
	struct list keepers;    /* ECs that keep objects to be dismantled, by unfinished.keeper */
	struct sched sched;

	/* written by other CPUs, but for those that say otherwise */
	aligned(64) struct mailbox mailbox; /* atomic; the owner takes it as a whole */
	u32 sleeping;  /* enum sleeping; written by the owner, read by senders of signals and grace periods */
	u32 rcu_asked; /* a grace period waits for this CPU; atomic */
	/* What this CPU may free, linked through `next`: its grace period is over (core/rcu.c). Atomic */
	struct work *rcu_ripe;
	u32 rcu_sent;      /* objects sent here to be dismantled or freed, so far; atomic */
	u32 rcu_done;      /* how many of these were; written by the owner */
	bool keeps;        /* there are orphans or keepers; atomic, written by the owner */
	u32 tlb_requested; /* flushes requested; atomic */
	u32 tlb_done;      /* flushes done; written by the owner's NMI handler */
	u32 passthrough;   /* vCPUs here that drive the machine; atomic */
	bool waits_sipi;   /* in a guest where NMIs do not get through; written by the owner */
	u32 kicks;         /* NMIs sent by our CPUs, or about to be; atomic */
	/* The CPU that this one is about to send an NMI to, or NULL; written by the owner, read by the NMI handler of
	 * the other. */
	struct cpu *kicking;

	struct nmi_origin nmi; /* the NMI handler's (entry/nmi_origin.h) */

	struct trace_cpu trace; /* the owner's, NMI handlers included; `sample_asked` is everybody's */
	struct mca_cpu mca;     /* the owner's, its handler of machine checks included */
};

_Static_assert(offsetof(struct cpu, id) == CPU_ID_OFFSET, "where mm finds it");
_Static_assert(offsetof(struct cpu, residue_end) == offsetof(struct cpu, residue) + 4, "the bytes are in a row");

/* CPU numbers are dense from 0, in the order of the firmware's table. A CPU that did not start, or was lost in sleep,
 * is not in `cpus_online`, which boot/smp.c writes. */
extern unsigned cpu_count;
extern u64 cpus_online[HEDRON_CPU_MAX / 64];

static always_inline bool cpu_online(unsigned n)
{
	return n < cpu_count && (cpus_online[nospec_wrap(n, HEDRON_CPU_MAX) / 64] >> n % 64 & 1);
}

/* A number that has passed cpu_online(), for use as an index: below HEDRON_CPU_MAX for speculation, too. */
static always_inline unsigned cpu_index(unsigned n)
{
	return (unsigned)nospec_wrap(n, HEDRON_CPU_MAX);
}

/* cpu_online() for a number below cpu_count that was online once. It need not hold for speculation: the number is the
 * kernel's own. */
static always_inline bool cpu_not_lost(unsigned n)
{
	bool online;
	__asm__ volatile("bt %2, %1" : "=@ccc"(online) : "m"(cpus_online), "r"((u64)n));
	return online;
}

/* Both are single instructions, because an NMI on this CPU may set bits at any time. */
static always_inline void hazard_set(struct cpu *cpu, u32 bits)
{
	arch_or_here(&cpu->hazard, bits);
}

static always_inline void hazard_clear(struct cpu *cpu, u32 bits)
{
	arch_and_here(&cpu->hazard, ~bits);
}
