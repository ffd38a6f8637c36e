/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU in its NMI handler is between two instructions of whatever it was at, and no other NMI comes in: as good as
 * stopped. None of them is waited for by what may run meanwhile, which is short and takes no locks.
 */
#include "entry/stop_machine.h"

#include "arch_switch.h"
#include "arch_trace.h"
#include "entry/nmi.h"

static struct {
	const struct cpu *holder; /* takes NMIs as ever: others may wait for its answers */
	u32 round;                /* odd while CPUs are held */
	u32 held, left;           /* in this round; atomic */
	void (*each)(void);
} hold;

void arch_hold_others(void (*once)(void *), void (*each)(void), void *arg)
{
	u32 others;

	hold.holder = cpu_current();
	hold.each = each;
	hold.held = hold.left = 0;
	__atomic_add_fetch(&hold.round, 1, __ATOMIC_SEQ_CST);
	nmi_order(NMI_ORDER_HOLD, true);
	others = nmi_kick_others();
	while (__atomic_load_n(&hold.held, __ATOMIC_ACQUIRE) != others)
		arch_relax();
	once(arg);
	nmi_order(NMI_ORDER_HOLD, false);
	__atomic_add_fetch(&hold.round, 1, __ATOMIC_RELEASE);
	if (each)
		each();
	while (__atomic_load_n(&hold.left, __ATOMIC_ACQUIRE) != others)
		arch_relax();
}

/* An NMI that was on its way before counts as well; the one that was meant comes later and finds nothing to do. */
void hold_answer(void)
{
	u32 round = __atomic_load_n(&hold.round, __ATOMIC_ACQUIRE);

	if (likely(!(round & 1)) || hold.holder == cpu_current())
		return;
	__atomic_add_fetch(&hold.held, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&hold.round, __ATOMIC_ACQUIRE) == round) {
		nmi_stop_if_ordered();
		arch_relax();
	}
	if (hold.each)
		hold.each();
	__atomic_add_fetch(&hold.left, 1, __ATOMIC_RELEASE);
}
