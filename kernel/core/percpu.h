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

/* Why the way back to user mode must take the long route; zero on the hot path. */
enum hazard {
	HAZARD_SCHED = 1 << 0,  /* another SC may deserve the CPU, or the current EC cannot go on */
	HAZARD_REAP = 1 << 1,   /* objects lost their last capability */
	HAZARD_RCU = 1 << 2,    /* memory waits to be freed, or another CPU waits for this one */
	HAZARD_REMOTE = 1 << 3, /* work items of other CPUs */
	HAZARD_VCPU = 1 << 4,   /* the current EC goes on in its vCPU */
	HAZARD_NMI = 1 << 5,    /* an NMI came that no CPU of ours has sent */
	HAZARD_MCA = 1 << 6,    /* machine checks have left something to be reported, or an EC to be ended */
};

enum sleeping {
	SLEEPING_NOT = 0,
	SLEEPING_HALTED = 1, /* an NMI is needed */
	SLEEPING_MWAIT = 2,  /* a write to `mailbox` is enough */
};

/*
 * What is known of kicks and NMIs: as many NMIs of ours may still come as `handled` is behind `kicks`. At least as
 * many as do.
 */
struct nmi_origin {
	u32 handled;  /* while some are left: half the range off, so that one comparison finds the usual case */
	u32 counted;  /* `kicks` at the last look, if some were left then */
	bool merged;  /* some were */
	bool settled; /* all of these had been sent: they come at once, if they do */
	u64 looked;   /* TSC of that look */
	u64 back;     /* the instruction that the handler went back to last */
};

struct cpu {
	/* the entries use these */
	struct ec *ec; /* current: whose registers come back at the exit. Others read it to find out which PD runs */
	union {
		struct {
			u32 hazard; /* enum hazard; an NMI on this CPU sets bits */
			/* What the last switch to another PD has found in registers that it does not switch, a byte
			 * each (note_selectors()); cleared before user land goes on. */
			u32 residue;
		};
		u64 attention; /* both, for the exits */
	};
	u8 residue_end; /* the last of its bytes has a second one, which is always 0 */

	u32 id;        /* CPU number; immutable */
	struct sc *sc; /* current: who pays */
	/* Preempted last: at the head of its queue, in effect. Of a lower priority than `sc`. */
	struct sc *preempted;
	struct ec *idle_ec;
	u64 sc_since;     /* TSC of the dispatch of `sc` */
	u32 mxcsr;        /* scratch of fpu_switch() */
	u32 apic_id;      /* immutable */
	struct pd *space; /* whose tables are in CR3, or are about to leave it. Others read it */

	/* virtualization */
	struct vcpu *vcpu; /* loaded; written with a barrier behind it, read by others (vcpu_poke(), mmu/tlb.c) */
	struct vcpu *guest_regs; /* whose are the registers that only guests use */
	bool tr_short;           /* TR has the limit that a VM exit leaves: the I/O bitmap is out of reach */
	bool nmi_foreign;        /* an NMI came that no CPU of ours sent: for a passthrough guest, if there is one */

	struct list dying; /* kobjects for reap_all() */
	struct sched sched;

	/* written by other CPUs */
	aligned(64) struct mailbox mailbox;
	u32 sleeping;      /* enum sleeping; written by the owner, read by who signals */
	u32 rcu_asked;     /* a grace period waits for this CPU; atomic */
	u32 rcu_sent;      /* objects sent here to be dismantled or freed, so far; atomic */
	u32 rcu_done;      /* of these; written by the owner */
	u32 tlb_requested; /* flushes requested; atomic */
	u32 tlb_done;      /* flushes done; written by the owner's NMI handler */
	u32 passthrough;   /* vCPUs here that drive the machine; atomic */
	bool waits_sipi;   /* in a guest where NMIs do not get through; written by the owner */
	u32 kicks;         /* NMIs sent by our CPUs, or about to be; atomic */
	/* Whom this CPU sends an NMI to at the moment, or NULL; written by the owner, read by that CPU's NMI handler.
	 */
	struct cpu *kicking;

	struct nmi_origin nmi; /* the NMI handler's (entry/nmi_origin.h) */

	struct trace_cpu trace; /* the owner's, NMI handlers included; `sample_asked` is everybody's */
	struct mca_cpu mca;     /* the owner's, its handler of machine checks included */
};

_Static_assert(offsetof(struct cpu, id) == CPU_ID_OFFSET, "where mm finds it");
_Static_assert(offsetof(struct cpu, residue_end) == offsetof(struct cpu, residue) + 4, "the bytes are in a row");

/* CPU numbers are dense from 0, in the order of the firmware's table; those that did not start are missing from
 * `cpus_online`. */
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

/* Whether one that exists, and may have been lost in sleep, is online. */
static always_inline bool cpu_not_lost(unsigned n)
{
	bool online;
	__asm__ volatile("bt %2, %1" : "=@ccc"(online) : "m"(cpus_online), "r"((u64)n));
	return online;
}

/* One instruction each: an NMI may set bits at any time. */
static always_inline void hazard_set(struct cpu *cpu, u32 bits)
{
	arch_or_here(&cpu->hazard, bits);
}

static always_inline void hazard_clear(struct cpu *cpu, u32 bits)
{
	arch_and_here(&cpu->hazard, ~bits);
}
