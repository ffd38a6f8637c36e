/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SC, SC_CTRL. */
#include "core/sc.h"

#include "arch/arch.h"
#include "core/pd.h"
#include "syscall/syscall.h"

enum status sys_sc_create(struct ec *self, const struct hypercall *c)
{
	u64 sel = hc_sel(c->arg1);
	unsigned prio = c->arg4 & 0xff;
	u32 quantum = (u32)(c->arg4 >> 12);

	if (!sys_parent(c->arg2, NULL))
		return BAD_CAP;
	struct ec *ec = (struct ec *)cap_lookup_object(c->arg3, KOBJ_EC, PERM_EC_SC);
	if (!ec || !ec_is_global(ec))
		return BAD_CAP;
	if (!prio || prio > HEDRON_PRIO_MAX || !quantum)
		return BAD_PAR;
	enum status s = space_obj_reserve(self->pd, sel);
	if (s != SUCCESS)
		return s;
	struct sc *sc;
	s = sc_create(ec, prio, quantum, &sc);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, sel);
		return s;
	}
	kobject_publish(&sc->obj);
	space_obj_commit(self->pd, sel, &sc->obj, PERM_SC_ALL);
	sc_start(sc);
	return SUCCESS;
}

enum status sys_sc_ctrl(u64 arg1, struct ec *self)
{
	struct sc *sc = (struct sc *)cap_lookup_object(hc_sel(arg1), KOBJ_SC, PERM_SC_CTRL);
	if (!sc)
		return BAD_CAP;
	u64 us = arch_tsc_to_us(sc_consumed(sc));
	self->regs.rsi = us >> 32;
	self->regs.rdx = (u32)us;
	return SUCCESS;
}
