/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virt/virt_mca.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "cpu/mca.h"
#include "platform/console.h"
#include "platform/panic.h"

bool virt_mca_ends_run(struct cpu *cpu)
{
	enum mca_outcome o = mca_take(cpu, MCA_IN_GUEST);

	if (o == MCA_OUTCOME_PANIC) {
		arch_halt_others();
		console_seize();
		mca_show(cpu);
		panic("machine check in a guest on CPU %u", cpu->id);
	}
	return o == MCA_OUTCOME_END;
}
