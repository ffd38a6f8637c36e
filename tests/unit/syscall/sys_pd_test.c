/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PD and PD_CTRL (MSRs: sys_machine_test.c). What delegation means: tests/unit/space/delegate_test.c. */
#include "hypercall.h"

#include "../hog.h"
#include "space/slot_table.h"

static u64 flags, objects;
static struct hog hog;

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_PD, flags, sel), parent, objects, 0, 0);
}

static enum status lookup(crd_t crd)
{
	return hc(HC_ARG1(HC_PD_CTRL, PD_CTRL_LOOKUP, 0), crd, 0, 0, 0);
}

static enum status delegate_crd(u64 from, u64 to, crd_t src, u64 meta, crd_t dst)
{
	return hc(HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, from), to, src, meta, dst);
}

static struct pd *pd_at(u64 sel)
{
	return (struct pd *)hc_object(sel);
}

UNIT_TEST(creation)
{
	flags = objects = 0;
	hc_check_creation(create(sel, parent));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_int_equal(hc_object(FREE)->type, KOBJ_PD);
	assert_int_equal(hc_perm(FREE), PERM_PD_ALL);
	assert_false(pd_at(FREE)->passthrough || pd_at(FREE)->root);
	world_drop(FREE);
}

/* Only who has it can give it, and nobody gets it unasked. */
UNIT_TEST(privilege)
{
	objects = 0;
	for (unsigned has = 0; has < 2; has++)
		for (flags = 0; flags < 2; flags++) {
			world_pd->passthrough = has;
			assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
			assert_int_equal(pd_at(FREE)->passthrough, has && flags);
			world_drop(FREE);
			world_settle();
		}
	flags = 0;
}

UNIT_TEST(initial_objects)
{
	struct sm *sm = world_sm(0x305, 0);
	flags = 0;
	objects = crd_make(CRD_OBJ, 0x304, 1, PERM_SM_UP);
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct cap_slot *slot = space_obj_slot(&pd_at(FREE)->objs, 1);
	assert_ptr_equal(cap_object(slot->cap), &sm->obj);
	assert_int_equal(cap_perm(slot->cap), PERM_SM_UP);
	objects = crd_make(CRD_MEM, 0, 3, PERM_ALL); /* no objects: ignored */
	assert_int_equal(create(FREE + 1, WORLD_SEL_PD), SUCCESS);
	world_drop(FREE);
	world_drop(FREE + 1);
	world_drop(0x305);
}

/* One capability on each of 64 pages of slots. */
#define SPREAD 0x10000
#define SPREAD_ORDER 13

static void build_spread(void)
{
	world_sm(SPREAD, 0);
	for (u64 page = 1; page < 1 << SPREAD_ORDER >> SLOT_TABLE_SLOT_BITS; page++)
		assert_int_equal(space_obj_delegate(world_pd, SPREAD, world_pd,
						    SPREAD + (page << SLOT_TABLE_SLOT_BITS), 0, PERM_ALL),
				 SUCCESS);
	objects = crd_make(CRD_OBJ, SPREAD, SPREAD_ORDER, PERM_ALL);
	flags = 0;
}

static void assert_has_spread(struct pd *pd)
{
	for (u64 sel = 0; sel < 1 << SPREAD_ORDER; sel += 1 << SLOT_TABLE_SLOT_BITS)
		assert_true(cap_perm(space_obj_slot(&pd->objs, sel)->cap));
}

/* A thread begins to make a PD, and a more important one runs instead. */
static struct ec *interrupt(struct ec *maker)
{
	struct ec *other = world_thread(0x400, 0, 20);
	struct regs *r = &maker->regs;

	r->rdi = HC_ARG1(HC_CREATE_PD, 0, FREE);
	r->rsi = WORLD_SEL_PD;
	r->rdx = objects;
	r->rax = 0x1234;
	assert_runs(host_run(hc_enter, NULL), other);
	return other;
}

static void end_thread(u64 sel)
{
	world_drop(sel + 1);
	world_drop(sel);
}

/* Nobody finds a part of it, nor makes something in its place. */
UNIT_TEST(many_initial_objects)
{
	struct cap_slot *slot;

	build_spread();
	interrupt(hc_self);
	assert_null(hc_object(FREE));
	assert_int_equal(space_obj_reserve(world_pd, FREE, &slot), BAD_CAP);
	end_thread(0x400);
	assert_runs(host_dispatch(), hc_self);
	assert_int_equal(hc_self->regs.rdi, SUCCESS);
	assert_int_equal(hc_self->regs.rax, 0x1234);
	assert_int_equal(hc_object(FREE)->type, KOBJ_PD);
	assert_int_equal(hc_perm(FREE), PERM_PD_ALL);
	assert_has_spread(pd_at(FREE));
	world_drop(FREE);
	world_drop(SPREAD);
}

