/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDs: born empty, closed with their last capability, freed with their last reference. */
#include "../hog.h"
#include "../core/world.h"
#include "space/slot_table.h"

#define PD 0x100
#define SM 0x101
#define EC 0x102

static struct pd *make(bool passthrough)
{
	struct pd *pd;
	assert_int_equal(pd_create(&pd_kernel, passthrough, &pd), SUCCESS);
	world_insert(PD, &pd->obj, PERM_PD_ALL);
	return pd;
}

/* Also in memory that was used before. */
UNIT_TEST(born_empty)
{
	for (unsigned round = 0; round < 2; round++) {
		struct pd *pd = make(round);
		assert_int_equal(pd->obj.type, KOBJ_PD);
		assert_int_equal(pd->passthrough, round);
		assert_false(pd->root);
		assert_null(pd->access_page);
		assert_null(pd->mem.guest.root);
		assert_false(pd->objs.closed || pd->pio.closed || pd->pio.attached);
		assert_int_equal(pd->pio.held.count, 0);
		assert_true(space_obj_is_empty(&pd->objs));
		for (unsigned i = 0; i < PTAB_ENTRIES; i++)
			assert_int_equal(pd->mem.host.root[i], 0);
		/* used, so that the next one finds traces of it */
		pd->root = true;
		assert_int_equal(pd_map_access_page(pd, 0x5000), SUCCESS);
		assert_int_equal(space_obj_delegate(world_pd, WORLD_SEL_PD, pd, 5, 0, PERM_ALL), SUCCESS);
		assert_false(space_obj_is_empty(&pd->objs));
		world_drop(PD);
		world_free_all();
	}
}

UNIT_TEST(one_access_page)
{
	struct pd *pd = make(false);
	assert_int_equal(pd_map_access_page(pd, 0x5000), SUCCESS);
	void *page = pd->access_page;
	assert_non_null(page);
	assert_int_equal(pd_map_access_page(pd, 0x9000), SUCCESS);
	assert_ptr_equal(pd->access_page, page);
	unsigned order;
	assert_int_equal(ptab_lookup(&pd->mem.guest, 5, &order) & PTE_ADDR, heap_phys(page).v);
	assert_int_equal(ptab_lookup(&pd->mem.guest, 9, &order) & PTE_ADDR, heap_phys(page).v);
	assert_int_equal(pd_map_access_page(pd, HEDRON_USER_END), BAD_PAR);
	world_drop(PD);
}

UNIT_TEST(access_page_without_memory)
{
	static struct hog hog;

	struct pd *pd = make(false);
	hog_take(&hog, 0);
	assert_int_equal(pd_map_access_page(pd, 0x5000), OOM);
	hog_release(&hog);
	assert_null(pd->access_page);
	assert_int_equal(pd_map_access_page(pd, 0x5000), SUCCESS);
	world_drop(PD);
}

/* What it holds goes with its last capability, with all that was made of it; nothing comes in any more. */
UNIT_TEST(closed)
{
	struct pd *pd = make(false);
	world_sm(SM, 0);
	assert_int_equal(space_obj_delegate(world_pd, SM, pd, 5, 0, PERM_ALL), SUCCESS);
	assert_int_equal(space_obj_delegate(pd, 5, world_pd, SM + 9, 0, PERM_ALL), SUCCESS);
	kobject_ref(&pd->obj); /* somebody's EC */
	world_drop(PD);
	world_settle();
	assert_int_equal(space_obj_slot(&pd->objs, 5)->cap, 0);
	assert_int_equal(space_obj_slot(&world_pd->objs, SM + 9)->cap, 0);
	assert_int_equal(space_obj_delegate(world_pd, SM, pd, 6, 0, PERM_ALL), SUCCESS);
	assert_int_equal(space_obj_slot(&pd->objs, 6)->cap, 0);
	assert_int_equal(host_pds, 2);
	kobject_unref(&pd->obj);
	world_free_all();
	assert_int_equal(host_pds, 1);
	world_drop(SM);
}

UNIT_TEST(lives_on_with_its_ecs)
{
	struct pd *pd = make(false);
	struct ec_config cfg = {.pd = pd, .utcb_pd = pd, .utcb_va = 0x9000};
	struct ec *ec;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	world_insert(EC, &ec->obj, PERM_EC_ALL);
	world_drop(PD);
	world_free_all();
	assert_int_equal(host_pds, 2);
	unsigned order;
	assert_true(ptab_lookup(&pd->mem.host, 9, &order)); /* its memory stays, too */
	world_drop(EC);
	world_free_all();
	assert_int_equal(host_pds, 1);
}

/* Page tables and pages of slots, those that somebody has reserved among them, are freed some at a time. */
UNIT_TEST(is_freed_in_pieces)
{
	enum { TABLES = 100, MOST = 16 };
	struct pd *pd = make(false);
	struct cap_slot *slot;
	u64 free = page_free_count();
	unsigned pieces = 0;

	for (u64 i = 0; i < TABLES; i++) {
		assert_int_equal(space_mem_map_kernel_page(pd, i << 21, pd->mem.host.root, SPACE_MEM_PRIVATE),
				 SUCCESS);
		assert_int_equal(space_obj_reserve(pd, i << SLOT_TABLE_SLOT_BITS, &slot), SUCCESS);
	}
	assert_true(page_free_count() <= free - 2 * TABLES);
	world_sleep();
	world_drop(PD);
	assert_true(reap_all(cpu_current()));
	for (; host_pds > 1 && pieces < 2 * TABLES; pieces++) {
		free = page_free_count();
		rcu_quiesce(cpu_current());
		assert_in_range(page_free_count() - free, 0, MOST + 4);
	}
	assert_in_range(pieces, 2 * TABLES / MOST, TABLES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(born_empty), WORLD_TEST(one_access_page),       WORLD_TEST(access_page_without_memory),
		WORLD_TEST(closed),     WORLD_TEST(lives_on_with_its_ecs), WORLD_TEST(is_freed_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
