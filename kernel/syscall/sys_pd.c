/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PD, PD_CTRL. */
#include "core/pd.h"
#include "core/rcu.h"

#include "space/delegate.h"
#include "syscall/syscall.h"

enum status sys_pd_create(struct ec *self, const struct hypercall *c)
{
	unsigned perm;
	struct pd *parent = sys_parent(c->arg2, &perm), *pd;
	if (!parent)
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(c->arg1));
	if (s != SUCCESS)
		return s;
	bool passthrough = (c->arg1 >> 8 & CREATE_PD_PASSTHROUGH) && parent->passthrough;
	s = pd_create(passthrough, &pd);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, hc_sel(c->arg1));
		return s;
	}
	kobject_publish(&pd->obj);
	s = delegate_initial(self->pd, pd, c->arg3);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, hc_sel(c->arg1));
		kobject_caps_gone(&pd->obj);
		return s;
	}
	space_obj_commit(self->pd, hc_sel(c->arg1), &pd->obj, perm);
	return SUCCESS;
}

static noinline enum status translate(struct pd *src, struct pd *dst, u64 crd, u64 flags, u64 window, struct ec *self)
{
	struct delegation out;
	enum status s = delegate_item(src, dst, (struct delegation){crd, flags}, window, window, &out);
	if (s == SUCCESS) {
		self->regs.rdx = out.crd;
		self->regs.rax = out.meta;
	}
	return s;
}

static cold enum status delegate_again(u64 arg1, u64 arg2, u64 crd, u64 flags, u64 window, struct ec *self);

/* A plain delegation is all that is frequent. */
static noinline enum status delegate_or_translate(u64 arg1, u64 arg2, u64 crd, u64 flags, u64 window, struct ec *self)
{
	struct pd *src = sys_pd(hc_sel(arg1));
	if (unlikely(!src))
		return BAD_CAP;
	struct pd *dst = sys_pd(arg2);
	if (unlikely(!dst))
		return BAD_CAP;
	if (unlikely((flags & ITEM_KIND_MASK) != ITEM_DELEGATE))
		return translate(src, dst, crd, flags, window, self);
	struct delegated d = delegate(src, dst, crd, flags, window);
	if (likely(d.status == SUCCESS)) {
		self->regs.rdx = d.crd;
		self->regs.rax &= ITEM_FLAGS_MASK; /* still as ARG4 brought it */
	}
	if (unlikely(d.status == OOM))
		return delegate_again(arg1, arg2, crd, flags, window, self);
	return d.status;
}

/* Memory may be short only because what was deleted waits for a grace period. What is named is looked up again: it may have gone. */
static cold enum status delegate_again(u64 arg1, u64 arg2, u64 crd, u64 flags, u64 window, struct ec *self)
{
	return rcu_expedite(cpu_current()) ? delegate_or_translate(arg1, arg2, crd, flags, window, self) : OOM;
}

#define MSR_SHIFT 12

static noinline enum status msr_access(u64 arg1, u64 value, struct ec *self)
{
	bool write = arg1 >> 8 & PD_CTRL_MSR_WRITE;

	if (!self->pd->passthrough)
		return BAD_CAP;
	enum status s = arch_msr_access(arg1 >> MSR_SHIFT, write, &value);
	if (!write)
		self->regs.rsi = s == SUCCESS ? value : 0;
	return s;
}

static noinline enum status map_access_page(crd_t crd, struct ec *self)
{
	u64 gpa = crd_base(crd) << PAGE_BITS;

	if (crd_kind(crd) != CRD_MEM || crd_order(crd) || crd_perm(crd) != (PERM_MEM_R | PERM_MEM_W) ||
	    crd_base(crd) >= HEDRON_USER_END >> PAGE_BITS)
		return BAD_PAR;
	return pd_map_access_page(self->pd, gpa);
}

static always_inline enum status lookup(crd_t crd, struct ec *self)
{
	self->regs.rsi = likely(crd_kind(crd) == CRD_OBJ) ? delegate_lookup_obj(crd) : delegate_lookup(self->pd, crd);
	return SUCCESS;
}

enum status sys_pd_ctrl(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5, struct ec *self)
{
	switch (hc_op(arg1)) {
	case PD_CTRL_DELEGATE:
		return delegate_or_translate(arg1, arg2, arg3, arg4, arg5, self);
	case PD_CTRL_LOOKUP:
		return lookup(arg2, self);
	case PD_CTRL_MSR:
		return msr_access(arg1, arg2, self);
	default:
		return map_access_page(arg2, self);
	}
}
