/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SC, SC_CTRL. */
#include "arch/cpu.h"
#include "core/sc.h"
#include "lib/nospec.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_sc_create(u64 arg1, u64 parent, u64 ec_sel, u64 arg4, struct ec *self)
{
	unsigned prio = arg4 & 0xff;
	u32 quantum = (u32)(arg4 >> 12);
	struct cap_slot *slot;
	struct sc *sc;

	struct pd *pd = sys_parent(parent);
	if (!pd)
		return BAD_CAP;
	struct ec *ec = (struct ec *)cap_lookup_object(ec_sel, KOBJ_EC, PERM_EC_SC);
	if (!ec || !ec_is_global(ec))
		return BAD_CAP;
	if (!prio || prio > HEDRON_PRIO_MAX || !quantum)
		return BAD_PAR;
	if (unlikely(!cpu_not_lost(ec->cpu_id)))
		return BAD_CPU; /* nobody would start or end it */
	prio = (unsigned)nospec_wrap(prio, HEDRON_PRIO_MAX + 1);
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = sc_create(pd, ec, prio, quantum, &sc);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	s = sys_install(self->pd, slot, &sc->obj, PERM_SC_ALL);
	sc_start(sc);
	return s;
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
