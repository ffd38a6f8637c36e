/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of objects, in two steps, both on the way out of the kernel (or at the end of REVOKE) and not inside of the
 * operation that causes them: so nothing recurses and no lock is held. The first is due when the last capability is
 * gone, the second when the last reference is, which may be later. The memory is freed after that (free_object()): a
 * grace period later, unless used_by_nobody(), and on the owner CPU of an EC, an SC or a vCPU.
 */
#include "core/reap.h"

#include "arch/cpu.h"
#include "core/ec.h"
#include "core/kp.h"
#include "core/percpu.h"
#include "core/pt.h"
#include "core/rcu.h"
#include "core/remote.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "space/pd.h"

#define IS_LARGE_ENOUGH(type) _Static_assert(sizeof(type) <= KOBJECT_NOTHING_SIZE, "all of it can be looked at")
IS_LARGE_ENOUGH(struct pd);
IS_LARGE_ENOUGH(struct ec);
IS_LARGE_ENOUGH(struct sc);
IS_LARGE_ENOUGH(struct pt);
IS_LARGE_ENOUGH(struct sm);
IS_LARGE_ENOUGH(struct kp);
IS_LARGE_ENOUGH(struct vcpu);

static void queue(struct kobject *o)
{
	struct cpu *cpu = cpu_current();
	list_push_tail(&cpu->dying, &o->dying);
	hazard_set(cpu, HAZARD_REAP);
}

/* Capabilities together hold one reference, which reap_all() gives back. */
void kobject_caps_gone(struct kobject *o)
{
	queue(o);
}

void kobject_unref(struct kobject *o)
{
	if (!__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
		queue(o);
}

static always_inline void free_object(struct kobject *o)
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
		vcpu_free((struct vcpu *)o);
		break;
	case KOBJ_NONE:
		break;
	}
}

/* The owner CPU of an EC, SC or vCPU, which alone may touch its queues, call chains and registers. */
static unsigned owner_cpu(const struct kobject *o)
{
	switch ((enum kobject_type)o->type) {
	case KOBJ_EC:
		return ((const struct ec *)o)->cpu_id;
	case KOBJ_SC:
		return ((const struct sc *)o)->cpu_id;
	default:
		return ((const struct vcpu *)o)->cpu_id;
	}
}

static bool has_owner_cpu(const struct kobject *o)
{
	return 1u << o->type & (1u << KOBJ_EC | 1u << KOBJ_SC | 1u << KOBJ_VCPU);
}

static bool is_elsewhere(const struct kobject *o)
{
	return has_owner_cpu(o) && owner_cpu(o) != cpu_current()->id;
}

static void free_here(struct work *w)
{
	free_object(container_of(w, struct kobject, work));
	rcu_done();
}

/* A work item about the object may still be on its way: one that is sent now arrives behind it. */
static void free_on_owner_cpu(struct work *w)
{
	struct kobject *o = container_of(w, struct kobject, work);
	if (cpu_count > 1 && has_owner_cpu(o)) {
		rcu_sent(owner_cpu(o));
		remote_call(owner_cpu(o), w, free_here);
	} else {
		free_object(o);
	}
}

static void queue_here(struct work *w)
{
	queue(container_of(w, struct kobject, work));
}

static void send_to_owner_cpu(struct kobject *o)
{
	o->sent = true;
	rcu_sent(owner_cpu(o));
	remote_call(owner_cpu(o), &o->work, queue_here);
}

static always_inline void on_caps_gone(struct kobject *o)
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

/* Whether an object need not wait for a grace period: there is no other CPU that may have found it, and this one is
 * on its way out of the kernel. The exceptions are what it may be running: ECs, PDs, and what those refer to. */
static bool used_by_nobody(const struct kobject *o)
{
	return cpu_count == 1 && (o->type == KOBJ_PT || o->type == KOBJ_SM || o->type == KOBJ_SC);
}

static always_inline void on_refs_gone(struct kobject *o)
{
	if (o->type == KOBJ_EC)
		ec_retire((struct ec *)o);
	else if (o->type == KOBJ_KP)
		kp_retire((struct kp *)o);
	else if (o->type == KOBJ_VCPU)
		vcpu_retire((struct vcpu *)o);
	else if (o->type == KOBJ_PT)
		kobject_unref(&((struct pt *)o)->ec->obj);
	if (used_by_nobody(o))
		free_object(o);
	else
		rcu_call(&o->work, free_on_owner_cpu);
}

static void reap(struct kobject *o)
{
	bool caps = o->refs;

	/* SCs end on their owner CPU. So do ECs and vCPUs, but only when the last reference is gone: an EC's UTCB is
	 * unmapped here, at once. */
	if (unlikely(is_elsewhere(o)) && (o->type == KOBJ_SC || !caps)) {
		send_to_owner_cpu(o);
		return;
	}
	if (caps) {
		on_caps_gone(o);
		if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
			return;
		if (unlikely(is_elsewhere(o))) {
			send_to_owner_cpu(o);
			return;
		}
	}
	on_refs_gone(o);
}

void reap_all(struct cpu *cpu)
{
	while (!list_empty(&cpu->dying)) {
		struct kobject *o = list_first(&cpu->dying, struct kobject, dying);
		bool sent = o->sent;
		list_unlink(&o->dying);
		o->sent = false;
		reap(o);
		if (unlikely(sent))
			rcu_done();
	}
	hazard_clear(cpu, HAZARD_REAP);
}
