/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of object spaces one by one, shortage of memory, and several CPUs. */
#include "space_obj_fixture.h"

#include "hog.h"

static struct hog hog;

/* ---- rules ---- */

UNIT_TEST(look_up)
{
	make(0, 7, 0, PERM_SM_UP | PERM_SM_DOWN);
	make(0, SEL_LAST, 1, PERM_SM_DOWN);
	host_set_pd(&pds[0]);
	assert_int_equal(cap_lookup(7), cap_make(&object[0].o, 3));
	assert_int_equal(cap_lookup(8), 0);
	assert_int_equal(cap_lookup(7 + HEDRON_SEL_NUM), 0);
	assert_int_equal(cap_lookup(~0ull), 0);
	assert_ptr_equal(cap_lookup_object(7, KOBJ_SM, PERM_SM_UP), &object[0].o);
	assert_ptr_equal(cap_lookup_object(7, KOBJ_SM, PERM_SM_DOWN), &object[0].o);
	assert_ptr_equal(cap_lookup_object(7, KOBJ_SM, 0), &object[0].o);
	assert_null(cap_lookup_object(7, KOBJ_PT, 0));
	assert_null(cap_lookup_object(7, KOBJ_SM, 4));
	assert_null(cap_lookup_object(SEL_LAST, KOBJ_SM, PERM_SM_UP));
	assert_ptr_equal(cap_lookup_object(SEL_LAST, KOBJ_SM, PERM_SM_DOWN), &object[1].o);
	assert_null(cap_lookup_object(100000, KOBJ_SM, 0));
	assert_null(cap_lookup_object(7 + HEDRON_SEL_NUM, KOBJ_SM, 0));
	host_set_pd(&pds[1]);
	assert_int_equal(cap_lookup(7), 0);
	assert_null(space_obj_slot(&pds[0].objs, 7 + HEDRON_SEL_NUM));
	assert_null(space_obj_slot(&pds[0].objs, ~0ull));
}

/* Whatever is wrong with a selector, the same object comes out, which leads nowhere. */
UNIT_TEST(look_up_nothing)
{
	const struct kobject *nothing = (const struct kobject *)kobject_nothing;
	static const u64 empty[] = {8, 100000, HEDRON_SEL_NUM, 7 + HEDRON_SEL_NUM, 1ull << 52, ~0ull};

	make(0, 7, 0, PERM_SM_UP);
	host_set_pd(&pds[0]);
	assert_ptr_equal(cap_lookup_or_nothing(7, KOBJ_SM, PERM_SM_UP), &object[0].o);
	assert_ptr_equal(cap_lookup_or_nothing(7, KOBJ_SM, 0), &object[0].o);
	assert_ptr_equal(cap_lookup_or_nothing(7, KOBJ_SM, PERM_SM_DOWN), nothing);
	for (unsigned type = KOBJ_NONE; type <= KOBJ_VCPU; type++)
		if (type != KOBJ_SM) {
			assert_ptr_equal(cap_lookup_or_nothing(7, type, PERM_SM_UP), nothing);
			assert_ptr_equal(cap_lookup_or_nothing(7, type, 0), nothing);
		}
	for (unsigned i = 0; i < array_size(empty); i++) {
		assert_ptr_equal(cap_lookup_or_nothing(empty[i], KOBJ_SM, PERM_SM_UP), nothing);
		assert_ptr_equal(cap_lookup_or_nothing(empty[i], KOBJ_SM, 0), nothing);
	}
	assert_int_equal(nothing->type, KOBJ_NONE);
	assert_true(kobject_is_nothing(nothing));
	assert_false(kobject_is_nothing(&object[0].o));
	for (unsigned i = 0; i < array_size(kobject_nothing); i++)
		assert_ptr_equal(kobject_nothing[i], kobject_nothing);
}

UNIT_TEST(owner)
{
	static const u64 sels[] = {0, 127, 128, 0xffff, 0x10000, 0x1ffffff, 0x2000000, SEL_LAST};

	for (unsigned i = 0; i < array_size(sels); i++) {
		u64 sel;
		make(i % PDS, sels[i], i, 1);
		assert_ptr_equal(space_obj_owner(space_obj_slot(&pds[i % PDS].objs, sels[i]), &sel), &pds[i % PDS]);
		assert_int_equal(sel, sels[i]);
	}
}

