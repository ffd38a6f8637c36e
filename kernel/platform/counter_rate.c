/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/counter_rate.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "platform/panic.h"

/* Two spans of different length, one after the other, which have to agree. */
#define FIRST_US 3000
#define SECOND_US 7000
#define ROUNDS 3
#define TRIES 5          /* looks, of which the tightest counts */
#define STUCK_LOOKS 1000 /* with the same count: some milliseconds of port accesses, more than 20 us of any CPU */
#define SPAN_TICKS 200000000u /* no span takes longer, unless nobody had a CPU: 10 ms at 20 GHz */
#define SPAN_TICKS_BITS 33    /* nor longer than this, whatever happens: products fit into 64 bits */
#define LOOSE_PPM 2000        /* of a measurement as a whole */
#define SPANS_PPM 1000        /* that spans may be apart, beside what is uncertain about each */
#define MILLION 1000000u

/* Beginning, middle and end of a measurement, as one counter has it. */
struct marks {
	bool there, valid;
	bool slow; /* not one to wait with */
	struct counter_look at[3];
};

static u64 width(const struct counter_look *l)
{
	return l->after - l->before;
}

static bool take_mark(const struct counter *c, struct counter_look *mark)
{
	struct counter_look l;

	*mark = (struct counter_look){0, ~0ull, 0};
	for (int i = 0; i < TRIES; i++) {
		if (!c->look(c, &l))
			return false;
		if (width(&l) < width(mark))
			*mark = l;
	}
	return true;
}

static u64 counted(const struct counter *c, const struct counter_look *a, const struct counter_look *b)
{
	return (b->count - a->count) & bits_low(c->bits);
}

/* Until the counter has gone on by so much since `from`; false if it does not. */
static bool wait(const struct counter *c, const struct counter_look *from, u64 us)
{
	u64 ticks = c->hz * us / MILLION, begin = arch_tsc(), last = from->count;
	struct counter_look l;
	unsigned same = 0;

	do {
		arch_relax();
		if (!c->look(c, &l))
			return false;
		if (counted(c, from, &l) >= ticks)
			return true;
		same = l.count == last ? same + 1 : 0;
		last = l.count;
	} while (same < STUCK_LOOKS && l.after - begin < SPAN_TICKS);
	return false;
}

/* By the first counter that counts. */
static void wait_with_any(const struct counter c[], struct marks m[], unsigned n, unsigned from, u64 us)
{
	for (unsigned i = 0; i < n; i++) {
		if (!m[i].valid || m[i].slow)
			continue;
		if (wait(&c[i], &m[i].at[from], us))
			return;
		m[i].slow = true;
	}
}

static void take_marks(const struct counter c[], struct marks m[], unsigned n, unsigned at)
{
	for (unsigned i = 0; i < n; i++)
		m[i].valid = m[i].valid && take_mark(&c[i], &m[i].at[at]);
}

/* What the span between two marks says; false if it says nothing. */
static bool rate_of_span(const struct counter *c, const struct counter_look *a, const struct counter_look *b,
			 struct counter_rate *r)
{
	u64 ticks = b->before + width(b) / 2 - (a->before + width(a) / 2), count = counted(c, a, b);

	if (!count || !ticks || ticks >> SPAN_TICKS_BITS)
		return false;
	u64 khz = ticks * c->hz / count / 1000;
	u64 ppm = (width(a) + width(b)) / 2 * MILLION / ticks + MILLION / count;
	r->khz = (u32)min_u64(khz, ~0u);
	r->ppm = (u32)min_u64(ppm, MILLION);
	return khz >= COUNTER_KHZ_MIN && khz <= COUNTER_KHZ_MAX;
}

u32 counter_rate_apart(u32 a, u32 b)
{
	u64 low = min_u64(a, b), high = max_u64(a, b);

	return (u32)min_u64((high - low) * MILLION / low, ~0u);
}

static struct counter_rate judge(const struct counter *c, const struct marks *m)
{
	struct counter_rate whole, first, second;

	if (!m->valid)
		return (struct counter_rate){COUNTER_UNSTEADY, 0, 0};
	if (!counted(c, &m->at[0], &m->at[1]) && !counted(c, &m->at[1], &m->at[2]))
		return (struct counter_rate){COUNTER_STUCK, 0, 0};
	if (!rate_of_span(c, &m->at[0], &m->at[2], &whole) || !rate_of_span(c, &m->at[0], &m->at[1], &first) ||
	    !rate_of_span(c, &m->at[1], &m->at[2], &second) || whole.ppm > LOOSE_PPM ||
	    counter_rate_apart(first.khz, second.khz) > first.ppm + second.ppm + SPANS_PPM)
		return (struct counter_rate){COUNTER_UNSTEADY, 0, 0};
	whole.verdict = COUNTER_GOOD;
	return whole;
}

static void measure_once(struct counter c[], struct counter_rate r[], unsigned n)
{
	struct marks m[COUNTER_RATE_MAX] = {0};

	for (unsigned i = 0; i < n; i++)
		m[i].there = m[i].valid = r[i].verdict == COUNTER_UNSTEADY && c[i].start(&c[i]);
	take_marks(c, m, n, 0);
	wait_with_any(c, m, n, 0, FIRST_US);
	take_marks(c, m, n, 1);
	wait_with_any(c, m, n, 1, SECOND_US);
	take_marks(c, m, n, 2);
	for (unsigned i = 0; i < n; i++) {
		if (m[i].there)
			c[i].stop(&c[i]);
		if (r[i].verdict == COUNTER_UNSTEADY)
			r[i] = m[i].there ? judge(&c[i], &m[i]) : (struct counter_rate){COUNTER_ABSENT, 0, 0};
	}
}

static bool is_unsteady(const struct counter_rate r[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (r[i].verdict == COUNTER_UNSTEADY)
			return true;
	return false;
}

void counter_rate_measure(struct counter counter[], struct counter_rate rate[], unsigned n)
{
	kassert(n <= COUNTER_RATE_MAX);
	for (unsigned i = 0; i < n; i++)
		rate[i] = (struct counter_rate){COUNTER_UNSTEADY, 0, 0};
	for (int round = 0; round < ROUNDS && is_unsteady(rate, n); round++)
		measure_once(counter, rate, n);
}
