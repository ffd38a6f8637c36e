/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of objects, in two steps that both happen on the way out of the kernel and not inside of the operation that causes them: so
 * nothing recurses and no lock is held. First the last capability goes; then, maybe later, the last reference.
 */
#include "core/kobject.h"

#include "arch/arch.h"
#include "core/ec.h"
#include "core/kp.h"
#include "core/pd.h"
#include "core/percpu.h"
#include "core/pt.h"
#include "core/rcu.h"
#include "core/sc.h"
#include "core/sm.h"

static void queue(struct kobject *o)
{
	struct cpu *cpu = cpu_current();
	list_push_tail(&cpu->dying, &o->dying);
	cpu->hazard |= HAZARD_REAP;
}

/* The capabilities' reference is given back by kobject_reap(). */
void kobject_caps_gone(struct kobject *o) { queue(o); }

void kobject_unref(struct kobject *o)
{
	if (!__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
		queue(o);
}

static void free_object(struct kobject *o)
{
	switch ((enum kobject_type)o->type) {
	case KOBJ_PD:
		pd_free((struct pd *)o);
		break;
	case KOBJ_EC:
		ec_free((struct ec *)o);
		break;
	case KOBJ_SC:
		sc_free((struct sc *)o);
		break;
	case KOBJ_PT:
		pt_free((struct pt *)o);
		break;
	case KOBJ_SM:
		sm_free((struct sm *)o);
		break;
	case KOBJ_KP:
		kp_free((struct kp *)o);
		break;
	case KOBJ_VCPU:
	case KOBJ_NONE:
		break;
	}
}

static void free_later(struct rcu_head *head) { free_object(container_of(head, struct kobject, rcu)); }

static void on_caps_gone(struct kobject *o)
{
	switch ((enum kobject_type)o->type) {
	case KOBJ_PD:
		pd_close((struct pd *)o);
		break;
	case KOBJ_EC:
		ec_unmap_utcb((struct ec *)o);
		break;
	case KOBJ_SC:
		sc_retire((struct sc *)o);
		break;
	case KOBJ_SM:
		sm_retire((struct sm *)o);
		break;
	default:
		break;
	}
}

static void on_refs_gone(struct kobject *o)
{
	if (o->type == KOBJ_EC)
		ec_retire((struct ec *)o);
	else if (o->type == KOBJ_KP)
		kp_retire((struct kp *)o);
	else if (o->type == KOBJ_PT)
		kobject_unref(&((struct pt *)o)->ec->obj);
	rcu_call(&o->rcu, free_later);
}

void kobject_discard(struct kobject *o)
{
	on_caps_gone(o);
	on_refs_gone(o);
}

void kobject_reap(struct cpu *cpu)
{
	while (!list_empty(&cpu->dying)) {
		struct kobject *o = list_first(&cpu->dying, struct kobject, dying);
		list_remove(&o->dying);
		if (o->refs) {
			on_caps_gone(o);
			if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
				continue;
		}
		on_refs_gone(o);
	}
}