/* Nothing of the PD is left, and its place is free. */
UNIT_TEST(ended_while_it_makes_a_pd)
{
	struct ec *maker = world_thread(0x300, 0, 15);
	u64 before;

	build_spread();
	assert_runs(host_dispatch(), maker);
	before = host_pds;
	interrupt(maker);
	assert_int_equal(host_pds, before + 1);
	end_thread(0x300);
	end_thread(0x400);
	assert_runs(host_dispatch(), hc_self);
	world_free_all();
	assert_int_equal(host_pds, before);
	assert_null(hc_object(FREE));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_has_spread(pd_at(FREE));
	world_drop(FREE);
	world_drop(SPREAD);
}

/* All or nothing. */
UNIT_TEST(many_initial_objects_without_memory)
{
	enum status s;
	u64 failures = 0;

	build_spread();
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	world_drop(FREE);
	do {
		world_free_all();
		page_reclaim();
		u64 before = page_free_count();
		hog_take(&hog, failures);
		s = create(FREE, WORLD_SEL_PD);
		hog_release(&hog);
		if (s == OOM) {
			assert_null(hc_object(FREE));
			world_free_all();
			page_reclaim();
			assert_int_equal(page_free_count(), before);
			failures += 7;
		}
	} while (s == OOM);
	assert_int_equal(s, SUCCESS);
	assert_true(failures > 1 << SPREAD_ORDER >> SLOT_TABLE_SLOT_BITS);
	assert_has_spread(pd_at(FREE));
	world_drop(FREE);
	world_drop(SPREAD);
}

UNIT_TEST(creation_without_memory)
{
	u64 failures = 0;
	enum status s;

	world_sm(0x300, 0);
	flags = 0;
	objects = crd_make(CRD_OBJ, 0x300, 0, PERM_ALL);
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS); /* makes the tables of the caller's space */
	world_drop(FREE);
	do {
		world_free_all();
		(void)page_reclaim();
		u64 before = page_free_count();
		hog_take(&hog, failures);
		s = create(FREE, WORLD_SEL_PD);
		hog_release(&hog);
		if (s != SUCCESS) {
			assert_int_equal(s, OOM);
			assert_null(hc_object(FREE));
			world_free_all();
			(void)page_reclaim();
			assert_int_equal(page_free_count(), before);
			failures++;
		}
	} while (s != SUCCESS);
	assert_true(failures > 3);
	world_drop(FREE);
	world_drop(0x300);
}

UNIT_TEST(lookups)
{
	world_sm(FREE, 0);
	assert_int_equal(lookup(crd_make(CRD_OBJ, FREE, 5, 0)), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, crd_make(CRD_OBJ, FREE, 0, PERM_SM_ALL));
	assert_int_equal(lookup(crd_make(CRD_OBJ, FREE + 1, 0, PERM_ALL)), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, 0);
	const crd_t nothing[] = {0, crd_make(CRD_MEM, 0, 0, 7), crd_make(CRD_PIO, 0x80, 0, 1),
				 crd_make(CRD_OBJ, BEYOND, 0, 0)};
	for (unsigned i = 0; i < array_size(nothing); i++) {
		assert_int_equal(lookup(nothing[i]), SUCCESS);
		assert_int_equal(hc_self->regs.rsi, 0);
	}
	world_drop(FREE);
}

UNIT_TEST(delegations)
{
	crd_t from = crd_make(CRD_OBJ, FREE, 0, PERM_ALL), to = crd_make(CRD_OBJ, 9, 0, PERM_SM_UP);

	flags = objects = 0;
	world_sm(FREE, 0);
	assert_int_equal(create(FREE + 1, WORLD_SEL_PD), SUCCESS);
	assert_int_equal(delegate_crd(WORLD_SEL_PD, FREE + 1, from, ITEM_DELEGATE | 0xfff000, to), SUCCESS);
	assert_int_equal(hc_self->regs.rdx, crd_make(CRD_OBJ, 9, 0, PERM_SM_UP));
	assert_int_equal(hc_self->regs.rax, ITEM_DELEGATE);
	assert_int_equal(cap_perm(space_obj_slot(&pd_at(FREE + 1)->objs, 9)->cap), PERM_SM_UP);
	/* back, by translation */
	from = crd_make(CRD_OBJ, 9, 0, PERM_ALL);
	assert_int_equal(
		delegate_crd(FREE + 1, WORLD_SEL_PD, from, ITEM_TRANSLATE, crd_make(CRD_OBJ, 0, 31, PERM_ALL)),
		SUCCESS);
	assert_int_equal(hc_self->regs.rdx, crd_make(CRD_OBJ, FREE, 0, PERM_SM_UP));
	assert_int_equal(hc_self->regs.rax, ITEM_TRANSLATE);
	/* neither PD needs a permission, but both must be PDs */
	assert_int_equal(delegate_crd(FREE, WORLD_SEL_PD, from, ITEM_DELEGATE, to), BAD_CAP);
	assert_int_equal(delegate_crd(WORLD_SEL_PD, FREE, from, ITEM_DELEGATE, to), BAD_CAP);
	assert_int_equal(delegate_crd(WORLD_SEL_PD, BEYOND, from, ITEM_DELEGATE, to), BAD_CAP);
	world_drop(FREE + 1);
	world_drop(FREE);
}

