/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include "rt/cpu.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"

#define KEPT 16 /* pages that a CPU may keep for objects it has just freed */

enum { RANGE = 0x400000, ORDER = 19 }; /* selectors */

static unsigned long usual, most;
static unsigned turn;
static volatile unsigned long settled;

static void come_to_rest(RT_UNUSED void *unused)
{
	smp_inc(&settled);
}

/* Threads of lowest priority: all others have come to rest before they run. */
void memory_settle(void)
{
	static struct rt_ec ec[SMP_MAX];

	for (unsigned round = 0; round < 2; round++) {
		settled = 0;
		for (unsigned i = 0; i < smp_count; i++)
			smp_thread(&ec[i], i, RT_PRIO, come_to_rest, NULL);
		while (smp_load(&settled) != smp_count) {
			hc_yield();
			rt_pause();
		}
		for (unsigned i = 0; i < smp_count; i++) {
			RT_MUST(rt_revoke(ec[i].sc));
			RT_MUST(rt_revoke(ec[i].sel));
		}
	}
}

static void exhaust(unsigned self)
{
	enum status st = SUCCESS;
	unsigned long n = 0;

	if (self != turn)
		return;
	while (n < 1ul << ORDER && (st = hc_create_kp(RANGE + n, RT_SEL_PD)) == SUCCESS)
		n++;
	if (n > most)
		most = n;
	EXPECT_ST(st, OOM);
	EXPECT_OK(hc_revoke(rt_obj(RANGE, ORDER, PERM_ALL), REVOKE_SELF, 0));
	smp_progress(self);
}

static unsigned long capacity(void)
{
	memory_settle();
	for (unsigned round = 0; round < 2; round++) {
		most = 0;
		for (turn = 0; turn < smp_count; turn++)
			smp_run(smp_count, exhaust);
	}
	return most;
}

void memory_measure(void)
{
	usual = capacity();
}

bool memory_is_back(void)
{
	unsigned long now = capacity();

	if (now + KEPT * smp_count >= usual)
		return true;
	test_fail(__FILE__, __LINE__, "only %lu of %lu pages came back", now, usual);
	return false;
}
