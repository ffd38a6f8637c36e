/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/irq.h"

#include "arch/cpu.h"
#include "core/irq_vector.h"
#include "core/percpu.h"
#include "core/rcu.h"
#include "core/sm.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "space/pd.h"
#include "trace/trace.h"

/* A page each, from the moment of opening. */
struct irq_cpu {
	struct irq_vectors vectors;
	struct irq_counts counts; /* written by its CPU only */
};

_Static_assert(sizeof(struct irq_cpu) <= PAGE_SIZE, "a page");

u32 irq_opening;

static struct irq_cpu *cpus[HEDRON_CPU_MAX]; /* constant while open; NULL: it was not online then */
static u32 guests;                           /* vCPUs that take interrupts themselves; atomic */
static struct slab_cache irq_cache;

/* irq_lock */
static struct spinlock irq_lock;
static u64 lines_used[IRQ_MAP_LINES / 64];
#define BUCKETS_BITS 10
static struct irq *buckets[1 << BUCKETS_BITS]; /* sources by their semaphores */

void irq_init_cache(void)
{
	slab_init(&irq_cache, "irq", align_up(sizeof(struct irq), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

/* ---- opening ---- */

/* The other side of open(): one of the two sees the other. */
bool irq_admit_guest(void)
{
	__atomic_add_fetch(&guests, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&irq_opening, __ATOMIC_SEQ_CST) == IRQ_CLOSED)
		return true;
	irq_dismiss_guest();
	return false;
}

void irq_dismiss_guest(void)
{
	__atomic_sub_fetch(&guests, 1, __ATOMIC_SEQ_CST);
}

static void give_tables(void)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		if (cpus[n])
			page_return(cpus[n]);
		cpus[n] = NULL;
	}
}

static bool take_tables(struct account *payer)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		if (!cpu_online(n))
			continue;
		cpus[n] = page_take_zeroed(payer);
		if (!cpus[n]) {
			give_tables();
			return false;
		}
	}
	return true;
}

static enum status open(struct account *payer)
{
	enum status s = arch_irq_supported();

	if (s != SUCCESS)
		return s;
	if (__atomic_load_n(&guests, __ATOMIC_SEQ_CST))
		return BUSY;
	if (!take_tables(payer))
		return OOM;
	arch_irq_open();
	return SUCCESS;
}

enum status irq_open(struct pd *payer)
{
	u32 was = IRQ_CLOSED;

