/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts as semaphores. A semaphore has at most one source: a line of an interrupt controller, or a vector of a
 * CPU that a device sends messages to. The source is the semaphore's: it ends with it. Semaphores
 * have no word left for it, so it is looked up by the semaphore's address.
 *
 * A source is armed, or has been delivered and not been acknowledged yet. Only an armed one ups its semaphore. What
 * comes before it is acknowledged is remembered, however often it comes, and ups the semaphore once more at the
 * acknowledgement. A line is masked meanwhile: one by level from its delivery on, one by edges when it comes again.
 * So no line has more than two interrupts between two acknowledgements, but for one that is on its way when it is
 * masked.
 *
 * Lifetime: a vector is its source's until a grace period has passed since the source was taken from it: then its CPU
 * has been in user mode or asleep, where it takes what was pending. So no vector has another source as long as an
 * interrupt of the old one may be on its way.
 *
 * Locking: one lock for all that binds; each source's own guards its state and mask. An interrupt comes only where no
 * lock is held. Order: irq_lock, then `lock` of a semaphore or a source, then the interrupt controller's.
 */
#pragma once

#include "arch/irq.h"
#include "lib/spinlock.h"
#include "space/kobject.h"

struct cpu;
struct pd;
struct sm;

enum irq_state {
	IRQ_ARMED,
	IRQ_DELIVERED, /* and not acknowledged */
	IRQ_AGAIN,     /* the same, and it has come since */
	IRQ_GONE,
};

struct irq {
	/* immutable */
	struct sm *sm; /* holds a reference until it is unbound */
	struct irq_line line;
	bool is_line;
	u32 account; /* the name of the one that pays */

	/* guarded by irq_lock */
	unsigned cpu_id, vector;
	unsigned left_cpu, left_vector; /* while `leaving`: where it was */
	bool leaving;                   /* `work` waits for the grace period of that place */
	struct irq *next;               /* in its bucket (irq.c), while it is bound */

	/* guarded by `lock` */
	struct spinlock lock;
	u8 state; /* enum irq_state */

	struct work work;
};

void irq_init_cache(void);

enum irq_opening { IRQ_CLOSED, IRQ_OPENING, IRQ_OPEN };
extern u32 irq_opening; /* enum irq_opening; atomic. Once open it stays so */

static always_inline bool irq_is_open(void)
{
	return __atomic_load_n(&irq_opening, __ATOMIC_ACQUIRE) == IRQ_OPEN;
}

/* BUSY: there are vCPUs that take interrupts themselves, or somebody else is at it. */
enum status irq_open(struct pd *payer) must_check;

/* BUSY: the semaphore has a source, or the line a semaphore. OOM: no vector is left on that CPU. */
enum status irq_bind_line(struct sm *sm, struct irq_line line, unsigned cpu_id) must_check;
enum status irq_bind_message(struct sm *sm, unsigned cpu_id, struct arch_irq_message *out) must_check;
/* BAD_PAR: it has no source, or a message, whose place only the device's driver can change. */
enum status irq_move(struct sm *sm, unsigned cpu_id) must_check;
enum status irq_unbind(struct sm *sm) must_check;
enum status irq_acknowledge(struct sm *sm) must_check;

/* The semaphore has no capabilities any more, but a reference is left. */
void irq_sm_gone(struct sm *sm);

/* A vCPU that takes interrupts itself is about to be made; false: there can be none any more. Such a vCPU has gone.
 */
bool irq_admit_guest(void) must_check;
void irq_dismiss_guest(void);

struct irq_counts {
	u64 taken, strays, spurious;
};
/* False: that CPU was not there when interrupts were opened. */
bool irq_count(unsigned cpu_id, struct irq_counts *out) must_check;

/* From the architecture, on the CPU and for the vector that an interrupt has come to; in no lock. */
void irq_take(struct cpu *cpu, unsigned vector);
/* Where no lock is held: what is pending on this CPU comes now. False: interrupts are not the kernel's. */
bool irq_take_pending(void);
/* An interrupt that is none. */
void irq_take_spurious(struct cpu *cpu);
