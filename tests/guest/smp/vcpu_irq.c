/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts that come while a guest runs, when they are open: their handler runs, and the guest knows nothing. */
#include "irq_device.h"
#include "vcpu.h"

#include "rt/hip.h"
#include "rt/panic.h"
#include "rt/thread.h"

enum { NOW_AND_THEN = 2000, ENOUGH = 20, RFLAGS_IF = 1 << 9 };

VM_CODE(busy, "1: incl 0x6000\n jmp 1b\n");

static sel_t sm;
static struct vm *vm;
static unsigned long handled;

static void handle(RT_UNUSED void *unused)
{
	while (hc_sm_down(sm) == SUCCESS) {
		hc_irq_ack(sm);
		if (smp_inc(&handled) + 1 == ENOUGH)
			hc_vcpu_poke(vm->vcpu.sel);
	}
}

static void run(RT_UNUSED unsigned self)
{
	irq_pit_every(NOW_AND_THEN);
	EXPECT_OK(vm_run_on(vm));
	irq_pit_stop();
	EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
	EXPECT(smp_load(&handled) >= ENOUGH);
	EXPECT(*vm_u32(vm, COUNTER) > 0);
}

/* Nothing is closed again, so this is the last one. */
void interrupts_while_running(void)
{
	static struct rt_ec ec;

	NEED_VCPUS;
	irq_device_init();
	ASSERT_OK(hc_irq_open());
	vm = vm_on(0, 0);
	vm_begin(vm, busy);
	vm->s->rflags |= RFLAGS_IF; /* Bochs has no exit without it */
	vm->mtd |= MTD_RFLAGS;
	sm = smp_sm(0);
	ASSERT_OK(hc_irq_bind_line(sm, IRQ_LINE_ISA | IRQ_PIT_ISA, smp_cpu(0)));
	smp_thread(&ec, 0, SMP_PRIO + 10, handle, NULL);
	smp_run(1, run);
}
