/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual CPUs: runs that end, are interrupted, are poked, and the ends of those who take part. */
#include "../hog.h"
#include "arch/switch.h"
#include "world.h"

#define VCPU 0x100
#define KPS 0x101 /* three of them */
#define A 0x110   /* its SC behind */
#define B 0x120

static struct kp *kps[3];
static struct ec *self;
static unsigned entries, interrupted_until;
static struct vcpu *poked_in_guest;

/* Exits after having been interrupted a few times. */
static bool guest(struct vcpu *v)
{
	entries++;
	if (poked_in_guest == v)
		assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	v->state->exit_reason = 12;
	return entries > interrupted_until;
}

static int setup(void **state)
{
	world_setup(state);
	vcpu_init_cache();
	host_has_vcpus = true;
	host_guest = guest;
	entries = interrupted_until = 0;
	poked_in_guest = NULL;
	for (u64 i = 0; i < 3; i++) {
		assert_int_equal(kp_create(world_pd, &kps[i]), SUCCESS);
		world_insert(KPS + i, &kps[i]->obj, PERM_KP_ALL);
	}
	self = world_thread(A, 0, 10);
	assert_runs(host_dispatch(), self);
	return 0;
}

static int teardown(void **state)
{
	host_guest = NULL;
	world_drop(A + 1);
	world_drop(A);
	for (u64 i = 0; i < 3; i++)
		world_drop(KPS + i);
	return world_teardown(state);
}

static enum status create(unsigned cpu, struct vcpu **v)
{
	struct vcpu_config cfg = {.pd = world_pd, .state = kps[0], .vlapic = kps[1], .fpu = kps[2], .cpu_id = cpu};
	return vcpu_create(&cfg, v);
}

static struct vcpu *make(unsigned cpu)
{
	struct vcpu *v;
	assert_int_equal(create(cpu, &v), SUCCESS);
	world_insert(VCPU, &v->obj, PERM_VCPU_ALL);
	return v;
}

static void run_fn(void *v)
{
	struct ec *ec = cpu_current()->ec;
	ec->regs.rdi = vcpu_run(v, 1, VCPU_WANT_ALL, ec);
	arch_return_syscall(ec);
}

static void run(struct vcpu *v, enum status want)
{
	assert_runs(host_run(run_fn, v), self);
	assert_int_equal(self->regs.rdi, want);
	assert_null(self->vcpu);
}

