/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/trace.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "lib/bits.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/page.h"

/*
 * A CPU's area: a page with the head, the paths behind it; the ring is a block of its own and comes next when they
 * are mapped. Areas are never freed: user land may have them mapped anywhere.
 */
#define PATH_PAGES (TRACE_PATHS * sizeof(struct trace_path) / PAGE_SIZE)
#define FRONT_PAGES (1 + PATH_PAGES)
#define FRONT_ORDER 4
#define RECORDS_PER_PAGE_BITS 7

_Static_assert(FRONT_PAGES <= 1 << FRONT_ORDER, "one block");
_Static_assert(PAGE_SIZE / sizeof(struct trace_record) == 1 << RECORDS_PER_PAGE_BITS, "whole pages");

struct trace_state trace_state;

static u32 period; /* of samples; 0: none */
static bool busy;  /* somebody sets up or switches; atomic */
static u64 order;  /* of the rings; 0: not set up */

/* ---- recording ---- */

void trace_record(unsigned event, unsigned extra, u64 a, u64 b)
{
	struct trace_cpu *t = &cpu_current()->trace;

	if (!(trace_state.events >> event & 1))
		return; /* a hook may be on for another event's sake */
	u64 n = arch_fetch_add_here(&t->head->written, 1);
	struct trace_record *r = &t->ring[n & (t->head->records - 1)];
	WRITE_ONCE(r->seq, 0);
	barrier();
	r->event = (u16)event;
	r->extra = (u16)extra;
	r->tsc = arch_tsc();
	r->a = a;
	r->b = b;
	barrier();
	WRITE_ONCE(r->seq, (u32)n + 1);
}

void trace_begin(struct trace_span *s)
{
	s->changes = trace_state.changes;
	for (unsigned i = 0; i < trace_state.counters; i++)
		s->counters[i] = arch_pmu_read(i);
	s->tsc = arch_tsc();
}

/* Where a time that ends now belongs. NULL: nowhere, or it is not worth anything (the TSC starts over with sleep, and
 * may differ a little between CPUs). */
static struct trace_path *ended_path(unsigned path, const struct trace_span *s, u64 now)
{
	if (!s->tsc || now < s->tsc || s->changes != trace_state.changes || !(trace_state.measured >> path & 1))
		return NULL;
	return &cpu_current()->trace.paths[path];
}

static void add(struct trace_path *p, u64 ticks)
{
	p->count++;
	p->sum += ticks;
	p->bins[trace_bin(ticks)]++;
}

void trace_end(unsigned path, struct trace_span *s)
{
	u64 now = arch_tsc();
	struct trace_path *p = ended_path(path, s, now);

	if (p) {
		for (unsigned i = 0; i < trace_state.counters; i++)
			p->counters[i] += arch_pmu_delta(s->counters[i], arch_pmu_read(i));
		add(p, now - s->tsc);
	}
	s->tsc = 0;
}

void trace_end_elsewhere(unsigned path, struct trace_span *s)
{
	u64 now = arch_tsc();
	struct trace_path *p = ended_path(path, s, now);

	if (p)
		add(p, now - s->tsc);
	s->tsc = 0;
}

void trace_resume(unsigned how, const struct ec *ec)
{
	trace_end(TRACE_PATH_DISPATCH, &cpu_current()->trace.dispatch);
	trace_record(TRACE_RESUME, how, (u64)ec, (u64)ec->pd);
}

/* ---- TRACE_CTRL ---- */

static bool begin_change(void)
{
	return !__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE);
}

static enum status end_change(enum status s)
{
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
	return s;
}

static u64 ring_pages(void)
{
	return 1ul << (order - RECORDS_PER_PAGE_BITS);
}

static void init_head(struct trace_head *head, unsigned cpu_id, u64 ring_order)
{
	*head = (struct trace_head){
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.cpu = cpu_id,
		.tsc_khz = arch_tsc_khz(),
		.pages = (u32)(FRONT_PAGES + (1ul << (ring_order - RECORDS_PER_PAGE_BITS))),
		.record_size = sizeof(struct trace_record),
		.ring_offset = FRONT_PAGES * PAGE_SIZE,
		.path_offset = PAGE_SIZE,
		.paths = TRACE_PATHS,
		.path_size = sizeof(struct trace_path),
		.records = 1ul << ring_order,
	};
}

