/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PD, PD_CTRL. */
#include "arch/cpu.h"
#include "arch/machine.h"
#include "space/delegate.h"
#include "space/pd.h"
#include "syscall/syscall.h"

/* It gets the permissions that the caller has for the parent. */
enum status sys_pd_create(u64 arg1, u64 parent_sel, crd_t objects, struct ec *self)
{
	cap_t cap = cap_lookup(parent_sel);
	struct pd *parent = (struct pd *)cap_check(cap, KOBJ_PD, PERM_PD_CREATE), *pd;
	struct kobject *made = NULL;
	struct cap_slot *slot;
	struct cpu *cpu;

	if (!parent)
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = pd_create(parent, (arg1 >> 8 & CREATE_PD_PASSTHROUGH) && parent->passthrough, &pd);
	if (s == SUCCESS) {
		made = &pd->obj;
		kobject_publish(made);
		s = delegate_initial(self->pd, pd, objects);
		cpu = cpu_current();
		if (unlikely(cpu->hazard & HAZARD_UNFINISHED)) {
			unfinished_create(cpu, slot, cap_perm(cap));
			return SUCCESS;
		}
		if (s != SUCCESS)
			kobject_caps_gone(made);
	}
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, made, cap_perm(cap));
}

static noinline enum status translate(struct pd *src, struct pd *dst, u64 crd, u64 flags, u64 window, struct ec *self)
{
	struct utcb_item out;
	enum status s = delegate_item(src, dst, (struct utcb_item){crd, flags}, window, window, &out);
	if (s == SUCCESS) {
		self->regs.rdx = out.crd;
		self->regs.rax = out.meta;
	}
	return s;
}

static cold enum status delegate_again(u64 arg1);

/* A plain delegation is all that is frequent. */
enum status sys_pd_delegate(u64 arg1, u64 arg2, u64 crd, struct ec *self, u64 window)
{
	u64 flags = self->regs.rax;
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
		struct regs *r = &cpu_current()->ec->regs; /* cheaper than to keep `self` until now */
		r->rdx = d.crd;
		r->rax &= ITEM_FLAGS_MASK; /* still as ARG4 brought it */
	}
	if (unlikely(d.status == OOM))
		return delegate_again(arg1);
	return d.status;
}

static cold enum status delegate_again(u64 arg1)
{
	return sys_again(sys_pd_delegate, arg1);
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

static enum status ctrl_again(u64 arg1, u64 arg2, u64 unused3, struct ec *self, u64 unused5);

static noinline enum status ctrl_other(u64 arg1, u64 arg2, struct ec *self)
{
	enum status s;

	switch (hc_op(arg1)) {
	case PD_CTRL_LOOKUP:
		self->regs.rsi = delegate_lookup(self->pd, arg2);
		return SUCCESS;
	case PD_CTRL_MSR:
		return msr_access(arg1, arg2, self);
	default:
		s = map_access_page(arg2, self);
		return s == OOM ? sys_again(ctrl_again, arg1) : s;
	}
}

/* Of the access page. */
static enum status ctrl_again(u64 arg1, u64 arg2, u64 unused3, struct ec *self, u64 unused5)
{
	(void)arg1, (void)unused3, (void)unused5;
	return map_access_page(arg2, self);
}

/* All but delegation. The look-up of an object is all that is frequent. */
enum status sys_pd_ctrl(u64 arg1, u64 arg2, struct ec *self)
{
	if (unlikely(arg1 & SYS_PD_OP) || unlikely(crd_kind(arg2) != CRD_OBJ))
		return ctrl_other(arg1, arg2, self);
	self->regs.rsi = delegate_lookup_obj(arg2);
	return SUCCESS;
}