UNIT_TEST(delegation_without_memory)
{
	crd_t from = crd_make(CRD_OBJ, FREE, 0, PERM_ALL), to = crd_make(CRD_OBJ, 0x123456, 0, PERM_ALL);

	world_sm(FREE, 0);
	hog_take(&hog, 0);
	assert_int_equal(delegate_crd(WORLD_SEL_PD, WORLD_SEL_PD, from, ITEM_DELEGATE, to), OOM);
	hog_release(&hog);
	assert_int_equal(delegate_crd(WORLD_SEL_PD, WORLD_SEL_PD, from, ITEM_DELEGATE, to), SUCCESS);
	assert_ptr_equal(hc_object(0x123456), hc_object(FREE));
	world_drop(FREE);
}

UNIT_TEST(access_page)
{
	u64 op = HC_ARG1(HC_PD_CTRL, PD_CTRL_ACCESS_PAGE, 0);
	unsigned order, rw = PERM_MEM_R | PERM_MEM_W;
	const crd_t wrong[] = {
		0,
		crd_make(CRD_OBJ, 5, 0, rw),
		crd_make(CRD_MEM, 5, 1, rw),
		crd_make(CRD_MEM, 5, 0, PERM_MEM_R),
		crd_make(CRD_MEM, 5, 0, rw | PERM_MEM_X),
		crd_make(CRD_MEM, HEDRON_USER_END >> PAGE_BITS, 0, rw),
	};
	for (unsigned i = 0; i < array_size(wrong); i++)
		assert_int_equal(hc(op, wrong[i], 0, 0, 0), BAD_PAR);
	assert_null(world_pd->access_page);
	assert_int_equal(hc(op, crd_make(CRD_MEM, 0xfee00, 0, rw), 0, 0, 0), SUCCESS);
	u64 entry = ptab_lookup(&world_pd->mem.guest, 0xfee00, &order);
	assert_int_equal(entry & PTE_ADDR, heap_phys(world_pd->access_page).v);
}

/* It waits for what was deleted, as all others do. */
UNIT_TEST(access_page_without_memory)
{
	u64 op = HC_ARG1(HC_PD_CTRL, PD_CTRL_ACCESS_PAGE, 0);
	crd_t at = crd_make(CRD_MEM, 0xfee00, 0, PERM_MEM_R | PERM_MEM_W);

	for (u64 i = 0; i < 6; i++) /* more than the page and the tables */
		assert_int_equal(hc(HC_ARG1(HC_CREATE_KP, 0, FREE + i), WORLD_SEL_PD, 0, 0, 0), SUCCESS);
	hog_take(&hog, 0);
	assert_int_equal(hc(op, at, 0, 0, 0), OOM);
	world_cpu(1)->sleeping = SLEEPING_NOT; /* else the grace period would be over at once */
	for (u64 i = 0; i < 6; i++)
		world_drop(FREE + i);
	host_dispatch();
	assert_int_equal(page_free_count(), 0);
	world_cpu(1)->sleeping = SLEEPING_MWAIT;
	assert_int_equal(hc(op, at, 0, 0, 0), SUCCESS);
	hog_release(&hog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(creation),
		HC_TEST(privilege),
		HC_TEST(initial_objects),
		HC_TEST(lookups),
		HC_TEST(delegations),
		HC_TEST(creation_without_memory),
		HC_TEST(many_initial_objects),
		HC_TEST(ended_while_it_makes_a_pd),
		HC_TEST(many_initial_objects_without_memory),
		HC_TEST(access_page),
		HC_TEST(access_page_without_memory),
		HC_TEST(delegation_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