static bool allocate(struct trace_cpu *t, unsigned cpu_id, u64 ring_order)
{
	unsigned block_order = (unsigned)ring_order - RECORDS_PER_PAGE_BITS;
	u8 *front = page_alloc_block(FRONT_ORDER);
	void *ring = front ? page_alloc_block(block_order) : NULL;

	if (!ring) {
		if (front)
			page_free_block(front, FRONT_ORDER);
		return false;
	}
	memset(front, 0, PAGE_SIZE << FRONT_ORDER);
	memset(ring, 0, PAGE_SIZE << block_order);
	t->head = (struct trace_head *)front;
	t->paths = (struct trace_path *)(front + PAGE_SIZE);
	t->ring = ring;
	init_head(t->head, cpu_id, ring_order);
	return true;
}

static void release(struct trace_cpu *t, u64 ring_order)
{
	page_free_block(t->head, FRONT_ORDER);
	page_free_block(t->ring, (unsigned)ring_order - RECORDS_PER_PAGE_BITS);
	t->head = NULL;
}

static enum status allocate_all(u64 ring_order)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		if (!cpu_online(n) || allocate(&arch_cpu(n)->trace, n, ring_order))
			continue;
		while (n--)
			if (cpu_online(n))
				release(&arch_cpu(n)->trace, ring_order);
		return OOM;
	}
	return SUCCESS;
}

/* The rings stay, and so does the payment. */
static enum status allocate_paid(struct account *payer, u64 ring_order)
{
	u64 bytes = ((PAGE_SIZE << FRONT_ORDER) + (PAGE_SIZE << (ring_order - RECORDS_PER_PAGE_BITS))) * cpu_count;

	if (!account_take(payer, bytes))
		return OOM;
	enum status s = allocate_all(ring_order);
	if (s != SUCCESS)
		account_give(payer, bytes);
	return s;
}

enum status trace_setup(struct pd *payer, u64 wanted, u64 *pages)
{
	enum status s = SUCCESS;

	if (wanted < TRACE_ORDER_MIN || wanted > TRACE_ORDER_MAX)
		return BAD_PAR;
	wanted = nospec_index(wanted, TRACE_ORDER_MAX + 1);
	if (!begin_change())
		return BUSY;
	if (!order) {
		s = allocate_paid(&payer->account, wanted);
		if (s == SUCCESS)
			__atomic_store_n(&order, wanted, __ATOMIC_RELEASE);
	} else if (order != wanted) {
		s = BUSY;
	}
	if (s == SUCCESS)
		*pages = FRONT_PAGES + ring_pages();
	return end_change(s);
}

static bool is_set_up(void)
{
	return __atomic_load_n(&order, __ATOMIC_ACQUIRE);
}

static enum status map_pages(struct pd *pd, u64 va, const u8 *heap, u64 count)
{
	enum status s = SUCCESS;

	for (u64 i = 0; i < count && s == SUCCESS; i++)
		s = space_mem_map_kernel_page(pd, va + i * PAGE_SIZE, heap + i * PAGE_SIZE, SPACE_MEM_HIP);
	return s;
}

enum status trace_map(u64 cpu_id, u64 va, struct ec *self)
{
	if (cpu_id >= HEDRON_CPU_MAX || !cpu_online((unsigned)cpu_id))
		return BAD_CPU;
	if (!is_set_up() || !is_aligned(va, PAGE_SIZE) || !va || va >= HEDRON_USER_END ||
	    HEDRON_USER_END - va < (FRONT_PAGES + ring_pages()) * PAGE_SIZE)
		return BAD_PAR;
	const struct trace_cpu *t = &arch_cpu(cpu_index((unsigned)cpu_id))->trace;
	if (!t->head) /* it was asleep when the others were set up */
		return BAD_CPU;
	enum status s = map_pages(self->pd, va, (const u8 *)t->head, FRONT_PAGES);
	return s == SUCCESS ? map_pages(self->pd, va + FRONT_PAGES * PAGE_SIZE, (const u8 *)t->ring, ring_pages())
			    : s;
}

