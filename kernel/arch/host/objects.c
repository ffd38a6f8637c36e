/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stand-ins for what the spaces want from core and from the CPU. All are weak: a test that cares has its own.
 */
#include "arch/space.h"
#include "host.h"
#include "lib/compiler.h"
#include "space/pd.h"

#define weak __attribute__((weak))

weak struct pd pd_kernel = {.obj = {.type = KOBJ_PD, .refs = 1}};

weak void kobject_caps_gone(struct kobject *o)
{
	(void)o;
}

weak void kobject_unref(struct kobject *o)
{
	__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL);
}

/* There are no grace periods here, so with several CPUs memory stays until host_reset(). */
weak void kobject_call_later(struct work *w, void (*fn)(struct work *))
{
	if (cpu_count == 1)
		fn(w);
}

weak struct space_obj_revocation *space_obj_unfinished(void)
{
	static _Thread_local struct space_obj_revocation r;
	return &r;
}

weak struct space_obj_delegation *space_obj_unfinished_delegation(void)
{
	static _Thread_local struct space_obj_delegation d;
	return &d;
}

enum status host_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order, unsigned perm)
{
	enum status s = space_obj_delegate(src, src_sel, dst, dst_sel, order, perm);

	return s == SUCCESS ? host_delegate_rest() : s;
}

enum status host_delegate_rest(void)
{
	struct space_obj_delegation *d = space_obj_unfinished_delegation();
	enum status s = SUCCESS;

	while (s == SUCCESS && !space_obj_delegate_is_over(d))
		s = space_obj_delegate_step(d);
	if (!space_obj_delegate_is_over(d))
		space_obj_delegate_drop(d);
	hazard_clear(cpu_current(), HAZARD_UNFINISHED);
	return s;
}

void host_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self)
{
	space_obj_revoke(pd, sel, order, perm, self);
	host_revoke_rest();
}

void host_revoke_rest(void)
{
	while (space_obj_revoke_step(space_obj_unfinished()))
		;
	hazard_clear(cpu_current(), HAZARD_UNFINISHED);
}

weak void arch_guests_stop(struct pd *pd)
{
	(void)pd;
}

weak enum status arch_pio_bitmap_attach(struct pd *pd)
{
	pd->pio.attached = true;
	return SUCCESS;
}
