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
#include "core/irq.h"
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

/* SCs first: a thread that loses its SC and its semaphore by one hypercall is not to be woken by the end of the
 * latter and to keep the former from ending. */
static void queue(struct kobject *o)
{
	struct cpu *cpu = cpu_current();
	if (o->type == KOBJ_SC)
		list_push_head(&cpu->dying, &o->dying);
	else
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

void kobject_call_later(struct work *w, void (*fn)(struct work *))
{
	rcu_call(w, fn);
}

static always_inline void free_object(struct kobject *o, enum kobject_type type)
{
	switch (type) {
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
	case KOBJ_PD: /* free_pd() */
	case KOBJ_NONE:
		break;
	}
}

/* The owner CPU of an EC, SC or vCPU, which alone may touch its queues, call chains and registers. */
static always_inline unsigned owner_cpu(const struct kobject *o, enum kobject_type type)
{
	switch (type) {
	case KOBJ_EC:
		return ((const struct ec *)o)->cpu_id;
	case KOBJ_SC:
		return ((const struct sc *)o)->cpu_id;
	default:
		return ((const struct vcpu *)o)->cpu_id;
	}
}

static always_inline bool has_owner_cpu(enum kobject_type type)
{
	return 1u << type & (1u << KOBJ_EC | 1u << KOBJ_SC | 1u << KOBJ_VCPU);
}

static void free_here(struct work *w)
{
	struct kobject *o = container_of(w, struct kobject, work);

	free_object(o, o->type);
	rcu_done();
}

/* A work item about the object may still be on its way: one that is sent now arrives behind it. */
static void free_on_owner_cpu(struct work *w)
{
	struct kobject *o = container_of(w, struct kobject, work);
	if (cpu_count > 1 && has_owner_cpu(o->type)) {
		unsigned cpu_id = owner_cpu(o, o->type);

		rcu_sent(cpu_id);
		remote_call(cpu_id, w, free_here);
		unfinished_excuse(cpu_current());
	} else {
		free_object(o, o->type);
	}
}

/* A PD is freed in pieces, and each takes as long as many other objects. */
static void free_pd(struct work *w)
{
	struct work *next = w->next;
	bool all = pd_free(container_of(w, struct pd, obj.work));

	rcu_stop_before(all ? next : w);
}

static void queue_here(struct work *w)
{
	queue(container_of(w, struct kobject, work));
}

static void send_to_owner_cpu(struct kobject *o)
{
	unsigned cpu_id = owner_cpu(o, o->type);

	o->sent = true;
	rcu_sent(cpu_id);
	remote_call(cpu_id, &o->work, queue_here);
}

/* ---- What follows has code of its own for each kind, which the compiler makes: `type` is a constant ---- */

static always_inline bool is_elsewhere(const struct kobject *o, enum kobject_type type)
{
	return has_owner_cpu(type) && owner_cpu(o, type) != cpu_current()->id;
}

static always_inline void on_caps_gone(struct kobject *o, enum kobject_type type)
{
	switch (type) {
	case KOBJ_EC:
		ec_unmap_utcb((struct ec *)o);
		break;
	case KOBJ_SC:
		sc_retire((struct sc *)o);
		break;
	default:
		break;
	}
}

/* Whether an object need not wait for a grace period: there is no other CPU that may have found it, and this one is
 * on its way out of the kernel. The exceptions are what it may be running: ECs, PDs, and what those refer to. */
static always_inline bool used_by_nobody(enum kobject_type type)
{
	return (type == KOBJ_PT || type == KOBJ_SM || type == KOBJ_SC) && cpu_count == 1;
}

static always_inline void on_refs_gone(struct kobject *o, enum kobject_type type)
{
	if (type == KOBJ_EC)
		ec_retire((struct ec *)o);
	else if (type == KOBJ_KP)
		kp_retire((struct kp *)o);
	else if (type == KOBJ_VCPU)
		vcpu_retire((struct vcpu *)o);
	else if (type == KOBJ_PT)
		kobject_unref(&((struct pt *)o)->ec->obj);
	if (used_by_nobody(type))
		free_object(o, type);
	else if (type == KOBJ_PD)
		rcu_call_large(&o->work, free_pd);
	else
		rcu_call(&o->work, free_on_owner_cpu);
}

static always_inline void reap(struct kobject *o, enum kobject_type type, bool caps)
{
	/* SCs end on their owner CPU. So do ECs and vCPUs, but only when the last reference is gone: an EC's UTCB is
	 * unmapped here, at once. */
	if (unlikely(is_elsewhere(o, type)) && (type == KOBJ_SC || !caps)) {
		send_to_owner_cpu(o);
		return;
	}
	if (caps) {
		on_caps_gone(o, type);
		if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL)) {
			if (type == KOBJ_SM)
				irq_sm_gone((struct sm *)o);
			return;
		}
		if (unlikely(is_elsewhere(o, type))) {
			send_to_owner_cpu(o);
			return;
		}
		if (type == KOBJ_EC && unlikely(ec_leaves_much((struct ec *)o))) {
			queue(o); /* for reap_piece(), now without references */
			return;
		}
	}
	on_refs_gone(o, type);
}