	if (!__atomic_compare_exchange_n(&irq_opening, &was, IRQ_OPENING, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
		return was == IRQ_OPEN ? SUCCESS : BUSY;
	enum status s = open(&payer->account);
	__atomic_store_n(&irq_opening, s == SUCCESS ? IRQ_OPEN : IRQ_CLOSED, __ATOMIC_SEQ_CST);
	return s;
}

/* ---- an interrupt ---- */

/* Returns the state that it has found: an armed source ups its semaphore. */
static enum irq_state deliver(struct irq *irq)
{
	spin_lock(&irq->lock);
	enum irq_state was = irq->state;
	if (was == IRQ_ARMED)
		irq->state = IRQ_DELIVERED;
	else if (was == IRQ_DELIVERED)
		irq->state = IRQ_AGAIN;
	if (irq->is_line && (was == IRQ_DELIVERED || (was == IRQ_ARMED && irq->line.level)))
		arch_irq_mask(irq->line.number, true);
	spin_unlock(&irq->lock);
	return was;
}

/* Other CPUs read it. */
static void increase(u64 *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* A line by level is masked when the controllers are told that it is over, so it does not come at once again. The
 * source and its semaphore are there until this CPU leaves the kernel, whatever becomes of them. */
void irq_take(struct cpu *cpu, unsigned vector)
{
	struct irq_cpu *c = cpus[cpu->id];
	struct irq *irq = irq_vector_source(&c->vectors, vector);
	enum irq_state was = irq ? deliver(irq) : IRQ_GONE;

	TRACE(IRQ, vector, was == IRQ_GONE ? NULL : irq->sm, was == IRQ_ARMED);
	increase(&c->counts.taken);
	if (was == IRQ_GONE)
		increase(&c->counts.strays);
	arch_irq_end();
	if (was == IRQ_ARMED)
		sm_up(irq->sm);
}

bool irq_take_pending(void)
{
	if (!irq_is_open())
		return false;
	arch_irq_window();
	return true;
}

void irq_take_spurious(struct cpu *cpu)
{
	increase(&cpus[cpu->id]->counts.spurious);
}

bool irq_count(unsigned cpu_id, struct irq_counts *out)
{
	const struct irq_cpu *c = cpus[cpu_id];

	if (!c)
		return false;
	out->taken = __atomic_load_n(&c->counts.taken, __ATOMIC_RELAXED);
	out->strays = __atomic_load_n(&c->counts.strays, __ATOMIC_RELAXED);
	out->spurious = __atomic_load_n(&c->counts.spurious, __ATOMIC_RELAXED);
	return true;
}

/* ---- by semaphore ---- */

#define SPREAD 0x9e3779b97f4a7c15ull /* odd, and without a pattern */

static struct irq **bucket_locked(const struct sm *sm)
{
	return &buckets[(u64)sm * SPREAD >> (64 - BUCKETS_BITS)];
}

/* Where the pointer to its source is; it points to NULL if there is none. */
static struct irq **find_locked(const struct sm *sm)
{
	struct irq **p = bucket_locked(sm);

	while (*p && (*p)->sm != sm)
		p = &(*p)->next;
	return p;
}

static void enlist_locked(struct irq *irq)
{
	struct irq **p = bucket_locked(irq->sm);

	irq->next = *p;
	*p = irq;
}

/*
 * An interrupt that has come meanwhile ups the semaphore now. Edges that were lost while the line was masked came
 * after it and before the driver looks at its device again, so nothing is missed.
 */
static bool rearm(struct irq *irq)
{
	bool up = false;

	spin_lock(&irq->lock);
	if (irq->state == IRQ_DELIVERED || irq->state == IRQ_AGAIN) {
		up = irq->state == IRQ_AGAIN;
		irq->state = up ? IRQ_DELIVERED : IRQ_ARMED;
		if (irq->is_line && (irq->line.level ? !up : up))
			arch_irq_mask(irq->line.number, false);
	}
	spin_unlock(&irq->lock);
	return up;
}

enum status irq_acknowledge(struct sm *sm)
{
	spin_lock(&irq_lock);
	struct irq *irq = *find_locked(sm);
	bool up = irq && rearm(irq);
	spin_unlock(&irq_lock);
	if (!irq)
		return BAD_PAR;
	return up ? sm_up(sm) : SUCCESS;
}

/* ---- binding ---- */

static bool line_is_used_locked(u32 number)
{
	return lines_used[number / 64] & bit(number % 64);
}

static void use_line_locked(u32 number, bool used)
{
	if (used)
		lines_used[number / 64] |= bit(number % 64);
	else
		lines_used[number / 64] &= ~bit(number % 64);
}

/* False: the semaphore has ended. Who ends it finds the reference that the source holds, and looks for the source. */
static bool attach_locked(struct sm *sm, struct irq *irq)
{
	spin_lock(&sm->lock);
	bool alive = !sm->dead;
	spin_unlock(&sm->lock);
	if (alive)
		enlist_locked(irq);
	return alive;
}

static enum status bind_locked(struct sm *sm, struct irq *irq)
{
	struct irq_vectors *v = &cpus[irq->cpu_id]->vectors;

	if (*find_locked(sm) || (irq->is_line && line_is_used_locked(irq->line.number)))
		return BUSY;
	irq->vector = irq_vector_take(v, irq);
	if (irq->vector == IRQ_VECTOR_NONE)
		return OOM;
	if (!attach_locked(sm, irq)) {
		irq_vector_give(v, irq->vector);
		return BAD_CAP;
	}
	if (irq->is_line) {
		use_line_locked(irq->line.number, true);
		arch_irq_route(irq->line, irq->cpu_id, irq->vector, false);
	}
	return SUCCESS;
}

/* *vector is what it has got: the source may be gone as soon as the lock is released. */
static enum status bind(struct sm *sm, const struct irq *wanted, unsigned *vector)
{
	struct account *payer = account_named(sm->obj.account);

	if (!cpus[wanted->cpu_id])
		return BAD_CPU;
	if (!kobject_get(&sm->obj))
		return BAD_CAP;
	struct irq *irq = slab_take(&irq_cache, payer);
	if (!irq) {
		kobject_unref(&sm->obj);
		return OOM;
	}
	*irq = *wanted;
	irq->sm = sm;
	irq->account = sm->obj.account;
	spin_lock(&irq_lock);
	enum status s = bind_locked(sm, irq);
	*vector = irq->vector;
	spin_unlock(&irq_lock);
	if (s != SUCCESS) {
		slab_return(&irq_cache, irq, payer);
		kobject_unref(&sm->obj);
	}
	return s;
}

enum status irq_bind_line(struct sm *sm, struct irq_line line, unsigned cpu_id)
{
	unsigned vector;

	return bind(sm, &(struct irq){.is_line = true, .line = line, .cpu_id = cpu_id}, &vector);
}

enum status irq_bind_message(struct sm *sm, unsigned cpu_id, struct arch_irq_message *out)
{
	unsigned vector = 0;
	enum status s = bind(sm, &(struct irq){.cpu_id = cpu_id}, &vector);

	if (s == SUCCESS)
		*out = arch_irq_message(cpu_id, vector);
	return s;
}

/* ---- unbinding ---- */

/* A grace period does not tell that this CPU was in user mode: what is pending here is taken now. */
static void take_stale(unsigned cpu_id)
{
	if (cpu_id == cpu_current_id())
		arch_irq_window();
}

/* After a grace period: the source is nobody's any more. */
static void source_gone(struct work *w)
{
	struct irq *irq = container_of(w, struct irq, work);

	spin_lock(&irq_lock);
	irq_vector_give(&cpus[irq->cpu_id]->vectors, irq->vector);
	spin_unlock(&irq_lock);
	slab_return(&irq_cache, irq, account_named(irq->account));
}

static enum irq_state state_of(struct irq *irq)
{
	spin_lock(&irq->lock);
	enum irq_state state = irq->state;
	spin_unlock(&irq->lock);
	return state;
}

static void disarm_locked(struct irq *irq)
{
	spin_lock(&irq->lock);
	irq->state = IRQ_GONE;
	if (irq->is_line)
		arch_irq_mask(irq->line.number, true);
	spin_unlock(&irq->lock);
}

/* Who is called back for the place that it has left sees to the rest then. */
static void end_and_unlock(struct irq **place)
{
	struct irq *irq = *place;
	struct sm *sm = irq->sm;
	bool leaving = irq->leaving;
	unsigned cpu_id = irq->cpu_id;

	*place = irq->next;
	disarm_locked(irq);
	if (irq->is_line)
		use_line_locked(irq->line.number, false);
	spin_unlock(&irq_lock);
	take_stale(cpu_id);
	if (!leaving)
		rcu_call(&irq->work, source_gone);
	kobject_unref(&sm->obj);
}

enum status irq_unbind(struct sm *sm)
{
	spin_lock(&irq_lock);
	struct irq **place = find_locked(sm);
	if (!*place) {
		spin_unlock(&irq_lock);
		return BAD_PAR;
	}
	end_and_unlock(place);
	return SUCCESS;
}

void irq_sm_gone(struct sm *sm)
{
	(void)!irq_unbind(sm); /* somebody else may have done it meanwhile */
}

/* ---- moving ---- */

static void vector_left(struct work *w)
{
	struct irq *irq = container_of(w, struct irq, work);

	spin_lock(&irq_lock);
	irq_vector_give(&cpus[irq->left_cpu]->vectors, irq->left_vector);
	irq->leaving = false;
	bool gone = state_of(irq) == IRQ_GONE;
	spin_unlock(&irq_lock);
	if (gone)
		rcu_call(&irq->work, source_gone);
}

/* Where it was it is still known for a grace period, so that what is on the way arrives. */
static void reroute_locked(struct irq *irq, unsigned cpu_id, unsigned vector)
{
	irq->left_cpu = irq->cpu_id;
	irq->left_vector = irq->vector;
	irq->leaving = true;
	irq->cpu_id = cpu_id;
	irq->vector = vector;
	spin_lock(&irq->lock);
	arch_irq_route(irq->line, cpu_id, vector, irq->state == IRQ_AGAIN || (irq->line.level && irq->state));
	spin_unlock(&irq->lock);
}

/* Only one place at a time can be left: OOM is for that, too. */
static enum status move_locked(struct irq *irq, unsigned cpu_id)
{
	if (!irq->is_line)
		return BAD_PAR;
	if (!cpus[cpu_id])
		return BAD_CPU;
	unsigned vector = irq->leaving ? IRQ_VECTOR_NONE : irq_vector_take(&cpus[cpu_id]->vectors, irq);
	if (vector == IRQ_VECTOR_NONE)
		return OOM;
	reroute_locked(irq, cpu_id, vector);
	return SUCCESS;
}

enum status irq_move(struct sm *sm, unsigned cpu_id)
{
	unsigned left = 0;

	spin_lock(&irq_lock);
	struct irq *irq = *find_locked(sm);
	enum status s = irq ? move_locked(irq, cpu_id) : BAD_PAR;
	if (s == SUCCESS)
		left = irq->left_cpu;
	spin_unlock(&irq_lock);
	if (s == SUCCESS) {
		take_stale(left);
		rcu_call(&irq->work, vector_left);
	}
	return s;
}
