/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include "core/dispatch.h"
#include "core/ipc.h"
#include "core/kobject.h"
#include "core/kp.h"
#include "core/pd.h"
#include "core/pt.h"
#include "core/rcu.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "kernel_side.h"
#include "lib/bits.h"
#include "machine.h"
#include "memory.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "report.h"
#include "syscall/syscall.h"
#include "variables.h"

#include <hedron/crd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FPU_SIZE 576
#define PDS 3
#define PORTS 0x100 /* eight of them, which PD 0 has at first */
#define PORTS_ORDER 3

static const struct scenario *scenario;
static struct pd *pds[PDS];
static u64 pages_at_first;
static bool flags[8];
static bool unmapped; /* an OP_UNMAP has returned */

static struct {
	struct ec *ec;
	struct sc *sc;
	unsigned at; /* operation that is next, or under way */
	bool under_way, ended, killed;
} threads[WORLD_THREADS];

static bool exists(unsigned t)
{
	return scenario->threads[t].ops[0].kind || scenario->threads[t].prio || scenario->threads[t].local;
}

void world_ends(const struct sm *sm)
{
	if (machine_running() >= 0 && scenario->no_up_at_the_end && sm->owed > 0)
		report_fail("a semaphore has ended and still owes %d units that ups have promised", sm->owed);
}

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
	must(space_obj_insert_root(pds[0], sel, o, perm));
	for (unsigned n = 1; n < PDS; n++)
		if (pds[n])
			must(space_obj_delegate(pds[0], sel, pds[n], sel, 0, PERM_ALL));
}

static void make_cpus(unsigned n)
{
	variables_restore();
	kernel_side_reset(n);
	must(space_pio_boot(&pd_kernel));
	pages_at_first = page_free_count();
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
}

static unsigned pds_needed(void)
{
	unsigned n = 1;
	for (unsigned t = 0; t < WORLD_THREADS; t++)
		n = (unsigned)max_u64(n, scenario->threads[t].pd + 1u);
	return scenario->ports_end ? PDS : n;
}

/* One page of the hypervisor's memory in each PD but the first: what unmap and touch are about. */
static void make_pds(void)
{
	memset(pds, 0, sizeof(pds));
	for (unsigned n = 0; n < pds_needed(); n++) {
		must(pd_create(false, &pds[n]));
		kobject_publish(&pds[n]->obj);
		must(space_obj_insert_root(pds[0], WORLD_PD(n), &pds[n]->obj, PERM_PD_ALL));
		name(pds[n], sizeof(struct pd), "pd", n);
		if (n)
			must(space_obj_delegate(pds[0], WORLD_PD(n), pds[n], WORLD_PD(n), 0, PERM_ALL));
		if (!n)
			must(space_pio_delegate(&pd_kernel, pds[0], PORTS, PORTS_ORDER, PIO_HOST));
		must(space_mem_delegate(&pd_kernel, pds[n], 0x100 + 2 * n, WORLD_PAGE, 1, PERM_ALL));
	}
}

static void make_threads(void)
{
	memset(threads, 0, sizeof(threads));
	for (unsigned t = 0; t < WORLD_THREADS; t++) {
		const struct thread *spec = &scenario->threads[t];
		if (!exists(t))
			continue;
		struct ec_config cfg = {.pd = pds[spec->pd],
					.utcb_pd = pds[spec->pd],
					.rsp = 0x7000,
					.cpu_id = spec->cpu,
					.global = !spec->local};
		must(ec_create(&cfg, &threads[t].ec));
		insert(WORLD_EC(t), &threads[t].ec->obj, PERM_EC_ALL);
		name(threads[t].ec, sizeof(struct ec), "ec", t);
		threads[t].ec->cont = CONT_SYSRET;
		if (spec->local)
			continue;
		must(sc_create(threads[t].ec, spec->prio, 1000, &threads[t].sc));
		insert(WORLD_SC(t), &threads[t].sc->obj, PERM_SC_ALL);
		name(threads[t].sc, sizeof(struct sc), "sc", t);
	}
}

static struct kp *make_kp(void)
{
	struct kp *kp;
	must(kp_create(&kp));
	kobject_publish(&kp->obj);
	return kp;
}

