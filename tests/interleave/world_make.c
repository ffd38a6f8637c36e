/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/dispatch.h"
#include "core/kp.h"
#include "core/pt.h"
#include "core/rcu.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "kernel_side.h"
#include "lib/bits.h"
#include "machine.h"
#include "mm/page.h"
#include "report.h"
#include "space/kobject.h"
#include "variables.h"
#include "world_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FPU_SIZE 576

/* ---- the beginning ---- */

static void must(enum status s)
{
	if (s != SUCCESS) {
		fprintf(stderr, "a scenario cannot be set up: status %d\n", s);
		abort();
	}
}

static void name(const void *p, u64 size, const char *what, unsigned n)
{
	char text[32];
	snprintf(text, sizeof(text), "%s%u", what, n);
	report_name(p, size, text);
}

static void insert(u64 sel, struct kobject *o, unsigned perm)
{
	kobject_publish(o);
	must(space_obj_insert_root(world.pds[0], sel, o, perm));
	for (unsigned n = 1; n < WORLD_PDS; n++)
		if (world.pds[n])
			must(space_obj_delegate(world.pds[0], sel, world.pds[n], sel, 0, PERM_ALL));
}

static void make_cpus(unsigned n)
{
	variables_restore();
	kernel_side_reset(n);
	must(space_pio_boot(&pd_kernel));
	world.pages_at_first = page_free_count();
	pd_init_cache();
	ec_init_caches(FPU_SIZE);
	sc_init_cache();
	pt_init_cache();
	sm_init_cache();
	kp_init_cache();
	vcpu_init_cache();
	for (unsigned i = 0; i < n; i++) {
		struct cpu *cpu = &interleave_cpus[i];
		sched_init(&cpu->sched);
		cpu->ec = cpu->idle_ec = ec_create_idle(&pd_kernel, i);
		cpu->space = &pd_kernel;
		cpu->sleeping = SLEEPING_MWAIT;
		name(cpu, sizeof(*cpu), "cpu", i);
	}
	world.used_at_first = account_look(&pd_kernel.account).used;
}

static unsigned pds_needed(void)
{
	unsigned n = 1;
	for (unsigned t = 0; t < WORLD_THREADS; t++)
		n = (unsigned)max_u64(n, world.scenario->threads[t].pd + 1u);
	return world.scenario->ports_end ? WORLD_PDS : n;
}

/* Each PD gets two pages of the hypervisor's memory at WORLD_PAGE, which unmap and touch are about; the first also
 * ports. */
static void make_pds(void)
{
	memset(world.pds, 0, sizeof(world.pds));
	for (unsigned n = 0; n < pds_needed(); n++) {
		must(pd_create(&pd_kernel, false, &world.pds[n]));
		kobject_publish(&world.pds[n]->obj);
		must(space_obj_insert_root(world.pds[0], WORLD_PD(n), &world.pds[n]->obj, PERM_PD_ALL));
		name(world.pds[n], sizeof(struct pd), "pd", n);
		if (n)
			must(space_obj_delegate(world.pds[0], WORLD_PD(n), world.pds[n], WORLD_PD(n), 0, PERM_ALL));
		if (!n)
			must(space_pio_delegate(&pd_kernel, world.pds[0], WORLD_PORTS, WORLD_PORTS_ORDER, PIO_HOST));
		must(space_mem_delegate(&pd_kernel, world.pds[n], 0x100 + 2 * n, WORLD_PAGE, 1, PERM_ALL));
	}
}

static void make_threads(void)
{
	memset(world.threads, 0, sizeof(world.threads));
	for (unsigned t = 0; t < WORLD_THREADS; t++) {
		const struct thread *spec = &world.scenario->threads[t];
		if (!world_has_thread(t))
			continue;
		struct ec_config cfg = {.pd = world.pds[spec->pd],
					.utcb_pd = world.pds[spec->pd],
					.rsp = 0x7000,
					.cpu_id = spec->cpu,
					.global = !spec->local};
		must(ec_create(&cfg, &world.threads[t].ec));
		insert(WORLD_EC(t), &world.threads[t].ec->obj, PERM_EC_ALL);
		name(world.threads[t].ec, sizeof(struct ec), "ec", t);
		world.threads[t].ec->cont = CONT_SYSRET;
		if (spec->local)
			continue;
		must(sc_create(world.pds[spec->pd], world.threads[t].ec, spec->prio, 1000, &world.threads[t].sc));
		insert(WORLD_SC(t), &world.threads[t].sc->obj, PERM_SC_ALL);
		name(world.threads[t].sc, sizeof(struct sc), "sc", t);
	}
}

static struct kp *make_kp(void)
{
	struct kp *kp;
	must(kp_create(world.pds[0], &kp));
	kobject_publish(&kp->obj);
	return kp;
}

static void make_vcpu(unsigned n, unsigned cpu)
{
	struct kp *state = make_kp(), *vlapic = make_kp(), *fpu = make_kp();
	struct vcpu_config cfg = {world.pds[0], state, vlapic, fpu, cpu};
	struct vcpu *v;

	must(vcpu_create(&cfg, &v));
	insert(WORLD_OBJECT(n), &v->obj, PERM_VCPU_CTRL);
	name(v, sizeof(*v), "vcpu", n);
	kobject_unref(&state->obj);
	kobject_unref(&vlapic->obj);
	kobject_unref(&fpu->obj);
}