/* What the page tables must look like for the CPU; 0 and 1 are the window's entries. */
UNIT_TEST(window_entries)
{
	const u64 flags = 0x8000000000000063;

	make(0, 0x2010080, 0, 1);
	const u64 *table = pds[0].objs.pdpt;
	const unsigned path[] = {1, 1, 1};
	assert_int_equal(table[0], 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(table[path[i]] & ~0x000ffffffffff000ull, flags);
		table = heap_virt(paddr(table[path[i]] & 0x000ffffffffff000ull));
	}
	assert_int_equal(table[0], cap_make(&object[0].o, 1));
}

UNIT_TEST(creation)
{
	struct cap_slot *slot;

	assert_int_equal(space_obj_reserve(&pds[0], HEDRON_SEL_NUM, &slot), BAD_PAR);
	assert_int_equal(space_obj_reserve(&pds[0], ~0ull, &slot), BAD_PAR);
	make(0, SEL_LAST, 0, 1);
	assert_int_equal(space_obj_reserve(&pds[0], SEL_LAST, &slot), BAD_CAP);
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), SUCCESS);
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), BAD_CAP);
	assert_int_equal(cap_at(0, 5), 0);

	/* Nothing can be delegated there, taken from there, or revoked. */
	make(1, 5, 1, 3);
	give(1, 5, 0, 5, 0, PERM_ALL);
	give(0, 5, 2, 5, 0, PERM_ALL);
	host_revoke(&pds[0], 0, 10, PERM_ALL, true);
	assert_int_equal(cap_at(0, 5), 0);
	assert_int_equal(object[1].o.caps, 1);
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), BAD_CAP);

	space_obj_cancel(&pds[0], slot);
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), SUCCESS);
	space_obj_commit(&pds[0], slot, fresh_object(2), 31);
	assert_int_equal(cap_at(0, 5), cap_make(&object[2].o, 31));
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), BAD_CAP);
	host_revoke(&pds[0], 5, 0, PERM_ALL, true);
	assert_int_equal(gone[2], 1);
	make(0, 5, 3, 1);
}

UNIT_TEST(closed_space)
{
	struct cap_slot *slot, *other;

	make(1, 3, 0, 7);
	assert_int_equal(space_obj_reserve(&pds[0], 5, &slot), SUCCESS);
	give(1, 3, 0, 3, 0, PERM_ALL);
	give(0, 3, 2, 3, 0, PERM_ALL);
	destroy(&pds[0]);
	assert_int_equal(object[0].o.caps, 1);
	assert_int_equal(cap_at(0, 3), 0);
	assert_int_equal(cap_at(2, 3), 0);

	/* A creation that was under way ends as if it had been revoked right after. */
	space_obj_commit(&pds[0], slot, fresh_object(1), 31);
	assert_int_equal(gone[1], 1);
	assert_int_equal(cap_at(0, 5), 0);

	assert_int_equal(space_obj_reserve(&pds[0], 6, &other), BAD_CAP);
	give(1, 3, 0, 3, 0, PERM_ALL);
	assert_int_equal(object[0].o.caps, 1);
	destroy(&pds[0]);
	assert_int_equal(gone[0], 0);
}

UNIT_TEST(permissions_shrink)
{
	make(0, 1, 0, 0x1f);
	give(0, 1, 1, 1, 0, 0x0e);
	give(1, 1, 2, 1, 0, 0x07);
	assert_int_equal(cap_perm(cap_at(2, 1)), 0x06);
	give(2, 1, 3, 1, 0, 0x09); /* none left: no capability */
	assert_int_equal(cap_at(3, 1), 0);
	give(2, 1, 3, 1, 0, 0);
	assert_int_equal(cap_at(3, 1), 0);
	give(2, 1, 3, 1, 0, 0x02);
	give(2, 1, 3, 1, 0, 0x04); /* occupied: neither replaced nor extended */
	assert_int_equal(cap_perm(cap_at(3, 1)), 0x02);

	host_revoke(&pds[0], 1, 0, 0x02, false);
	assert_int_equal(cap_perm(cap_at(0, 1)), 0x1f);
	assert_int_equal(cap_perm(cap_at(1, 1)), 0x0c);
	assert_int_equal(cap_perm(cap_at(2, 1)), 0x04);
	assert_int_equal(cap_at(3, 1), 0);
	assert_int_equal(object[0].o.caps, 3);
	host_revoke(&pds[1], 1, 0, 0x0c, true);
	assert_int_equal(cap_at(1, 1), 0);
	assert_int_equal(cap_at(2, 1), 0);
	host_revoke(&pds[0], 1, 0, 0x1e, true);
	assert_int_equal(gone[0], 0);
	assert_int_equal(cap_perm(cap_at(0, 1)), 1);
	host_revoke(&pds[0], 1, 0, 1, true);
	assert_int_equal(gone[0], 1);
}

