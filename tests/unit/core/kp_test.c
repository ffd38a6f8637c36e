/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel pages: mapped in one place at most, and gone from user land when they end. */
#include "world.h"

#define KP 0x100
#define OTHER 0x101
#define VA 0x7000

static struct kp *make(void)
{
	struct kp *kp;
	assert_int_equal(kp_create(world_pd, &kp), SUCCESS);
	world_insert(KP, &kp->obj, PERM_KP_ALL);
	return kp;
}

/* What is mapped at va: the physical address, 0 for nothing. */
static u64 mapped(struct pd *pd, u64 va)
{
	unsigned order;
	return ptab_lookup(&pd->mem.host, va >> PAGE_BITS, &order) & PTE_ADDR;
}

UNIT_TEST(is_zeroed)
{
	make(); /* the slab's page is taken */
	world_drop(KP);
	u64 *dirty = page_alloc();
	memset(dirty, 0xff, PAGE_SIZE);
	page_free(dirty);
	const u64 *page = make()->page;
	assert_ptr_equal(page, dirty);
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		assert_int_equal(page[i], 0);
	world_drop(KP);
}

UNIT_TEST(comes_and_goes)
{
	struct kp *kp = make();
	u32 refs = world_pd->obj.refs;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(kp_unmap(kp), BAD_PAR);
		assert_int_equal(kp_map(kp, world_pd, VA), SUCCESS);
		assert_int_equal(mapped(world_pd, VA), heap_phys(kp->page).v);
		assert_int_equal(world_pd->obj.refs, refs + 1);
		assert_int_equal(kp_map(kp, world_pd, VA + PAGE_SIZE), BAD_PAR);
		memset(kp->page, 0x5a, PAGE_SIZE);
		assert_int_equal(kp_unmap(kp), SUCCESS);
		assert_int_equal(mapped(world_pd, VA), 0);
		assert_int_equal(world_pd->obj.refs, refs);
		assert_int_equal(*(u64 *)kp->page, 0x5a5a5a5a5a5a5a5a); /* keeps what is in it */
	}
	world_drop(KP);
}

UNIT_TEST(addresses)
{
	struct kp *kp = make();
	const u64 wrong[] = {1, VA + 8, HEDRON_USER_END, 0xffff800000000000, ~0ull};
	for (unsigned i = 0; i < array_size(wrong); i++)
		assert_int_equal(kp_map(kp, world_pd, wrong[i]), BAD_PAR);
	assert_int_equal(kp_map(kp, world_pd, 0), SUCCESS);
	assert_int_equal(kp_unmap(kp), SUCCESS);
	assert_int_equal(kp_map(kp, world_pd, HEDRON_USER_END - PAGE_SIZE), SUCCESS);
	world_drop(KP);
	world_free_all();
	assert_int_equal(mapped(world_pd, HEDRON_USER_END - PAGE_SIZE), 0);
}

/* Something else is at the address by now: it stays. */
UNIT_TEST(replaced)
{
	struct kp *kp = make(), *other;
	assert_int_equal(kp_create(world_pd, &other), SUCCESS);
	world_insert(OTHER, &other->obj, PERM_KP_ALL);
	assert_int_equal(kp_map(kp, world_pd, VA), SUCCESS);
	assert_int_equal(kp_map(other, world_pd, VA), SUCCESS);
	assert_int_equal(kp_unmap(kp), SUCCESS);
	assert_int_equal(mapped(world_pd, VA), heap_phys(other->page).v);
	world_drop(OTHER);
	world_drop(KP);
}

UNIT_TEST(ends_mapped)
{
	struct kp *kp = make();
	u32 refs = world_pd->obj.refs;
	assert_int_equal(kp_map(kp, world_pd, VA), SUCCESS);
	world_drop(KP);
	world_settle();
	assert_int_equal(mapped(world_pd, VA), 0);
	assert_int_equal(world_pd->obj.refs, refs);
}

/* Its PD lives on while it is mapped there. */
UNIT_TEST(keeps_its_pd)
{
	struct kp *kp = make();
	struct pd *pd;
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	world_insert(OTHER, &pd->obj, PERM_PD_ALL);
	assert_int_equal(kp_map(kp, pd, VA), SUCCESS);
	world_drop(OTHER);
	world_free_all();
	assert_int_equal(host_pds, 2);
	assert_int_equal(kp_unmap(kp), SUCCESS);
	world_free_all();
	assert_int_equal(host_pds, 1);
	world_drop(KP);
}

UNIT_TEST(the_dying_are_refused)
{
	struct kp *kp = make();
	world_pd->obj.refs -= 1; /* as if the last one went at this moment */
	u32 refs = world_pd->obj.refs;
	world_pd->obj.refs = 0;
	assert_int_equal(kp_map(kp, world_pd, VA), BAD_CAP);
	assert_int_equal(kp->state, KP_UNMAPPED);
	assert_int_equal(kp->obj.refs, 1);
	world_pd->obj.refs = refs + 1;
	kp->obj.refs = 0;
	assert_int_equal(kp_map(kp, world_pd, VA), BAD_CAP);
	assert_int_equal(kp_unmap(kp), BAD_CAP);
	kp->obj.refs = 1;
	world_drop(KP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(comes_and_goes), WORLD_TEST(addresses),    WORLD_TEST(replaced),
		WORLD_TEST(ends_mapped),    WORLD_TEST(keeps_its_pd), WORLD_TEST(the_dying_are_refused),
		WORLD_TEST(is_zeroed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