static void make_object(unsigned n)
{
	const struct object *o = &world.scenario->objects[n];
	struct sm *sm;
	struct pt *pt;

	switch ((enum object_kind)o->kind) {
	case OBJECT_SM:
		must(sm_create(world.pds[0], o->value, &sm));
		insert(WORLD_OBJECT(n), &sm->obj, PERM_SM_ALL);
		name(sm, sizeof(*sm), "sm", n);
		break;
	case OBJECT_PT:
		must(pt_create(world.pds[0], world.threads[o->value].ec, 0x1000, 0, &pt));
		insert(WORLD_OBJECT(n), &pt->obj, PERM_PT_ALL);
		name(pt, sizeof(*pt), "pt", n);
		break;
	case OBJECT_VCPU:
		make_vcpu(n, o->value);
		break;
	case OBJECT_NONE:
	case OBJECT_FREE:
		break;
	}
}

/* Each CPU, one after the other, until nothing is left to do: all are in user mode or asleep. */
static void settle(void)
{
	for (unsigned round = 0, busy = 1; busy; round++) {
		busy = 0;
		for (unsigned n = 0; n < cpu_count; n++) {
			struct cpu *cpu = &interleave_cpus[n];
			if (!cpu_online(n) || !(machine_take_nmi(n) | !!cpu->hazard | !!cpu->mailbox.newest))
				continue;
			busy = 1;
			kernel_side_set_cpu(n);
			interleave_nmi();
			if (cpu->ec == cpu->idle_ec)
				interleave_idle_end(cpu);
			kernel_side_after_nmi();
		}
		if (round > 100) {
			fprintf(stderr, "the world does not come to rest\n");
			abort();
		}
	}
	kernel_side_set_cpu(0);
}

/* Takes pages away until only `left` are free, for scenarios about scarce memory. */
static void hoard_pages(u64 left)
{
	while (page_free_count() > left) {
		void **page = page_alloc();
		if (!page)
			report_fail("%lu pages are free, and none can be had", page_free_count());
		*page = world.hoard;
		world.hoard = page;
	}
}

static void give_back_hoard(void)
{
	while (world.hoard) {
		void *page = world.hoard;
		world.hoard = *(void **)page;
		page_free(page);
	}
}

void world_make(void)
{
	make_cpus(world.scenario->cpus);
	make_pds();
	make_threads();
	for (unsigned n = 0; n < WORLD_OBJECTS; n++)
		make_object(n);
	for (unsigned t = 0; t < WORLD_THREADS; t++)
		if (world.threads[t].sc)
			sc_start(world.threads[t].sc);
	settle();
	memset(world.flags, 0, sizeof(world.flags));
	world.unmapped = false;
	world.hoard = NULL;
	if (world.scenario->pages)
		hoard_pages(world.scenario->pages);
}

/* ---- the end ---- */

static void drop(u64 sel)
{
	space_obj_revoke(world.pds[0], sel, 0, PERM_ALL, true);
	while (space_obj_revoke_step(space_obj_unfinished()))
		;
	hazard_clear(interleave_cpu, HAZARD_UNFINISHED);
}

/* User mode and sleep use nothing, so grace periods end as soon as they are asked for. */
static void free_all(void)
{
	for (unsigned i = 0; i < 12; i++) {
		settle();
		for (unsigned n = 0; n < cpu_count; n++)
			if (interleave_cpus[n].ec == interleave_cpus[n].idle_ec)
				interleave_cpus[n].sleeping = SLEEPING_MWAIT;
		for (unsigned n = cpu_count; n--;) {
			kernel_side_set_cpu(n);
			rcu_quiesce(interleave_cpu);
		}
	}
	settle();
}

/* A CPU that was lost keeps what was ready on it. */
static void end_cpu(unsigned n)
{
	struct cpu *cpu = &interleave_cpus[n];

	if (cpu->ec != cpu->idle_ec || cpu->sc || (cpu_online(n) && (cpu->preempted || sched_top(&cpu->sched))))
		report_fail("CPU %u still runs something after everything was revoked", n);
	/* The kernel never does that: the account that pays for idle ECs has no name. */
	struct account *heir = page_alloc_zeroed();
	if (!heir)
		report_fail("no page is left for the end of CPU %u", n);
	cpu->idle_ec->obj.account = account_name(heir);
	ec_free(cpu->idle_ec);
	page_free(heir);
}

void world_unmake(void)
{
	give_back_hoard();
	for (unsigned n = 0; n < cpu_count; n++)
		hazard_clear(&interleave_cpus[n], HAZARD_RCU);
	for (unsigned t = 0; t < WORLD_THREADS; t++) {
		drop(WORLD_SC(t));
		drop(WORLD_EC(t));
	}
	for (unsigned n = 0; n < WORLD_OBJECTS; n++)
		drop(WORLD_OBJECT(n));
	settle();
	for (unsigned n = WORLD_PDS; n--;)
		if (world.pds[n])
			drop(WORLD_PD(n));
	free_all();
	u64 used = account_look(&pd_kernel.account).used;
	if (used != world.used_at_first && !world.scenario->loses)
		report_fail("%ld bytes have not come back to the account at the top",
			    (long)(used - world.used_at_first));
	for (unsigned n = 0; n < cpu_count; n++)
		end_cpu(n);
	pio_index_free(&pd_kernel.pio.given); /* empty; it would stay */
	for (unsigned n = 0; n < cpu_count; n++) {
		kernel_side_set_cpu(n);
		(void)page_reclaim();
	}
	if (page_free_count() != world.pages_at_first && !world.scenario->loses)
		report_fail("%ld pages have not come back", (long)(world.pages_at_first - page_free_count()));
}
