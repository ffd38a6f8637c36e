/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_EC, EC_CTRL. */
#include "core/dispatch.h"
#include "core/pd.h"
#include "syscall/syscall.h"

#define CPU_FIELD_MASK 0xfff

enum status sys_ec_create(struct ec *self, const struct hypercall *c)
{
	unsigned flags = c->arg1 >> 8 & 0xf;
	u64 sel = hc_sel(c->arg1);
	struct ec_config cfg = {
		.cpu_id = c->arg3 & CPU_FIELD_MASK,
		.utcb_va = c->arg3 & ~(u64)CPU_FIELD_MASK,
		.rsp = c->arg4,
		.event_base = (u32)c->arg5,
		.global = flags & CREATE_EC_GLOBAL,
	};

	if (!cpu_online(cfg.cpu_id))
		return BAD_CPU;
	cfg.pd = sys_parent(c->arg2, NULL);
	if (!cfg.pd)
		return BAD_CAP;
	if (cfg.utcb_va >= HEDRON_USER_END)
		return BAD_PAR;
	if (flags & 6)
		return BAD_PAR;
	cfg.utcb_pd = flags & CREATE_EC_CALLER_UTCB ? self->pd : cfg.pd;

	enum status s = space_obj_reserve(self->pd, sel);
	if (s != SUCCESS)
		return s;
	struct ec *ec;
	s = ec_create(&cfg, &ec);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, sel);
		return s;
	}
	kobject_publish(&ec->obj);
	space_obj_commit(self->pd, sel, &ec->obj, PERM_EC_ALL);
	return SUCCESS;
}

enum status sys_ec_ctrl(struct ec *self, const struct hypercall *c)
{
	(void)self;
	if (hc_op(c->arg1) != EC_CTRL_YIELD)
		return BAD_PAR;
	dispatch_yield(cpu_current());
	return SUCCESS;
}
