/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/exception.h"

#include "arch/switch.h"
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
	if (kobject_is_nothing(&pt->obj))
		die(cpu, self, event, "no portal");
	if (handler->cpu_id != cpu->id)
		die(cpu, self, event, "its handler is on another CPU");
	if (ec_is_dead(handler))
		die(cpu, self, event, "its handler is dead");
	if (ec_is_idle_here(cpu, handler) && !arch_is_canonical(pt->rip)) {
		ec_kill(handler);
		die(cpu, self, event, "the portal's entry is not canonical");
	}
	self->cont = CONT_EVENT;
	self->event = (u8)event;
	ipc_help(cpu, self, handler);
}

static noinline struct ec *switch_with_fpu(struct cpu *cpu, struct ec *self, struct ec *handler)
{
	arch_ec_switch_fpu(cpu, self, handler);
	return handler;
}

/* On the likely path all calls are jumps (or inline), so the compiler need not save a register for one. */
struct ec *exception_raise(struct cpu *cpu, struct ec *self, unsigned event)
{
	struct pt *pt = (struct pt *)cap_lookup_or_nothing((u64)self->event_base + event, KOBJ_PT, 0);
	struct ec *handler = pt->callee;
	if (unlikely(!ec_is_idle_here(cpu, handler)))
		raise_slow(cpu, self, event, pt);

	struct utcb *utcb = handler->utcb;
	u64 mtd = pt->mtd;

	handler->caller = self;
	handler->special |= EC_EXCEPTION; /* it is idle: only EC_HELPED can be there */
	self->callee = handler;
	handler->regs.rip = pt->rip;
	handler->regs.rdi = READ_ONCE(pt->id);
	utcb->items = UTCB_STATE_WORDS;
	utcb->state.mtd = mtd;
	arch_state_read(self, utcb, mtd);

	if (unlikely(mtd & MTD_FPU))
		return switch_with_fpu(cpu, self, handler);
	return arch_ec_switch(cpu, self, handler);
}

/* Typed items of the answer have one window: the naturally aligned block of 2^31 pages around the address of the EC's
 * last page fault, whatever the event was. */
#define FAULT_WINDOW_ORDER 31

static cold void kill_for_rip(struct ec *ec)
{
	log_user("killed EC: its handler answered with the non-canonical rip %#lx", ec->regs.rip);
	ec_kill(ec);
}

bool exception_take_reply(struct cpu *cpu, struct ec *self, struct ec *caller)
{
	u64 mtd = READ_ONCE(self->utcb->state.mtd);
	u64 items = READ_ONCE(self->utcb->items);
	crd_t window = crd_make(CRD_MEM, caller->regs.cr2 >> PAGE_BITS, FAULT_WINDOW_ORDER, PERM_ALL);

	if ((items >> 16 & 0xffff) && !ipc_transfer_items(self, caller, items, 0, window, NULL)) {
		if (!ec_is_dead(caller))
			return false;
		unfinished_drop_items(&self->unfinished); /* it was killed, because there was no memory for one */
	}
	arch_state_write(caller, self->utcb, mtd);
	caller->cont = CONT_IRET;
	ipc_finish_reply(cpu, self);
	if (!arch_is_canonical(caller->regs.rip))
		kill_for_rip(caller);
	else if (mtd & MTD_FPU)
		arch_fpu_hand_over(cpu, self, caller);
	return true;
}

/* Whether the address is certainly canonical. The slow path looks closer at addresses above user space. */
static always_inline bool plain_rip(const struct ec *ec)
{
	return !(ec->regs.rip >> 47);
}

struct ec *exception_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	const struct utcb *utcb = self->utcb;
	struct ec *caller = self->caller;
	u64 mtd = READ_ONCE(utcb->state.mtd);

	if (unlikely(self->special != EC_EXCEPTION) || unlikely(arg1 > 0xfff) ||
	    unlikely(READ_ONCE(utcb->items) & 0xffff0000) || unlikely(mtd & MTD_FPU))
		return ipc_reply_slow(arg1, unused2, unused3, unused4, cpu, self);
	arch_state_write(caller, utcb, mtd);
	if (unlikely(!plain_rip(caller)))
		return ipc_reply_slow(arg1, unused2, unused3, unused4, cpu, self);
	caller->callee = NULL;
	self->caller = cpu->idle_ec;
	self->special = 0;
	arch_return_trap(arch_ec_switch(cpu, self, caller));
}
