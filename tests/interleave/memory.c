/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include "explore.h"
#include "machine.h"
#include "report.h"

#include <string.h>

#define BUFFER_MAX 24 /* stores that a CPU holds back; then the oldest becomes visible */
#define WORDS 65536   /* of 8 bytes, by hash; has to be more than the runs of a scenario touch */

/* ---- what is known of each word of memory ---- */

struct clock {
	uint32_t of[MACHINE_CPUS];
};

struct word {
	uint64_t address; /* 0: unused */
	/* over all runs of the scenario */
	uint8_t readers, writers; /* CPUs, a bit each */
	bool shared, noted;       /* noted words are shared from the next run on */
};

/*
 * The last accesses to the word with the same index, while races are looked for: when, by the CPU's own clock, to
 * which of the eight bytes, and from where.
 */
struct order {
	uint32_t run; /* of which all this is; else it is out of date */
	struct clock released;
	int8_t write_cpu;
	bool write_marked;
	uint8_t write_bytes;
	uint32_t write_time;
	uint32_t read_time[MACHINE_CPUS];
	uint8_t read_bytes[MACHINE_CPUS];
	bool read_marked[MACHINE_CPUS];
	const void *write_pc, *read_pc[MACHINE_CPUS];
};

static struct word words[WORDS];
static struct order orders[WORDS];
#define NOTED_MAX 4096
static struct word *noted[NOTED_MAX];
static unsigned noted_count;
static uint32_t run;
static bool learned, races;
static bool paused[MACHINE_CPUS];                             /* accesses of these CPUs are no data races */
static struct clock clocks[MACHINE_CPUS], told[MACHINE_CPUS]; /* told: by those who have sent it an NMI */

static struct word *find(uint64_t address)
{
	uint64_t i = (address >> 3) * 0x9e3779b97f4a7c15 >> 48;

	for (;; i = (i + 1) % WORDS) {
		struct word *w = &words[i];
		if (w->address == address)
			return w;
		if (!w->address) {
			w->address = address;
			return w;
		}
	}
}

void memory_forget(void)
{
	memset(words, 0, sizeof(words));
	memset(orders, 0, sizeof(orders));
	learned = false;
	noted_count = 0;
}

void memory_check_races(bool on)
{
	races = on;
}

void memory_pause_races(bool on)
{
	if (machine_running() >= 0)
		paused[machine_running()] = on;
}

static struct order *order_of(const struct word *w)
{
	struct order *o = &orders[w - words];

	if (o->run == run)
		return o;
	o->run = run;
	o->write_cpu = -1;
	memset(&o->released, 0, sizeof(o->released));
	memset(o->read_time, 0, sizeof(o->read_time));
	return o;
}

bool memory_learn(void)
{
	bool was = learned;

	while (noted_count)
		noted[--noted_count]->shared = true;
	learned = false;
	return was;
}

static void learn(struct word *w, unsigned cpu, bool write)
{
	uint8_t bit = (uint8_t)(1u << cpu);

	if (write)
		w->writers |= bit;
	else
		w->readers |= bit;
	if (!w->noted && w->writers && (w->readers | w->writers) & ((w->readers | w->writers) - 1)) {
		w->noted = learned = true;
		if (noted_count < NOTED_MAX)
			noted[noted_count++] = w;
	}
}

/* ---- order ---- */

static void join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < MACHINE_CPUS; i++)
		if (from->of[i] > to->of[i])
			to->of[i] = from->of[i];
}

void memory_release_to(unsigned cpu)
{
	unsigned self = (unsigned)machine_running();
	join(&told[cpu], &clocks[self]);
	clocks[self].of[self]++;
}

void memory_acquire(void)
{
	unsigned self = (unsigned)machine_running();
	join(&clocks[self], &told[self]);
}

static bool ordered(unsigned cpu, uint32_t time, unsigned self)
{
	return cpu == self || time <= clocks[self].of[cpu];
}

static uint8_t byte_mask(uint64_t address, unsigned size)
{
	return (uint8_t)(((1u << size) - 1) << (address & 7));
}

/* Two accesses of which one writes, one is not marked, and neither is known to come first. */
static void find_race(const struct word *w, const struct order *o, unsigned self, uint8_t bytes, unsigned access,
		      const void *pc)
{
	bool marked = access & ACCESS_MARKED, write = access & ACCESS_WRITE;

	if (o->write_cpu >= 0 && o->write_bytes & bytes && !(marked && o->write_marked) &&
	    !ordered((unsigned)o->write_cpu, o->write_time, self))
		report_race(w->address, (unsigned)o->write_cpu, true, o->write_pc, self, write, pc);
	for (unsigned n = 0; write && n < MACHINE_CPUS; n++)
		if (o->read_time[n] && o->read_bytes[n] & bytes && !(marked && o->read_marked[n]) &&
		    !ordered(n, o->read_time[n], self))
			report_race(w->address, n, false, o->read_pc[n], self, write, pc);
}

static void note_order(const struct word *w, unsigned self, uint64_t address, unsigned size, unsigned access,
		       const void *pc)
{
	bool marked = access & ACCESS_MARKED, write = access & ACCESS_WRITE;
	uint8_t bytes = byte_mask(address, size);
	struct order *o = order_of(w);

	if (marked)
		join(&clocks[self], &o->released);
	find_race(w, o, self, bytes, access, pc);
	if (write) {
		o->write_cpu = (int8_t)self;
		o->write_time = clocks[self].of[self];
		o->write_bytes = bytes;
		o->write_marked = marked;
		o->write_pc = pc;
	} else {
		o->read_time[self] = clocks[self].of[self];
		o->read_bytes[self] = bytes;
		o->read_marked[self] = marked;
		o->read_pc[self] = pc;
	}
	if (marked && write) {
		join(&o->released, &clocks[self]);
		clocks[self].of[self]++;
	}
}

