/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which number is which hypercall, and what happens when memory is short. */
#include "hypercall.h"

#include "../hog.h"

#include <hedron/irq.h>
#include <hedron/memory.h>
#include <hedron/trace.h>

static struct hog hog;

/* CALL and REPLY never come here. */
UNIT_TEST(unknown_numbers)
{
	static const bool known[256] = {
#define X(n, name) [n] = true,
		HC_LIST(X)
#undef X
			[HC_TRACE_CTRL] = true,
		[HC_MEMORY_CTRL] = true,
		[HC_IRQ_CTRL] = true,
	};
	for (unsigned n = HC_CREATE_PD; n < 256; n++)
		if (!known[n])
			assert_int_equal(hc(HC_ARG1(n, 0, 0), 0, 0, 0, 0), BAD_HYP);
}

/* Each known one answers as itself: nothing at selector 0, or a parameter that only it refuses. */
UNIT_TEST(known_numbers)
{
	static const struct {
		u64 arg1;
		enum status want;
	} rows[] = {
		{HC_ARG1(HC_CREATE_PD, 0, 0), BAD_CAP},  {HC_ARG1(HC_CREATE_EC, 0, 0), BAD_CAP},
		{HC_ARG1(HC_CREATE_SC, 0, 0), BAD_CAP},  {HC_ARG1(HC_CREATE_PT, 0, 0), BAD_CAP},
		{HC_ARG1(HC_CREATE_SM, 0, 0), BAD_CAP},  {HC_ARG1(HC_CREATE_KP, 0, 0), BAD_CAP},
		{HC_ARG1(HC_REVOKE, 0, 0), SUCCESS},     {HC_ARG1(HC_PD_CTRL, PD_CTRL_LOOKUP, 0), SUCCESS},
		{HC_ARG1(HC_EC_CTRL, 0, 0), BAD_PAR},    {HC_ARG1(HC_SC_CTRL, 0, 0), BAD_CAP},
		{HC_ARG1(HC_PT_CTRL, 0, 0), BAD_CAP},    {HC_ARG1(HC_SM_CTRL, 0, 0), BAD_CAP},
		{HC_ARG1(HC_KP_CTRL, 3, 0), BAD_PAR},    {HC_ARG1(HC_CREATE_VCPU, 0, 0), BAD_CAP},
		{HC_ARG1(HC_VCPU_CTRL, 3, 0), BAD_PAR},  {HC_ARG1(HC_MACHINE_CTRL, 0, 0), BAD_CAP},
		{HC_ARG1(HC_TRACE_CTRL, 0, 0), BAD_CAP}, {HC_ARG1(HC_MEMORY_CTRL, 0, 0), BAD_CAP},
		{HC_ARG1(HC_IRQ_CTRL, 0, 0), BAD_CAP},
	};
	for (unsigned i = 0; i < array_size(rows); i++)
		assert_int_equal(hc(rows[i].arg1, 0, 0, 0, 0), rows[i].want);
}

static enum status create_kp(u64 sel)
{
	return hc(HC_ARG1(HC_CREATE_KP, 0, sel), WORLD_SEL_PD, 0, 0, 0);
}

/* A creation without memory ends before the object that it did not make is looked at. */
UNIT_TEST(creates_nothing)
{
	const u64 rows[][5] = {
		{HC_ARG1(HC_CREATE_PD, 0, FREE + 1), WORLD_SEL_PD, 0, 0, 0},
		{HC_ARG1(HC_CREATE_EC, 0, FREE + 1), WORLD_SEL_PD, 0x10000, 0x20000, 0},
		{HC_ARG1(HC_CREATE_EC, CREATE_EC_GLOBAL, FREE + 1), WORLD_SEL_PD, 0x10000, 0x20000, 0},
		{HC_ARG1(HC_CREATE_SC, 0, FREE + 1), WORLD_SEL_PD, SELF, 1 | 1000 << 12, 0},
		{HC_ARG1(HC_CREATE_PT, 0, FREE + 1), WORLD_SEL_PD, FREE + 2, 0, 0x1000},
		{HC_ARG1(HC_CREATE_SM, 0, FREE + 1), WORLD_SEL_PD, 0, 0, 0},
		{HC_ARG1(HC_CREATE_KP, 0, FREE + 1), WORLD_SEL_PD, 0, 0, 0},
		{HC_ARG1(HC_CREATE_VCPU, 0, FREE + 1), WORLD_SEL_PD << 12, FREE + 3, FREE + 3, FREE + 3},
	};
	struct account *payer = &world_pd->account;

	assert_int_equal(hc(HC_ARG1(HC_CREATE_EC, 0, FREE + 2), WORLD_SEL_PD, 0x10000, 0x20000, 0), SUCCESS);
	assert_int_equal(create_kp(FREE + 3), SUCCESS);
	s64 all = __atomic_exchange_n(&payer->free, 0, __ATOMIC_RELAXED);
	bool had = payer->allowance;
	payer->allowance = true;
	for (unsigned i = 0; i < array_size(rows); i++)
		assert_int_equal(hc(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]), OOM);
	assert_null(hc_object(FREE + 1));
	payer->free = all;
	payer->allowance = had;
	world_drop(FREE + 2);
	world_drop(FREE + 3);
}

/* The page of a KP that was just deleted waits for a grace period, for which the creation waits in turn. */
UNIT_TEST(waits_for_what_was_deleted)
{
	assert_int_equal(create_kp(FREE), SUCCESS);
	hog_take(&hog, 0);
	assert_int_equal(create_kp(FREE + 1), OOM);
	world_cpu(1)->sleeping = SLEEPING_NOT; /* else the grace period would be over at once */
	assert_int_equal(hc(HC_ARG1(HC_REVOKE, REVOKE_SELF, 0), crd_make(CRD_OBJ, FREE, 0, PERM_ALL), 0, 0, 0),
			 SUCCESS);
	assert_int_equal(page_free_count(), 0);
	world_cpu(1)->sleeping = SLEEPING_MWAIT;
	assert_int_equal(create_kp(FREE + 1), SUCCESS);
	hog_release(&hog);
	world_drop(FREE + 1);
}

/* Wherever an empty page of slots is in the queue, it is found before there is no memory. */
UNIT_TEST(looks_at_all_pages_of_slots)
{
	enum { PAGES = 40, AT = 0x10000 };
	struct cap_slot *slot[PAGES];

	for (u64 i = 0; i < PAGES; i++)
		assert_int_equal(space_obj_reserve(world_pd, AT + i * CAP_SLOTS_PER_PAGE, &slot[i]), SUCCESS);
	world_sm(FREE, 0); /* has others in the same page */
	hog_take(&hog, 0);
	for (u64 i = 0; i < PAGES; i++) {
		u64 sel = AT + (PAGES + i) * CAP_SLOTS_PER_PAGE;
		assert_int_equal(hc(HC_ARG1(HC_CREATE_SM, 0, sel), WORLD_SEL_PD, 0, 0, 0), OOM);
		space_obj_cancel(world_pd, slot[i]);
		assert_int_equal(hc(HC_ARG1(HC_CREATE_SM, 0, sel + 1), WORLD_SEL_PD, 0, 0, 0), SUCCESS);
	}
	hog_release(&hog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(unknown_numbers),
		HC_TEST(known_numbers),
		HC_TEST(creates_nothing),
		HC_TEST(waits_for_what_was_deleted),
		HC_TEST(looks_at_all_pages_of_slots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
