/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/suspend_state.h"

#include "apic/lapic.h"
#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "irq/irq_open.h"
#include "trace/pmu.h"
#include "virt/virt.h"

/* MSRs that firmware may have set when the machine started, and need not set after sleep. They need not exist. */
static const u32 msrs[SUSPEND_STATE_MSRS] = {
	MSR_SPEC_CTRL,
	0x1a0, /* MISC_ENABLE */
	MSR_PAT,
};

void suspend_state_save(struct cpu *cpu, struct suspend_state *s)
{
	*s = (struct suspend_state){
		.cr3 = cr3_read(), .fs_base = fsbase_read(), .gs_base = gsbase_read(), .apic_mode = lapic_mode()};
	for (unsigned i = 0; i < SUSPEND_STATE_MSRS; i++)
		s->has_msr[i] = msr_read_safe(msrs[i], &s->msr[i]);
	mtrr_save(&s->mtrr);
	fpu_save(cpu->ec);
	virt->stop_cpu(cpu);
	if (cpu->sc)
		dispatch_charge(cpu, cpu->sc);
}

/* A value that the CPU refuses now (firmware has locked the register) is not worth dying for. */
static void restore_msr(u32 msr, u64 value)
{
	u64 now;
	if (msr_read_safe(msr, &now) && now != value)
		(void)!msr_write_safe(msr, value);
}

static void restore_registers(const struct suspend_state *s)
{
	for (unsigned i = 0; i < SUSPEND_STATE_MSRS; i++)
		if (s->has_msr[i])
			restore_msr(msrs[i], s->msr[i]);
	mtrr_restore(&s->mtrr);
	lapic_restore_mode(s->apic_mode);
	/* Whatever the TLB holds is from the way here. */
	cr3_write(s->cr3 & ~CR3_NOFLUSH);
	fsbase_write(s->fs_base);
	gsbase_write(s->gs_base);
}

void suspend_state_restore(struct cpu *cpu, const struct suspend_state *s, bool reset)
{
	if (reset)
		restore_registers(s);
	else
		virt->start_cpu(cpu);
	if (reset) {
		pmu_restore_cpu();
		irq_open_restore_cpu();
	}
	fpu_load(cpu->ec);
}