/* A child and its parent lie in the range that is revoked without self. */
UNIT_TEST(revoke_within_a_range)
{
	make(0, 0, 0, 3);
	give(0, 0, 0, 1, 0, PERM_ALL);
	give(0, 1, 0, 2, 0, PERM_ALL);
	host_revoke(&pds[0], 0, 2, PERM_ALL, false);
	assert_int_equal(object[0].o.caps, 1);
	assert_int_equal(cap_at(0, 0), cap_make(&object[0].o, 3));
}

/* The tables stay usable when memory runs out anywhere on the way, and nothing is lost. */
UNIT_TEST(out_of_memory)
{
	for (unsigned i = 0; i < 8; i++)
		make(0, i * 0x10000, i, 1); /* each on a page and a table of its own */
	u64 free_pages = page_free_count(), n = 0;
	enum status status = OOM;

	for (; status == OOM; n++) {
		hog_take(&hog, n);
		status = host_delegate(&pds[0], 0, &pds[1], 0, SPACE_OBJ_ORDER, PERM_ALL);
		unsigned got = 0;
		for (unsigned i = 0; i < 8; i++)
			got += cap_at(1, i * 0x10000) != 0;
		assert_int_equal(got, n < 1 ? 0 : (n - 1) / 2);
		assert_int_equal(status, got == 8 ? SUCCESS : OOM);
		hog_release(&hog);
		destroy(&pds[1]);
		free_space(&pds[1]);
		assert_int_equal(space_obj_init(&pds[1].objs, &pds[1].account), SUCCESS);
		assert_int_equal(page_free_count(), free_pages);
	}
	assert_int_equal(n, 18);
}

/* The first page cannot be had, a later one is there: nothing more is delegated. */
UNIT_TEST(out_of_memory_ends_a_delegation)
{
	make(0, 0, 0, 1);
	make(0, 128, 1, 1);
	make(1, 129, 2, 1);
	hog_take(&hog, 0);
	assert_int_equal(host_delegate(&pds[0], 0, &pds[1], 0, 8, PERM_ALL), OOM);
	assert_int_equal(cap_at(1, 128), 0);
	hog_release(&hog);
}

UNIT_TEST(creation_out_of_memory)
{
	struct cap_slot *slot;
	static struct pd pd;

	for (u64 n = 0; n < 3; n++) {
		hog_take(&hog, n);
		assert_int_equal(space_obj_reserve(&pds[n], SEL_LAST, &slot), OOM);
		assert_int_equal(page_free_count(), 0);
		hog_release(&hog);
	}
	hog_take(&hog, 0);
	assert_int_equal(space_obj_init(&pd.objs, &pd.account), OOM);
	hog_release(&hog);
	for (unsigned i = 0; i < 3; i++)
		make(i, SEL_LAST, i, 1);
}

UNIT_TEST(translation)
{
	const struct block all = block_make(0, 31);

	make(0, 10, 0, 0x1f);
	give(0, 10, 1, 20, 0, 0x0f);
	give(1, 20, 0, 30, 0, 0x07);
	give(0, 30, 2, 40, 0, 0x03);

	/* The nearest one above, with the sender's permissions. */
	assert_int_equal(space_obj_translate(&pds[2], 40, &pds[0], all), crd_make(CRD_OBJ, 30, 0, 3));
	assert_int_equal(space_obj_translate(&pds[2], 40, &pds[1], all), crd_make(CRD_OBJ, 20, 0, 3));
	/* The nearest one in the window. */
	assert_int_equal(space_obj_translate(&pds[2], 40, &pds[0], block_make(8, 3)), crd_make(CRD_OBJ, 10, 0, 3));
	assert_int_equal(space_obj_translate(&pds[2], 40, &pds[0], block_make(0, 3)), 0);
	/* Never one below or beside. */
	assert_int_equal(space_obj_translate(&pds[0], 10, &pds[1], all), 0);
	assert_int_equal(space_obj_translate(&pds[0], 10, &pds[3], all), 0);
	/* Itself, within a PD; but an ancestor comes first. */
	assert_int_equal(space_obj_translate(&pds[0], 10, &pds[0], all), crd_make(CRD_OBJ, 10, 0, 0x1f));
	assert_int_equal(space_obj_translate(&pds[0], 10, &pds[0], block_make(0, 3)), 0);
	assert_int_equal(space_obj_translate(&pds[0], 30, &pds[0], all), crd_make(CRD_OBJ, 10, 0, 7));
	assert_int_equal(space_obj_translate(&pds[0], 30, &pds[0], block_make(30, 0)), crd_make(CRD_OBJ, 30, 0, 7));
	/* Nothing there. */
	assert_int_equal(space_obj_translate(&pds[0], 11, &pds[0], all), 0);
	assert_int_equal(space_obj_translate(&pds[0], 10 + HEDRON_SEL_NUM, &pds[0], all), 0);
}