static void make_vcpu(unsigned n, unsigned cpu)
{
	struct kp *state = make_kp(), *vlapic = make_kp(), *fpu = make_kp();
	struct vcpu_config cfg = {pds[0], state, vlapic, fpu, cpu};
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
	const struct object *o = &scenario->objects[n];
	struct sm *sm;
	struct pt *pt;

	switch ((enum object_kind)o->kind) {
	case OBJECT_SM:
		must(sm_create(o->value, &sm));
		insert(WORLD_OBJECT(n), &sm->obj, PERM_SM_ALL);
		name(sm, sizeof(*sm), "sm", n);
		break;
	case OBJECT_PT:
		must(pt_create(threads[o->value].ec, 0x1000, 0, &pt));
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
			if (!(machine_take_nmi(n) | !!cpu->hazard | !!cpu->mailbox.newest))
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

static void make_world(void)
{
	make_cpus(scenario->cpus);
	make_pds();
	make_threads();
	for (unsigned n = 0; n < WORLD_OBJECTS; n++)
		make_object(n);
	for (unsigned t = 0; t < WORLD_THREADS; t++)
		if (threads[t].sc)
			sc_start(threads[t].sc);
	settle();
	memset(flags, 0, sizeof(flags));
	unmapped = false;
}

/* ---- user mode ---- */

static int current_thread(void)
{
	for (int t = 0; t < WORLD_THREADS; t++)
		if (threads[t].ec == interleave_cpu->ec)
			return t;
	return -1;
}

static void enter_dispatch(void *unused)
{
	struct ec *self = interleave_cpu->ec;
	const struct regs *r = &self->regs;

	(void)unused;
	self->regs.rdi = syscall_dispatch(r->rdi, r->rsi, r->rdx, self, r->r8);
	arch_return_syscall(self);
}

static void enter_call(void *arg1)
{
	arch_return_syscall(ipc_call((u64)arg1, 0, 0, 0, interleave_cpu, interleave_cpu->ec));
}

static void enter_reply(void *arg1)
{
	arch_return_syscall(ipc_reply((u64)arg1, 0, 0, 0, interleave_cpu, interleave_cpu->ec));
}

static void hypercall(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
	struct regs *r = &interleave_cpu->ec->regs;

	r->rdi = arg1;
	r->rsi = arg2;
	r->rdx = arg3;
	r->rax = arg4;
	r->r8 = arg5;
	kernel_side_enter(enter_dispatch, NULL);
}

#define ARG1(hc, flag, sel) ((u64)(hc) | (u64)(flag) << 8 | (u64)(sel) << 12)

#define PORT_CRD crd_make(CRD_PIO, PORTS, PORTS_ORDER, PERM_ALL)

static crd_t one(u64 sel)
{
	return crd_make(CRD_OBJ, sel, 0, PERM_ALL);
}

static void perform_ipc(const struct op *op)
{
	u64 sel = WORLD_OBJECT(op->object);

	if (op->kind == OP_CALL || op->kind == OP_CALL_NOWAIT)
		kernel_side_enter(enter_call, (void *)ARG1(HC_CALL, op->kind == OP_CALL_NOWAIT, sel));
	else
		kernel_side_enter(enter_reply, (void *)ARG1(HC_REPLY, 0, op->kind == OP_REPLY_DOWN ? sel : 0));
}

static void perform_hypercall(const struct op *op)
{
	u64 sel = WORLD_OBJECT(op->object);

	switch (op->kind) {
	case OP_UP:
		return hypercall(ARG1(HC_SM_CTRL, 0, sel), 0, 0, 0, 0);
	case OP_DOWN:
		return hypercall(ARG1(HC_SM_CTRL, 1, sel), 0, 0, 0, 0);
	case OP_ZERO:
		return hypercall(ARG1(HC_SM_CTRL, 3, sel), 0, 0, 0, 0);
	case OP_YIELD:
		return hypercall(ARG1(HC_EC_CTRL, 1, 0), 0, 0, 0, 0);
	case OP_REVOKE:
		return hypercall(ARG1(HC_REVOKE, 1, 0), one(op->object), 0, 0, 0);
	case OP_TAKE:
		return hypercall(ARG1(HC_PD_CTRL, 2, WORLD_PD(0)), WORLD_PD(0), one(op->object), 1,
				 one(WORLD_OBJECT(op->arg)));
	case OP_CREATE_SM:
		return hypercall(ARG1(HC_CREATE_SM, 0, sel), WORLD_PD(0), op->arg, 0, 0);
	case OP_POKE:
		return hypercall(ARG1(HC_VCPU_CTRL, 1, sel), 0, 0, 0, 0);
	case OP_RUN:
		return hypercall(ARG1(HC_VCPU_CTRL, 0, sel), 0, 0, 0, 0);
	case OP_UNMAP:
		return hypercall(ARG1(HC_REVOKE, 3, 0), crd_make(CRD_MEM, WORLD_PAGE + op->object, 0, PERM_ALL),
				 WORLD_PD(op->arg), 0, 0);
	case OP_GIVE_PORTS:
		return hypercall(ARG1(HC_PD_CTRL, 2, WORLD_PD(op->object)), WORLD_PD(op->arg), PORT_CRD, 1, PORT_CRD);
	case OP_REVOKE_PORTS:
		return hypercall(ARG1(HC_REVOKE, 3, 0), PORT_CRD, WORLD_PD(op->object), 0, 0);
	default:
		report_fail("no such operation");
	}
}

/* Those that make no hypercall. True: done. */
static bool perform_user(const struct op *op)
{
	switch (op->kind) {
	case OP_TOUCH: {
		bool late = unmapped;
		if (kernel_side_touch(WORLD_PAGE) && late)
			report_fail("CPU %u still uses a translation after the unmap has returned",
				    interleave_cpu->id);
		return true;
	}
	case OP_SAY:
		flags[op->arg] = true;
		machine_changed();
		return true;
	default:
		return false;
	}
}

static bool is_user(const struct op *op)
{
	return op->kind == OP_TOUCH || op->kind == OP_SAY || op->kind == OP_LOOP || op->kind == OP_AWAIT;
}

/* The last operation has returned to the thread. */
static void finish(unsigned t)
{
	const struct op *op = &scenario->threads[t].ops[threads[t].at];
	enum status s = (enum status)(u8)threads[t].ec->regs.rdi;

	threads[t].under_way = false;
	report_note("thread %u: operation %u returns %d", t, threads[t].at, s);
	if (!((op->expect ? op->expect : OK) >> s & 1))
		report_fail("operation %u of thread %u returns status %d", threads[t].at, t, s);
	if (op->kind == OP_UNMAP && !op->object)
		unmapped = true;
	threads[t].at++;
}

static void take_nmis(void)
{
	if (machine_nmi_point() && interleave_cpu->hazard)
		kernel_side_after_nmi();
}

/* A handler begins at its beginning with each call. */
static bool restarts(const struct op *op)
{
	return op->kind == OP_REPLY || op->kind == OP_REPLY_DOWN;
}

static void begin(unsigned t, const struct op *op)
{
	report_note("thread %u: operation %u", t, threads[t].at);
	if (restarts(op)) {
		threads[t].at = 0;
		threads[t].under_way = false;
	} else {
		threads[t].under_way = true;
	}
	if (op->kind == OP_END)
		threads[t].ended = true;
	if (op->kind == OP_END || op->kind == OP_CALL || op->kind == OP_CALL_NOWAIT || restarts(op))
		perform_ipc(op);
	else
		perform_hypercall(op);
}

/* For a flag, which needs no NMI to be seen, or for nothing. */
static void wait_in_user_mode(bool for_flag)
{
	if (for_flag)
		machine_spin();
	else
		machine_user_loop();
	if (interleave_cpu->hazard)
		kernel_side_after_nmi();
}

static void step(unsigned t)
{
	const struct op *op = &scenario->threads[t].ops[threads[t].at];

	if (!is_user(op)) {
		begin(t, op);
	} else if (op->kind == OP_LOOP || (op->kind == OP_AWAIT && !flags[op->arg])) {
		threads[t].ended = op->kind == OP_LOOP;
		wait_in_user_mode(op->kind == OP_AWAIT);
	} else {
		if (op->kind != OP_AWAIT)
			perform_user(op);
		threads[t].at++;
	}
}

static void idle(void)
{
	struct cpu *cpu = interleave_cpu;
	bool mwait = cpu->sleeping == SLEEPING_MWAIT;

	for (;;) {
		machine_nmi_point();
		/* An NMI that sets a hazard after the look at it, before the CPU sleeps, ends the sleep
		 * (entry/nmi.c). */
		if (!interleave_idle_may_sleep(cpu) || cpu->hazard)
			break;
		machine_sleep(mwait ? (const u64 *)&cpu->mailbox.newest : NULL);
	}
	interleave_idle_end(cpu);
	kernel_side_dispatch();
}

static void cpu_main(unsigned n)
{
	(void)n;
	for (;;) {
		struct cpu *cpu = interleave_cpu;
		if (cpu->ec == cpu->idle_ec) {
			idle();
			continue;
		}
		take_nmis();
		if (cpu->ec == cpu->idle_ec)
			continue;
		int t = current_thread();
		if (t < 0)
			report_fail("an EC runs that is nobody's");
		if (threads[t].ec->special & EC_DEAD)
			report_fail("a dead EC runs");
		if (threads[t].under_way)
			finish((unsigned)t);
		else
			step((unsigned)t);
	}
}

/* ---- when nothing goes on any more ---- */

static void check_cpu(unsigned n)
{
	const struct cpu *cpu = &interleave_cpus[n];
	unsigned top = sched_top(&cpu->sched);

	if (machine_is_stuck(n))
		report_fail("CPU %u waits for ever in the kernel", n);
	if (cpu->mailbox.newest)
		report_fail("CPU %u has work items that nobody told it about", n);
	if (cpu->hazard & ~(u32)HAZARD_RCU)
		report_fail("CPU %u rests in spite of hazards %#x", n, cpu->hazard);
	if (cpu->rcu_asked)
		report_fail("a grace period waits for CPU %u, which does not know", n);
	if (cpu->ec == cpu->idle_ec && (top || cpu->bumped))
		report_fail("CPU %u is idle while somebody is ready", n);
	if (cpu->ec != cpu->idle_ec && (!cpu->sc || top > cpu->sc->prio))
		report_fail("CPU %u does not run who is most important", n);
	if (cpu->tlb_asked != cpu->tlb_done)
		report_fail("CPU %u owes a flush", n);
}

/* Nobody is on the way: units and claims are what the count says. */
static void check_sm(unsigned n)
{
	const struct cap_slot *slot = space_obj_slot(&pds[0]->objs, WORLD_OBJECT(n));
	const struct sm *sm = slot && slot->cap ? (const struct sm *)cap_object(slot->cap) : NULL;
	s64 waiting = 0;

	if (!sm || sm->obj.type != KOBJ_SM)
		return;
	for (const struct list *l = sm->waiters.next; l != &sm->waiters && waiting < WORLD_THREADS; l = l->next)
		waiting++;
	if (sm->owed || (waiting ? sm->state != -waiting : sm->state < 0))
		report_fail("semaphore %u has state %ld, owes %d, and %ld wait", n, sm->state, sm->owed, waiting);
}

static void check_ports(void)
{
	for (unsigned n = 0; n < PDS && !report_failure(); n++)
		for (unsigned i = 0; pds[n] && i < 1u << PORTS_ORDER; i++)
			if (space_pio_lookup(pds[n], PORTS + i))
				report_fail("PD %u still has port %#x", n, PORTS + i);
}

static void check_thread(unsigned t)
{
	const struct thread *spec = &scenario->threads[t];

	if (!exists(t) || spec->local || spec->may_die || spec->may_wait || threads[t].ended)
		return;
	report_fail("thread %u never comes back from its operation %u", t, threads[t].at);
}

static void check(void)
{
	for (unsigned n = 0; n < cpu_count && !report_failure(); n++)
		check_cpu(n);
	for (unsigned t = 0; t < WORLD_THREADS && !report_failure(); t++)
		check_thread(t);
	for (unsigned n = 0; n < WORLD_OBJECTS && !report_failure(); n++)
		check_sm(n);
	if (scenario->ports_end && !report_failure())
		check_ports();
}

/* ---- the end ---- */

static void drop(u64 sel)
{
	space_obj_revoke(pds[0], sel, 0, PERM_ALL, true);
}

/* User mode and sleep use nothing, so grace periods end as soon as they are asked for. */
static void free_all(void)
{
	for (unsigned i = 0; i < 12; i++) {
		settle();
		for (unsigned n = 0; n < cpu_count; n++)
			if (interleave_cpus[n].ec == interleave_cpus[n].idle_ec)
				interleave_cpus[n].sleeping = SLEEPING_MWAIT;
		rcu_quiesce(interleave_cpu);
	}
	settle();
}

static void unmake_world(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		hazard_clear(&interleave_cpus[n], HAZARD_RCU);
	for (unsigned t = 0; t < WORLD_THREADS; t++) {
		drop(WORLD_SC(t));
		drop(WORLD_EC(t));
	}
	for (unsigned n = 0; n < WORLD_OBJECTS; n++)
		drop(WORLD_OBJECT(n));
	settle();
	for (unsigned n = PDS; n--;)
		if (pds[n])
			space_obj_revoke(pds[0], WORLD_PD(n), 0, PERM_ALL, true);
	free_all();
	for (unsigned n = 0; n < cpu_count; n++) {
		struct cpu *cpu = &interleave_cpus[n];
		if (cpu->ec != cpu->idle_ec || cpu->sc || cpu->bumped || sched_top(&cpu->sched))
			report_fail("CPU %u still runs something after everything was revoked", n);
		ec_free(cpu->idle_ec);
	}
	for (unsigned n = 0; n < cpu_count; n++) {
		kernel_side_set_cpu(n);
		page_reclaim();
	}
	if (page_free_count() != pages_at_first)
		report_fail("%ld pages have not come back", (long)(pages_at_first - page_free_count()));
}

void world_boot(void)
{
	space_mem_claim(paddr(0), PAGE_SIZE);
	variables_keep();
}

bool world_run(const struct scenario *s)
{
	report_reset();
	scenario = s;
	make_world();
	machine_run(s->cpus, cpu_main);
	if (!report_failure())
		check();
	if (!report_failure())
		unmake_world();
	return !report_failure();
}
