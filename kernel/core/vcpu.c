/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/vcpu.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/irq.h"
#include "core/kp.h"
#include "core/percpu.h"
#include "core/remote.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "space/pd.h"

static struct slab_cache vcpu_cache;

void vcpu_init_cache(void)
{
	slab_init(&vcpu_cache, "vcpu", align_up(sizeof(struct vcpu), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

static void put_parts(struct kobject *const parts[], unsigned n)
{
	while (n)
		kobject_unref(parts[--n]);
}

/* All of them, or none. */
static bool get_parts(struct kobject *const parts[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!kobject_get(parts[i])) {
			put_parts(parts, i);
			return false;
		}
	return true;
}

#define VCPU_PARTS 4

static struct vcpu *allocate(const struct vcpu_config *cfg)
{
	struct vcpu *v = slab_take(&vcpu_cache, &cfg->pd->account);
	if (!v)
		return NULL;
	memset(v, 0, sizeof(*v));
	v->obj.type = KOBJ_VCPU;
	v->obj.account = account_name(&cfg->pd->account);
	v->cpu_id = cfg->cpu_id;
	v->pd = cfg->pd;
	v->state_kp = cfg->state;
	v->vlapic_kp = cfg->vlapic;
	v->fpu_kp = cfg->fpu;
	v->state = &((struct utcb *)cfg->state->page)->state;
	return v;
}

static enum status make(const struct vcpu_config *cfg, struct vcpu **out)
{
	struct kobject *const parts[VCPU_PARTS] = {&cfg->pd->obj, &cfg->state->obj, &cfg->vlapic->obj,
						   &cfg->fpu->obj};

	if (!get_parts(parts, VCPU_PARTS))
		return BAD_CAP;
	struct vcpu *v = allocate(cfg);
	enum status s = v ? arch_vcpu_init(v) : OOM;
	if (s == SUCCESS) {
		*out = v;
		return SUCCESS;
	}
	if (v)
		slab_return(&vcpu_cache, v, &cfg->pd->account);
	put_parts(parts, VCPU_PARTS);
	return s;
}

/* Guests of passthrough PDs take the interrupts of their CPU. */
enum status vcpu_create(const struct vcpu_config *cfg, struct vcpu **out)
{
	if (!arch_vcpu_supported() || (cfg->pd->passthrough && !irq_admit_guest()))
		return BAD_FTR;
	enum status s = make(cfg, out);
	if (s != SUCCESS && cfg->pd->passthrough)
		irq_dismiss_guest();
	return s;
}

/* ---- running ---- */

static always_inline enum status begin_run(struct vcpu *v, struct ec *self)
{
	v->ec = self;
	self->vcpu = v;
	return arch_vcpu_begin(v);
}

/* A vCPU that was poked does not enter the guest, unless it has an event to deliver. State page and `mtd` stay as
 * they are, for the next run. */
static noinline enum status run_poked(struct vcpu *v, struct ec *self)
{
	if (arch_vcpu_has_event(v))
		return begin_run(v, self);
	WRITE_ONCE(v->poked, false);
	WRITE_ONCE(v->state->exit_reason, VCPU_EXIT_POKED);
	return SUCCESS;
}

enum status vcpu_run(struct vcpu *v, u64 mtd, u64 wanted, struct ec *self)
{
	if (unlikely(v->cpu_id != self->cpu_id))
		return kobject_is_nothing(&v->obj) ? BAD_CAP : BAD_CPU;
	if (unlikely(v->ec))
		return BUSY;
	v->mtd |= mtd;
	v->wanted = wanted;
	if (unlikely(READ_ONCE(v->poked)))
		return run_poked(v, self);
	return begin_run(v, self);
}

void vcpu_leave_run(struct ec *ec)
{
	arch_vcpu_leave_run(ec->vcpu);
	ec->vcpu->ec = NULL;
	ec->vcpu = NULL;
}

/*
 * On the vCPU's CPU, whose guest the signal has interrupted if it ran. If no run is in progress the vCPU stops being
 * the loaded one, so that the next pokes send nothing: the next run looks at `poked` itself.
 */
static void take_poke(struct work *w)
{
	struct vcpu *v = container_of(w, struct vcpu, poke);
	struct cpu *cpu = cpu_current();

	(void)__atomic_exchange_n(&v->poke_sent, false, __ATOMIC_SEQ_CST); /* before the next look at `poked` */
	if (!v->ec && cpu->vcpu == v)
		WRITE_ONCE(cpu->vcpu, NULL);
}

/* Sets `poked`, then looks whether the vCPU is loaded; its CPU marks it as loaded and then looks at `poked`
 * (vmx_load_vcpu()). Both have a barrier between, so one of the two sees the other. */
enum status vcpu_poke_slow(struct vcpu *v)
{
	if (kobject_is_nothing(&v->obj))
		return BAD_CAP;
	if (!cpu_not_lost(v->cpu_id))
		return BAD_CPU;
	if (__atomic_exchange_n(&v->poked, true, __ATOMIC_SEQ_CST))
		return SUCCESS;
	if (__atomic_load_n(&arch_cpu(v->cpu_id)->vcpu, __ATOMIC_SEQ_CST) == v &&
	    !__atomic_exchange_n(&v->poke_sent, true, __ATOMIC_ACQ_REL))
		remote_call(v->cpu_id, &v->poke, take_poke);
	return SUCCESS;
}

/* ---- the end ---- */

void vcpu_retire(struct vcpu *v)
{
	if (v->ec) {
		struct ec *ec = vcpu_end_run(v);
		ec->regs.rdi = BAD_CAP;
		ec->cont = CONT_SYSRET;
	}
	arch_vcpu_retire(v);
	if (v->pd->passthrough)
		irq_dismiss_guest();
	kobject_unref(&v->pd->obj);
	kobject_unref(&v->state_kp->obj);
	kobject_unref(&v->vlapic_kp->obj);
	kobject_unref(&v->fpu_kp->obj);
}

void vcpu_free(struct vcpu *v)
{
	arch_vcpu_free(v);
	slab_return(&vcpu_cache, v, account_named(v->obj.account));
}