/* ---- store buffers ---- */

struct entry {
	void *p;
	unsigned size;
	uint64_t value, below; /* what it stores; what it hides while it is in view */
};

static struct buffer {
	struct entry entry[BUFFER_MAX];
	unsigned count;
	/* A plain store that the compiler does after its call: its value is not known yet. */
	struct entry coming;
	bool has_coming;
} buffers[MACHINE_CPUS];

static uint64_t load(const void *p, unsigned size)
{
	uint64_t v = 0;
	memcpy(&v, p, size);
	return v;
}

static void forget_first(struct buffer *b)
{
	/* Memory is as it is to be: it has this store, or a later one to the same place, of whose `below` this one is
	 * the value. So only the entry goes. */
	b->count--;
	memmove(&b->entry[0], &b->entry[1], b->count * sizeof(b->entry[0]));
}

static void append(struct buffer *b, struct entry e)
{
	if (b->count == BUFFER_MAX)
		forget_first(b);
	b->entry[b->count++] = e;
}

static void settle_coming(struct buffer *b)
{
	if (!b->has_coming)
		return;
	b->has_coming = false;
	b->coming.value = load(b->coming.p, b->coming.size);
	append(b, b->coming);
}

static struct buffer *own_buffer(void)
{
	int self = machine_running();
	return self < 0 ? NULL : &buffers[self];
}

void memory_drain(void)
{
	struct buffer *b = own_buffer();
	if (!b)
		return;
	if (b->count || b->has_coming)
		machine_changed();
	b->has_coming = false;
	b->count = 0;
}

static void take_out(struct buffer *b)
{
	for (unsigned i = b->count; i--;)
		memcpy(b->entry[i].p, &b->entry[i].below, b->entry[i].size);
}

static void put_back(struct buffer *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct entry *e = &b->entry[i];
		e->below = load(e->p, e->size);
		memcpy(e->p, &e->value, e->size);
	}
}

/* The last stores that stay in the buffer while another CPU runs: usually none. */
#define KEEP_MAX 3

static void choose_kept(struct buffer *b)
{
	unsigned most = b->count < KEEP_MAX ? b->count : KEEP_MAX;
	uint8_t cost[KEEP_MAX + 1] = {0, 1, 1, 1};
	unsigned keep = explore_choose(most + 1, cost);

	while (b->count > keep)
		forget_first(b);
}

void memory_switch(int to)
{
	int from = machine_running();

	if (from >= 0) {
		settle_coming(&buffers[from]);
		choose_kept(&buffers[from]);
		take_out(&buffers[from]);
	}
	machine_set_running(to);
	if (to >= 0)
		put_back(&buffers[to]);
}

void memory_drain_one(unsigned cpu)
{
	struct buffer *b = &buffers[cpu], *own = own_buffer();
	struct entry first;

	settle_coming(own);
	first = b->entry[0];
	forget_first(b);
	take_out(own); /* its stores to the same word come later */
	memcpy(first.p, &first.value, first.size);
	put_back(own);
	machine_changed();
}

bool memory_holds_back(unsigned cpu)
{
	return buffers[cpu].count;
}

bool memory_drain_all(void)
{
	bool any = false;
	int self = machine_running();

	if (self >= 0)
		settle_coming(&buffers[self]);
	for (unsigned n = 0; n < MACHINE_CPUS; n++) {
		any |= buffers[n].count;
		if ((int)n != self)
			put_back(&buffers[n]);
		buffers[n].count = 0;
	}
	return any;
}

/* ---- accesses ---- */

void memory_reset(void)
{
	run++;
	memset(buffers, 0, sizeof(buffers));
	memset(clocks, 0, sizeof(clocks));
	memset(told, 0, sizeof(told));
	memset(paused, 0, sizeof(paused));
	for (unsigned i = 0; i < MACHINE_CPUS; i++)
		clocks[i].of[i] = 1;
}

void memory_before(const void *p, unsigned size, unsigned access, const void *pc)
{
	struct buffer *b = own_buffer();
	uint64_t address = (uint64_t)p;

	if (!b)
		return;
	machine_count_access();
	settle_coming(b);
	if (machine_on_stack(address))
		return;
	struct word *w = find(address & ~7ull);
	learn(w, (unsigned)machine_running(), access & ACCESS_WRITE);
	if (access & ACCESS_WRITE)
		machine_changed();
	if (w->shared) {
		machine_point();
		report_access(p, size, access, pc);
	}
	if (races && !paused[machine_running()])
		note_order(w, (unsigned)machine_running(), address, size, access, pc);
	if (w->shared && access & ACCESS_WRITE && !(access & ACCESS_BY_CALL)) {
		b->coming = (struct entry){(void *)p, size, 0, load(p, size)};
		b->has_coming = true;
	}
}

void memory_locked_write(const void *p, unsigned size, const void *pc)
{
	uint64_t address = (uint64_t)p;

	memory_drain();
	if (!own_buffer() || machine_on_stack(address))
		return;
	struct word *w = find(address & ~7ull);
	learn(w, (unsigned)machine_running(), true);
	if (races)
		note_order(w, (unsigned)machine_running(), address, size, ACCESS_WRITE | ACCESS_MARKED, pc);
	machine_changed();
}

void memory_store(void *p, unsigned size, uint64_t value)
{
	struct buffer *b = own_buffer();
	struct entry e = {p, size, value, load(p, size)};

	memcpy(p, &value, size);
	if (b && !machine_on_stack((uint64_t)p) && find((uint64_t)p & ~7ull)->shared) {
		append(b, e);
		machine_changed();
	}
}
