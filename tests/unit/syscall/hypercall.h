/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls made by a thread of the small world of tests/unit/core: arguments and results in its registers, as
 * entry.S leaves them there.
 */
#pragma once

#include "../core/world.h"
#include "arch/switch.h"

#include "syscall/syscall.h"

#define SELF 0x100 /* the thread that calls; its SC behind it */
#define FREE 0x200 /* nothing there */
#define BEYOND (HEDRON_SEL_NUM + 7ul)

static struct ec *hc_self;

static inline int hc_setup(void **state)
{
	world_setup(state);
	vcpu_init_cache();
	hc_self = world_thread(SELF, 0, 10);
	assert_ptr_equal(host_dispatch().ec, hc_self);
	return 0;
}

static inline int hc_teardown(void **state)
{
	host_set_cpu(0);
	world_drop(SELF + 1);
	world_drop(SELF);
	host_dispatch();
	return world_teardown(state);
}

#define HC_TEST(name) cmocka_unit_test_setup_teardown(name, hc_setup, hc_teardown)

/* What a hypercall finds in variables that it reads before it has written them: no addresses. */
static noinline void hc_soil_stack(void)
{
	volatile u8 below[4096];

	for (unsigned i = 0; i < sizeof below; i++)
		below[i] = 0;
}

static inline void hc_enter(void *unused)
{
	hc_soil_stack();
	struct ec *self = cpu_current()->ec;
	const struct regs *r = &self->regs;
	(void)unused;
	enum status s = syscall_dispatch(r->rdi, r->rsi, r->rdx, self, r->r8);
	self->regs.rdi = s;
	arch_return_syscall(self);
}

/* The status in OUT1; further results in hc_self->regs. The thread goes on at once, or fails the test. */
static inline enum status hc(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
	struct regs *r = &hc_self->regs;
	r->rdi = arg1;
	r->rsi = arg2;
	r->rdx = arg3;
	r->rax = arg4;
	r->r8 = arg5;
	struct host_exit e = host_run(hc_enter, NULL);
	assert_ptr_equal(e.ec, hc_self);
	return (enum status)r->rdi;
}

/* The object at a selector of the caller's PD; NULL if there is none. */
static inline struct kobject *hc_object(u64 sel)
{
	const struct cap_slot *slot = space_obj_slot(&world_pd->objs, sel);
	return slot ? cap_object(slot->cap) : NULL;
}

static inline unsigned hc_perm(u64 sel)
{
	const struct cap_slot *slot = space_obj_slot(&world_pd->objs, sel);
	return slot ? cap_perm(slot->cap) : 0;
}

/* The object there loses a permission. */
static inline void hc_weaken(u64 sel, unsigned perm)
{
	host_revoke(world_pd, sel, 0, perm, true);
}

/* What every creation refuses, in this order: the parent, then the selector. */
#define hc_check_creation(call)                                                                             \
	do {                                                                                                \
		u64 parent = WORLD_SEL_PD, sel = FREE;                                                      \
		parent = FREE + 1;                                                                          \
		assert_int_equal(call, BAD_CAP);                                                            \
		parent = SELF;                                                                              \
		assert_int_equal(call, BAD_CAP);                                                            \
		parent = BEYOND;                                                                            \
		assert_int_equal(call, BAD_CAP);                                                            \
		parent = WORLD_SEL_PD;                                                                      \
		sel = SELF;                                                                                 \
		assert_int_equal(call, BAD_CAP); /* occupied */                                             \
		sel = BEYOND;                                                                               \
		assert_int_equal(call, BAD_PAR);                                                            \
		parent = BEYOND; /* comes first */                                                          \
		assert_int_equal(call, BAD_CAP);                                                            \
		parent = WORLD_SEL_PD;                                                                      \
		sel = FREE;                                                                                 \
		assert_null(hc_object(FREE));                                                               \
		assert_int_equal(call, SUCCESS);                                                            \
		assert_non_null(hc_object(FREE));                                                           \
		world_drop(FREE);                                                                           \
		world_settle();                                                                             \
		assert_int_equal(call, SUCCESS); /* the selector is free again */                           \
		world_drop(FREE);                                                                           \
		world_settle();                                                                             \
		parent = FREE + 2;                                                                          \
		assert_int_equal(space_obj_delegate(world_pd, WORLD_SEL_PD, world_pd, parent, 0, PERM_ALL), \
				 SUCCESS);                                                                  \
		assert_int_equal(call, SUCCESS);                                                            \
		world_drop(FREE);                                                                           \
		world_drop(parent);                                                                         \
	} while (0)
