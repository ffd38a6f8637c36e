/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an NMI is. NMIs carry no number and merge: while one is handled or blocked, any number of others become one.
 * Each CPU counts the kicks for it; the NMI follows. So of the kicks that one handler finds counted, one is the
 * NMI it handles; the others have merged with it, or are still to come, and it is not known which. An NMI is called
 * foreign only if all NMIs that can still come have come: that is never said of an own one. One from outside
 * is overlooked only if it comes close to kicks that have merged.
 *
 * tests/model/nmi.pml has all interleavings of it. Manual: SDM vol. 3, 6.7.1 (NMIs are blocked until IRET, one is
 * kept).
 */
#pragma once

#include "core/percpu.h"
#include "lib/compiler.h"

/* In the handler of an NMI: true if exactly one kick was counted since the last one, so that this NMI is it. */
static always_inline bool nmi_origin_is_plain(struct cpu *cpu)
{
	u32 kicks = __atomic_load_n(&cpu->kicks, __ATOMIC_ACQUIRE);

	if (unlikely(kicks - cpu->nmi.handled != 1))
		return false;
	cpu->nmi.handled = kicks;
	return true;
}

/* Otherwise: whether a CPU of ours has sent the NMI, which hit the instruction at rip, or a guest (0). */
bool nmi_origin_look(struct cpu *cpu, u64 rip);
/* After that, and after the answers that others may wait for: waits for CPUs that are about to send a kick. */
void nmi_origin_settle(struct cpu *cpu);

/*
 * True if certainly no CPU of ours has sent the NMI; false may mean both. Then nothing is asked of this CPU, because
 * requests come with kicks, and what a kick asks for is looked for after the kick has been counted.
 */
static always_inline bool nmi_origin_is_foreign(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->kicks, __ATOMIC_ACQUIRE) == cpu->nmi.handled;
}