/* What is farther above is not found, but a capability within a PD is still itself. */
UNIT_TEST(translation_of_what_is_deep)
{
	enum { DEEPEST = SPACE_OBJ_TRANSLATE_MAX + 1, FIRST = 0x1000 };
	const struct block first = block_make(FIRST, 0), last = block_make(FIRST + DEEPEST, 0);

	make(0, FIRST, 0, PERM_ALL);
	for (u64 i = 0; i < DEEPEST; i++)
		give(0, FIRST + i, 0, FIRST + i + 1, 0, PERM_ALL);
	assert_int_equal(space_obj_translate(&pds[0], FIRST + DEEPEST - 1, &pds[0], first),
			 crd_make(CRD_OBJ, FIRST, 0, PERM_ALL));
	assert_int_equal(space_obj_translate(&pds[0], FIRST + DEEPEST, &pds[0], first), 0);
	assert_int_equal(space_obj_translate(&pds[0], FIRST + DEEPEST, &pds[0], last),
			 crd_make(CRD_OBJ, FIRST + DEEPEST, 0, PERM_ALL));
}

UNIT_TEST(tables_are_freed)
{
	u64 before = page_free_count();
	pds[1].objs.pdpt[128] = pds[1].objs.pdpt[511] = ~0ull; /* the architecture's */
	for (unsigned i = 0; i < 8; i++)
		make(1, i * 0x700000, i, 1);
	assert_true(page_free_count() < before);
	destroy(&pds[1]);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(gone[i], 1);
	free_space(&pds[1]);
	assert_int_equal(page_free_count(), before + 1); /* the PDPT, too */
	assert_int_equal(space_obj_init(&pds[1].objs, &pds[1].account), SUCCESS);
}

/* ---- several CPUs ---- */

#define THREADS 4

static void *shuffle(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;

	host_set_cpu(seed);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned r = (unsigned)rand_r(&seed), src = r % PDS, dst = r / PDS % PDS, order = r / 16 % 4;
		u64 from = (r >> 8) % 16 >> order << order, to = (r >> 12) % 16 >> order << order;
		unsigned perm = r >> 17 & 1 ? PERM_ALL : r >> 18 & 31;
		if (r >> 16 & 1)
			assert_int_equal(host_delegate(&pds[src], from, &pds[dst], to, order, perm), SUCCESS);
		else /* PD 0 keeps its roots in 0..3 */
			host_revoke(&pds[src], from, order, perm, src != 0 || from >= 4);
	}
	return NULL;
}

/* All CPUs delegate and revoke the same objects in the same slots. Afterwards every tree and count is right. */
UNIT_TEST(concurrency)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < 4; i++)
		make(0, i, i, 31);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, shuffle, (void *)(size_t)(i + 1)), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	u64 in_slots = 0, in_trees = 0, counted = 0;
	for (unsigned pd = 0; pd < PDS; pd++)
		for (u64 sel = 0; sel < 16; sel++)
			in_slots += cap_at(pd, sel) != 0;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(gone[i], 0);
		counted += object[i].o.caps;
		for (struct mdb_node *n = &space_obj_slot(&pds[0].objs, i)->node; n; n = n->next, in_trees++) {
			cap_t c = container_of(n, struct cap_slot, node)->cap;
			assert_ptr_equal(cap_object(c), &object[i].o);
			assert_true(cap_perm(c));
			if (n->parent) /* never more than its parent has */
				assert_int_equal(c & ~container_of(n->parent, struct cap_slot, node)->cap, 0);
		}
	}
	assert_int_equal(in_trees, in_slots);
	assert_int_equal(counted, in_slots);
	host_revoke(&pds[0], 0, 2, 31, true);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(gone[i], 1);
	for (unsigned pd = 0; pd < PDS; pd++)
		for (u64 sel = 0; sel < 16; sel++)
			assert_int_equal(cap_at(pd, sel), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(look_up),
		T(look_up_nothing),
		T(owner),
		T(window_entries),
		T(creation),
		T(closed_space),
		T(permissions_shrink),
		T(revoke_within_a_range),
		T(out_of_memory),
		T(out_of_memory_ends_a_delegation),
		T(creation_out_of_memory),
		T(translation),
		T(translation_of_what_is_deep),
		T(tables_are_freed),
		T(concurrency),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
