/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_EC, EC_CTRL. */
#include "arch/cpu.h"
#include "core/dispatch.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_ec_create(u64 arg1, u64 parent, u64 arg3, u64 rsp, u64 event_base, struct ec *self)
{
	unsigned flags = arg1 >> 8 & 0xf;
	struct cap_slot *slot;
	struct ec *ec;
	struct ec_config cfg = {
		.cpu_id = hc_cpu(arg3),
		.utcb_va = align_down(arg3, PAGE_SIZE),
		.rsp = rsp,
		.event_base = (u32)event_base,
		.global = flags & CREATE_EC_GLOBAL,
	};

	if (!cpu_online(cfg.cpu_id))
		return BAD_CPU;
	cfg.cpu_id = cpu_index(cfg.cpu_id);
	cfg.pd = sys_parent(parent);
	if (!cfg.pd)
		return BAD_CAP;
	if (cfg.utcb_va >= HEDRON_USER_END)
		return BAD_PAR;
	if (flags & 6)
		return BAD_PAR;
	cfg.utcb_pd = flags & CREATE_EC_CALLER_UTCB ? self->pd : cfg.pd;

	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = ec_create(&cfg, &ec);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, &ec->obj, PERM_EC_ALL);
}

enum status sys_ec_ctrl(u64 arg1)
{
	return likely(hc_op(arg1) == EC_CTRL_YIELD) ? dispatch_yield(cpu_current()) : BAD_PAR;
}
