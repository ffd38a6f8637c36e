/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/exception.h"

#include "arch_switch.h"
#include "core/dispatch.h"
#include "core/ipc.h"
#include "core/pt.h"
#include "platform/console.h"
#include "space/space_obj.h"

#include <hedron/crd.h>

__attribute__((noreturn)) static cold void die(struct cpu *cpu, struct ec *self, unsigned event, const char *why)
{
	log_user("killed EC: event %u (%s) at rip %#lx, cr2 %#lx, error %#lx: %s", event, arch_event_name(event),
		 self->regs.rip, self->regs.cr2, self->regs.error, why);
	ec_kill(self);
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

__attribute__((noreturn)) static cold void raise_slow(struct cpu *cpu, struct ec *self, unsigned event, struct pt *pt)
{
	struct ec *handler = pt->ec;
	if (handler->cpu_id != cpu->id)
		die(cpu, self, event, "its handler is on another CPU");
	if (ec_is_dead(handler))
		die(cpu, self, event, "its handler is dead");
	if (handler->caller == cpu->idle_ec) {
		ec_kill(handler);
		die(cpu, self, event, "the portal's entry is not canonical");
	}
	self->cont = CONT_EVENT;
	self->event = (u8)event;
	ipc_help(cpu, self, handler);
}

void exception_raise(struct cpu *cpu, struct ec *self, unsigned event)
{
	struct pt *pt = (struct pt *)cap_lookup_object((u64)self->event_base + event, KOBJ_PT, 0);
	if (unlikely(!pt))
		die(cpu, self, event, "no portal");
	struct ec *handler = pt->callee;
	if (unlikely(handler->caller != cpu->idle_ec))
		raise_slow(cpu, self, event, pt);

	self->cont = CONT_IRET;
	handler->caller = self;
	handler->special |= EC_EXCEPTION;
	self->callee = handler;
	handler->regs.rip = pt->rip;
	handler->regs.rdi = READ_ONCE(pt->id);
	handler->utcb->items = UTCB_STATE_WORDS;
	handler->utcb->state.mtd = pt->mtd;
	arch_state_read(self, handler->utcb, pt->mtd);

	arch_ec_switch_event(cpu, self, handler, pt->mtd & MTD_FPU);
	arch_return_syscall(handler);
}

/* Typed items of the answer go to the page that faulted, whatever the event was. */
#define FAULT_WINDOW_ORDER 31

static bool take_state(struct cpu *cpu, struct ec *self, struct ec *caller)
{
	u64 mtd = READ_ONCE(self->utcb->state.mtd);
	u64 items = READ_ONCE(self->utcb->items);
	if (unlikely(items >> 16 & 0xffff))
		ipc_transfer_items(self, caller, items, 0,
				   crd_make(CRD_MEM, caller->regs.cr2 >> PAGE_BITS, FAULT_WINDOW_ORDER, PERM_ALL), NULL);
	bool valid = arch_state_write(caller, self->utcb, mtd);
	caller->cont = CONT_IRET;
	if (unlikely(mtd & MTD_FPU && valid))
		arch_fpu_hand_over(cpu, self, caller);
	return valid;
}

static cold void kill_for_rip(struct ec *ec)
{
	log_user("killed EC: its handler answered with the non-canonical rip %#lx", ec->regs.rip);
	ec_kill(ec);
}

void exception_take_reply(struct cpu *cpu, struct ec *self, struct ec *caller)
{
	bool valid = take_state(cpu, self, caller);
	ipc_finish_reply(cpu, self);
	if (unlikely(!valid))
		kill_for_rip(caller);
}

void exception_reply(struct cpu *cpu, struct ec *self, struct ec *caller)
{
	bool valid = take_state(cpu, self, caller);
	caller->callee = NULL;
	self->caller = cpu->idle_ec;
	self->special = 0;
	if (unlikely(!valid)) {
		self->cont = CONT_SYSRET;
		kill_for_rip(caller);
		arch_dispatch();
	}
	arch_ec_switch(cpu, self, caller);
	if (unlikely(cpu->hazard))
		arch_dispatch();
	arch_return_trap(caller);
}
