/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one EC to another, out of the kernel, and to other CPUs: what needs to know ECs, PDs and struct cpu. */
#pragma once

#include "lib/types.h"

struct cpu;
struct ec;
struct utcb;

/* One constant comes from switch_inline.h: ARCH_USER_FLAGS, which is RFLAGS of a new EC. */

/* The data of CPU n, which is below cpu_count. */
static always_inline struct cpu *arch_cpu(unsigned n);

/* Whether user mode can be entered at this address without a fault in the kernel. */
static always_inline bool arch_is_canonical(u64 va);

/* ---- switching ---- */

/*
 * `to` becomes the current EC in place of `from`: bases, address space, extended state, everything but the general
 * registers. Both belong to `cpu`, the running one, and may be the same PD's. Returns `to`, so that the part with
 * something to save or load can be a jump. The second is for a message that takes the extended state along: `to`
 * begins with a copy of the sender's.
 */
static always_inline struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to);
static always_inline void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to);

/* The extended state that is in the CPU now, the current EC's (`self`), becomes that of `to`, too. */
static always_inline void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to);

/* Of a new EC, whose area is there: its extended state is the initial one. */
void arch_fpu_init(struct ec *ec);

/* cpu->residue is not 0: makes it so, and with it the registers that a switch between PDs leaves as they were, before
 * the current EC goes on. */
void arch_clear_residue(struct cpu *cpu);

/* ---- the ways out: all start over on an empty stack, and none returns; no lock is held ---- */

/* The current EC goes on behind its hypercall (RCX and R11 are lost), or with all of its registers. Both look at the
 * hazards once more. */
__attribute__((noreturn)) void arch_return_syscall(struct ec *ec);
__attribute__((noreturn)) void arch_return_trap(struct ec *ec);
/* To dispatch_run(). */
__attribute__((noreturn)) void arch_dispatch(void);
/* The idle EC is the current one: sleeps in this way (enum sleeping), unless there are hazards, then to
 * dispatch_run(). */
__attribute__((noreturn)) void arch_idle(struct cpu *cpu, u32 sleeping);
/* The best way to sleep on this machine. */
static always_inline u32 arch_idle_mode(void);

/* ---- other CPUs ---- */

/* Makes the CPU look at its mailbox, which was written before: one that waits for just that write needs no more. Does
 * not wait for it. */
void arch_signal(struct cpu *cpu);
/* Makes it look at everything that is asked of it. Not from NMI handlers. */
void arch_kick(struct cpu *cpu);

/* ---- messages ---- */

/* The name of an exception, for the console. Never NULL. */
const char *arch_event_name(unsigned event);

/*
 * The registers that mtd names, from the EC to the UTCB and back. The EC is not running. UTCBs may be written by user
 * land meanwhile: each word is read once, and nothing in it can harm the kernel, but for a RIP that is not canonical,
 * which the caller looks for.
 */
static always_inline void arch_state_read(const struct ec *ec, struct utcb *utcb, u64 mtd);
static always_inline void arch_state_write(struct ec *ec, const struct utcb *utcb, u64 mtd);

#include "switch_inline.h"
