/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_place.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/string.h"

#include <stdbool.h>

/*
 * Colours: last-level caches pick the set by physical page number, and 64 pages pass through all sets of an L2 of
 * 256 KiB a way. Addresses: a second-level TLB has some hundred sets. Objects: 64 semaphores fill a page of the
 * kernel's.
 */
#define COLOURS 64
#define ADDRESSES 512
#define OBJECTS 64
#define STACK_SLOTS 64 /* of 16 bytes: one page's cache lines */

#define CPUID_RDRAND (1u << 30)

static struct {
	uint64_t seed, state;
	size_t stack; /* bytes */
} place;

/* SDM vol. 1, 7.3.17: carry says whether a number came; ten tries are enough for a generator that works. */
static bool draw_by_processor(uint64_t *value)
{
	bool good = false;

	if (!(rt_cpuid(1, 0).ecx & CPUID_RDRAND))
		return false;
	for (unsigned i = 0; i < 10 && !good; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
	return good;
}

/* The next of a sequence that the seed determines (SplitMix64). */
static uint64_t next(void)
{
	uint64_t z = place.state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A short one, which is easily typed, and never 0. Without RDRAND, how long the boot took to the tick is as good. */
static uint64_t random_seed(void)
{
	uint64_t value;

	place.state = draw_by_processor(&value) ? value : rt_rdtsc();
	return next() % 0xffffffff + 1;
}

static bool is_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return text && !strncmp(text, word, n) && (!text[n] || text[n] == ' ');
}

static uint64_t choose_seed(void)
{
	const char *text = rt_arg_text("placement");
	uint64_t seed = rt_arg("placement", 0) & INT64_MAX; /* as JSON has numbers */

	if (is_word(text, "fixed"))
		return 0;
	if (is_word(text, "random"))
		return random_seed();
	if (text && !seed)
		rt_panic("placement= wants fixed, random, or a number from 1");
	return text || bench_counts_instructions() ? seed : random_seed();
}

void bench_place(void)
{
	sel_t sm;

	place.seed = choose_seed();
	if (!place.seed)
		return;
	place.state = place.seed;
	rt_pages(next() % COLOURS + 1);
	rt_va(next() % ADDRESSES + 1, 1);
	for (uint64_t n = next() % COLOURS; n; n--)
		rt_utcb_page();
	for (uint64_t n = next() % OBJECTS; n; n--)
		RT_MUST(rt_sm(&sm, 0));
	place.stack = next() % STACK_SLOTS * 16;
}

uint64_t bench_place_seed(void)
{
	return place.seed;
}

size_t bench_place_stack(void)
{
	return place.stack;
}
