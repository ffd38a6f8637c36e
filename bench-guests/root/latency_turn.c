/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "latency_turn.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/size.h"

#include <stdbool.h>
#include <stddef.h>

#define HPET 0xfed00000ul /* where chipsets have it; what is read there is checked */

/* IA-PC HPET specification 1.0a, 2.3: registers, as indices of 32-bit words. */
enum {
	HPET_PERIOD = 0x4 / 4, /* of a tick, femtoseconds */
	HPET_CONFIG = 0x10 / 4,
	HPET_COUNT = 0xf0 / 4,
	HPET_TIMER = 0x100 / 4,
	HPET_COMPARATOR = 0x108 / 4,
};
enum { HPET_ENABLE = 1 << 0, HPET_TIMER_32 = 1 << 8 };
#define HPET_PERIOD_MAX 100000000u
#define FEMTO_KHZ 1000000000000ul /* femtoseconds of a period of 1 kHz */

static volatile uint32_t *hpet; /* null: CPUs do not take turns */
static uint64_t ticks_per_count;

static const char *take_hpet(void)
{
	volatile uint32_t *at = rt_map(HPET, RT_PAGE, RT_MEM_RW);
	uint32_t period = at ? at[HPET_PERIOD] : 0;

	if (!period || period > HPET_PERIOD_MAX)
		return "CPUs take turns, and the machine has no HPET to end them";
	at[HPET_CONFIG] |= HPET_ENABLE;
	at[HPET_TIMER] = HPET_TIMER_32; /* without interrupts: that it is due ends the turn */
	ticks_per_count = ((uint64_t)period * rt_hip->freq_tsc + FEMTO_KHZ / 2) / FEMTO_KHZ;
	hpet = ticks_per_count ? at : NULL;
	return hpet ? NULL : "the HPET counts faster than the time-stamp counter";
}

const char *latency_turn_init(void)
{
	return bench_counts_instructions() ? take_hpet() : NULL;
}

void latency_turn(uint64_t ticks)
{
	uint64_t end = rt_rdtsc() + ticks;

	if (hpet)
		hpet[HPET_COMPARATOR] = hpet[HPET_COUNT] + (uint32_t)(ticks / ticks_per_count);
	while (rt_rdtsc() < end)
		rt_pause();
}