/* While all other CPUs are stopped. */
static void show_state(u64 counters)
{
	trace_state.changes++;
	for (unsigned n = 0; n < cpu_count; n++) {
		struct trace_cpu *t = &arch_cpu(n)->trace;
		if (!t->head)
			continue;
		t->head->events = trace_state.events;
		t->head->measured = trace_state.measured;
		t->head->counters = counters;
		t->sample_asked = false;
	}
}

static void switch_stopped(void *next)
{
	const struct trace_state *to = next;

	arch_trace_patch(to->events, to->measured);
	trace_state.events = to->events;
	trace_state.measured = to->measured;
	show_state(cpu_current()->trace.head->counters);
}

static bool set_period(u32 cycles)
{
	if (!arch_pmu_set_period(cycles))
		return false;
	period = cycles;
	return true;
}

enum status trace_switch(u64 events, u64 paths)
{
	struct trace_state next = {.events = events, .measured = paths};

	if (events >= 1ul << TRACE_EVENTS || paths >= 1ul << TRACE_PATHS || !is_set_up())
		return BAD_PAR;
	if (!begin_change())
		return BUSY;
	bool stop = period && !(events & TRACE_BIT(SAMPLE));
	if (stop)
		set_period(0);
	arch_stop_machine(switch_stopped, stop ? arch_pmu_apply : NULL, &next);
	return end_change(SUCCESS);
}

/* The list as TRACE_CTRL_COUNTERS has it, in pieces. False: it makes no sense. */
static bool read_list(u64 list, u8 *kind, unsigned *count)
{
	for (*count = 0; list & 0xff; list >>= 8) {
		if (*count == TRACE_COUNTERS_MAX || (list & 0xff) > TRACE_COUNTER_KINDS)
			return false;
		kind[(*count)++] = (u8)nospec_index((list & 0xff) - 1, TRACE_COUNTER_KINDS);
	}
	return !list;
}

struct counters_change {
	u64 list;
	unsigned count;
};

/* Sums of other counters would be mixed with the new ones. */
static void count_stopped(void *next)
{
	const struct counters_change *to = next;

	trace_state.counters = to->count;
	for (unsigned n = 0; n < cpu_count; n++)
		if (arch_cpu(n)->trace.head)
			for (unsigned p = 0; p < TRACE_PATHS; p++)
				memset(arch_cpu(n)->trace.paths[p].counters, 0, sizeof(u64[TRACE_COUNTERS_MAX]));
	show_state(to->list);
}

enum status trace_counters(u64 list)
{
	struct counters_change next = {.list = list};
	u8 kind[TRACE_COUNTERS_MAX];

	if (!read_list(list, kind, &next.count) || !is_set_up())
		return BAD_PAR;
	if (!begin_change())
		return BUSY;
	if (!arch_pmu_choose(kind, next.count))
		return end_change(BAD_FTR);
	arch_stop_machine(count_stopped, arch_pmu_apply, &next);
	return end_change(SUCCESS);
}

enum status trace_sample(u64 cpu_id)
{
	if (!is_set_up())
		return BAD_PAR;
	if (cpu_id >= HEDRON_CPU_MAX || !cpu_online((unsigned)cpu_id))
		return BAD_CPU;
	struct cpu *cpu = arch_cpu(cpu_index((unsigned)cpu_id));
	if (cpu == cpu_current())
		return BAD_CPU;
	__atomic_store_n(&cpu->trace.sample_asked, true, __ATOMIC_SEQ_CST);
	arch_kick(cpu);
	return SUCCESS;
}

static void nothing_stopped(void *unused)
{
	(void)unused;
}

enum status trace_period(u64 cycles)
{
	if ((cycles && cycles < TRACE_PERIOD_MIN) || cycles > TRACE_PERIOD_MAX || !is_set_up())
		return BAD_PAR;
	if (!begin_change())
		return BUSY;
	if (cycles && !(trace_state.events & TRACE_BIT(SAMPLE)))
		return end_change(BAD_PAR);
	if (!set_period((u32)cycles))
		return end_change(BAD_FTR);
	arch_stop_machine(nothing_stopped, arch_pmu_apply, NULL);
	return end_change(SUCCESS);
}