UNIT_TEST(refers_to_its_parts)
{
	u32 refs = world_pd->obj.refs;
	struct vcpu *v = make(2);
	assert_int_equal(v->cpu_id, 2);
	assert_int_equal(world_pd->obj.refs, refs + 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(kps[i]->obj.refs, 2);
	assert_ptr_equal(v->state, &((struct utcb *)kps[0]->page)->state);
	world_drop(VCPU);
	world_free_all();
	assert_int_equal(world_pd->obj.refs, refs);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(kps[i]->obj.refs, 1);
}

UNIT_TEST(creation_fails)
{
	static struct hog hog;
	struct vcpu *v = NULL;

	u32 refs = world_pd->obj.refs;
	host_has_vcpus = false;
	assert_int_equal(create(0, &v), BAD_FTR);
	host_has_vcpus = true;
	for (unsigned i = 0; i < 3; i++) {
		kps[i]->obj.refs = 0; /* it is dying */
		assert_int_equal(create(0, &v), BAD_CAP);
		kps[i]->obj.refs = 1;
	}
	hog_take(&hog, 0);
	assert_int_equal(create(0, &v), OOM);
	hog_release(&hog);
	assert_null(v);
	assert_int_equal(world_pd->obj.refs, refs);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(kps[i]->obj.refs, 1);
}

UNIT_TEST(runs_until_it_exits)
{
	struct vcpu *v = make(0);
	for (unsigned i = 1; i <= 3; i++) {
		run(v, SUCCESS);
		assert_int_equal(entries, i);
		assert_int_equal(v->state->exit_reason, 12);
		assert_null(v->ec);
	}
	world_drop(VCPU);
}

UNIT_TEST(interrupted_runs_go_on)
{
	struct vcpu *v = make(0);
	interrupted_until = 4;
	run(v, SUCCESS);
	assert_int_equal(entries, 5);
	world_drop(VCPU);
}

UNIT_TEST(runs_on_its_cpu_only)
{
	run(make(1), BAD_CPU);
	assert_int_equal(entries, 0);
	world_drop(VCPU);
}

/* Two ECs, one vCPU: the second comes while the first's run is interrupted by it. */
UNIT_TEST(one_run_at_a_time)
{
	struct vcpu *v = make(0);
	v->ec = self; /* whose run is in progress */
	assert_int_equal(vcpu_run(v, 0, 0, self), BUSY);
	v->ec = NULL;
	run(v, SUCCESS);
	world_drop(VCPU);
}

UNIT_TEST(poked_before)
{
	struct vcpu *v = make(0);
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	run(v, SUCCESS);
	assert_int_equal(entries, 0);
	assert_int_equal(v->state->exit_reason, VCPU_EXIT_POKED);
	run(v, SUCCESS); /* once */
	assert_int_equal(entries, 1);

	v->arch.event = true; /* has to be delivered first */
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	run(v, SUCCESS);
	assert_int_equal(v->state->exit_reason, VCPU_EXIT_POKED);
	assert_false(v->poked);
	world_drop(VCPU);
}

UNIT_TEST(poked_in_the_guest)
{
	struct vcpu *v = make(0);
	interrupted_until = 1000;
	poked_in_guest = v;
	run(v, SUCCESS);
	assert_int_equal(entries, 1);
	assert_int_equal(v->state->exit_reason, VCPU_EXIT_POKED);
	world_drop(VCPU);
}

/* A work item only if that CPU may be in the guest, and one at a time. */
UNIT_TEST(poked_from_elsewhere)
{
	struct vcpu *v = make(1);
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	assert_true(v->poked);
	assert_null(world_cpu(1)->mailbox.newest);
	v->poked = false;
	world_cpu(1)->vcpu = v;
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), SUCCESS);
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &v->poke);
	assert_null(v->poke.next);
	world_settle();
	assert_false(v->poke_sent);
	assert_null(world_cpu(1)->vcpu);
	cpus_online[0] &= ~bit(1); /* lost in sleep */
	assert_int_equal(vcpu_poke(v, cpu_current()->ec), BAD_CPU);
	cpus_online[0] |= bit(1);
	world_drop(VCPU);
}

static bool drop_in_guest(struct vcpu *v)
{
	(void)v;
	entries++;
	world_drop(VCPU);
	return false;
}

UNIT_TEST(ends_in_a_run)
{
	struct vcpu *v = make(0);
	host_guest = drop_in_guest;
	run(v, BAD_CAP);
	assert_int_equal(entries, 1);
}

static bool kill_in_guest(struct vcpu *v)
{
	entries++;
	ec_kill(v->ec);
	return false;
}

/* The vCPU is free for others then. */
UNIT_TEST(its_ec_dies_in_a_run)
{
	struct vcpu *v = make(0);
	struct ec *b = world_thread(B, 0, 9);
	host_guest = kill_in_guest;
	assert_runs(host_run(run_fn, v), b);
	assert_null(v->ec);
	host_guest = guest;
	self = b;
	run(v, SUCCESS);
	world_drop(VCPU);
	world_drop(B + 1);
	world_drop(B);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refers_to_its_parts),  T(creation_fails),    T(runs_until_it_exits),  T(interrupted_runs_go_on),
		T(runs_on_its_cpu_only), T(one_run_at_a_time), T(poked_before),         T(poked_in_the_guest),
		T(poked_from_elsewhere), T(ends_in_a_run),     T(its_ec_dies_in_a_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
