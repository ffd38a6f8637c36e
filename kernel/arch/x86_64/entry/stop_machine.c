/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopping all other CPUs for a moment. A CPU in its NMI handler is between two instructions of whatever it was at,
 * and no other NMI comes in, so as long as it waits there it is as good as stopped.
 *
 * Locking: a stopped CPU may own any lock and may be in the middle of any list. So the function that runs meanwhile
 * must be short, take no lock, and wait for no other CPU. One CPU at a time stops the others: whoever comes second
 * waits, and is stopped meanwhile.
 */
#include "entry/stop_machine.h"

#include "arch/switch.h"
#include "arch/trace.h"
#include "entry/nmi.h"

static bool taken; /* atomic */

static struct {
	const struct cpu *initiator; /* takes its NMIs as ever, because others may wait for its answers */
	u32 round;                   /* odd while CPUs are stopped */
	u32 stopped, left;           /* how many CPUs have come into and gone out of this round; atomic */
	void (*each)(void);
} stop;

void arch_stop_machine(void (*once)(void *), void (*each)(void), void *arg)
{
	u32 others;

	while (__atomic_exchange_n(&taken, true, __ATOMIC_ACQUIRE))
		arch_relax();
	stop.initiator = cpu_current();
	stop.each = each;
	stop.stopped = stop.left = 0;
	__atomic_add_fetch(&stop.round, 1, __ATOMIC_SEQ_CST);
	nmi_order(NMI_ORDER_STOP_MACHINE, true);
	others = nmi_kick_others();
	while (__atomic_load_n(&stop.stopped, __ATOMIC_ACQUIRE) != others)
		arch_relax();
	once(arg);
	nmi_order(NMI_ORDER_STOP_MACHINE, false);
	__atomic_add_fetch(&stop.round, 1, __ATOMIC_RELEASE);
	if (each)
		each();
	while (__atomic_load_n(&stop.left, __ATOMIC_ACQUIRE) != others)
		arch_relax();
	__atomic_store_n(&taken, false, __ATOMIC_RELEASE);
}

/*
 * It does not matter which NMI brings a CPU here: if it was one that had been sent before for another reason, the NMI
 * that was sent for this round comes later and finds nothing to do.
 */
void stop_machine_answer(void)
{
	u32 round = __atomic_load_n(&stop.round, __ATOMIC_ACQUIRE);

	if (likely(!(round & 1)) || stop.initiator == cpu_current())
		return;
	__atomic_add_fetch(&stop.stopped, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&stop.round, __ATOMIC_ACQUIRE) == round) {
		nmi_halt_if_ordered(); /* the initiator may panic meanwhile */
		arch_relax();
	}
	if (stop.each)
		stop.each();
	__atomic_add_fetch(&stop.left, 1, __ATOMIC_RELEASE);
}