static bool ec_bury(struct ec *ec)
{
	return unfinished_bury(ec) || ec_release_helpers(ec);
}

/*
 * Some objects leave work without a bound: a PD what it holds, a semaphore those who wait, an EC a hypercall in which
 * it was killed, and its helpers. Does a piece of it. False: there is no more, and reap() may have the object.
 */
static always_inline bool reap_piece(struct kobject *o, enum kobject_type type, bool caps)
{
	switch (type) {
	case KOBJ_PD:
		return caps && !pd_close((struct pd *)o);
	case KOBJ_SM:
		return caps && sm_retire((struct sm *)o);
	case KOBJ_EC:
		return !caps && !is_elsewhere(o, type) && ec_bury((struct ec *)o);
	default:
		return false;
	}
}

/* All of the object, or a piece. */
static always_inline void reap_some(struct kobject *o, enum kobject_type type)
{
	bool caps = READ_ONCE(o->refs), sent = has_owner_cpu(type) && o->sent;

	if (reap_piece(o, type, caps))
		return;
	list_unlink(&o->dying);
	if (has_owner_cpu(type))
		o->sent = false;
	reap(o, type, caps);
	if (unlikely(sent))
		rcu_done();
}

static always_inline void reap_first(struct cpu *cpu)
{
	struct kobject *o = list_first(&cpu->dying, struct kobject, dying);

	switch ((enum kobject_type)o->type) {
	case KOBJ_PD:
		reap_some(o, KOBJ_PD);
		break;
	case KOBJ_EC:
		reap_some(o, KOBJ_EC);
		break;
	case KOBJ_SC:
		reap_some(o, KOBJ_SC);
		break;
	case KOBJ_PT:
		reap_some(o, KOBJ_PT);
		break;
	case KOBJ_SM:
		reap_some(o, KOBJ_SM);
		break;
	case KOBJ_KP:
		reap_some(o, KOBJ_KP);
		break;
	case KOBJ_VCPU:
		reap_some(o, KOBJ_VCPU);
		break;
	case KOBJ_NONE:
		unreachable(); /* kobject_nothing is never queued */
	}
}

static bool leaves_much(const struct kobject *o)
{
	return o->type == KOBJ_EC && !READ_ONCE(o->refs) && !is_elsewhere(o, KOBJ_EC) &&
	       ec_leaves_much((const struct ec *)o);
}

static noinline void postpone(struct cpu *cpu, struct kobject *o)
{
	bool sent = o->sent;

	o->sent = false;
	unfinished_make_orphan(cpu, o);
	if (sent)
		rcu_done();
}

void reap_sent(struct cpu *cpu)
{
	do {
		struct kobject *o = list_first(&cpu->dying, struct kobject, dying);

		if (unlikely(leaves_much(o)))
			postpone(cpu, o);
		else
			reap_first(cpu);
	} while (!list_empty(&cpu->dying));
	hazard_clear(cpu, HAZARD_REAP);
}

/* What was dismantled is freed on the way, where it can be, at the cost of whoever has deleted it. */
#define REAP_PIECE 32

bool reap_all(struct cpu *cpu)
{
	for (unsigned n = 1;; n++) {
		reap_first(cpu);
		if (likely(list_empty(&cpu->dying)))
			break;
		if (unfinished_wanted(cpu) || unlikely(cpu->hazard & HAZARD_CROWD))
			return false;
		if (unlikely(n % REAP_PIECE == 0))
			rcu_quiesce(cpu);
	}
	hazard_clear(cpu, HAZARD_REAP);
	return true;
}
