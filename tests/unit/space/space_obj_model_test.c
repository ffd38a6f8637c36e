/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object spaces against a model, which knows of every capability where it is, what it names and where it came from;
 * after each random operation the slots and the mapping trees must say the same.
 */
#include "space_obj_fixture.h"

/* ---- the model ---- */

struct model_cap {
	bool live;
	unsigned pd, object, perm;
	u64 sel;
	int parent;
};

static struct model_cap model[CAPS_MAX];
static bool object_used[OBJECTS];

static int model_find(unsigned pd, u64 sel)
{
	for (int i = 0; i < CAPS_MAX; i++)
		if (model[i].live && model[i].pd == pd && model[i].sel == sel)
			return i;
	return -1;
}

static int model_add(unsigned pd, u64 sel, unsigned obj, unsigned perm, int parent)
{
	for (int i = 0; i < CAPS_MAX; i++) {
		if (model[i].live)
			continue;
		model[i] = (struct model_cap){true, pd, obj, perm, sel, parent};
		return i;
	}
	fail_msg("the model is too small");
	return -1;
}

static unsigned model_count(void)
{
	unsigned count = 0;
	for (int i = 0; i < CAPS_MAX; i++)
		count += model[i].live;
	return count;
}

static bool in_range(u64 sel, u64 base, unsigned order)
{
	return sel >= base && sel - base < 1ull << order;
}

static void model_delegate(unsigned src, u64 from, unsigned dst, u64 to, unsigned order, unsigned perm)
{
	struct model_cap before[CAPS_MAX];

	memcpy(before, model, sizeof model);
	for (int i = 0; i < CAPS_MAX; i++) {
		const struct model_cap *c = &before[i];
		if (!c->live || c->pd != src || !in_range(c->sel, from, order) || !(c->perm & perm))
			continue;
		if (model_find(dst, to + (c->sel - from)) < 0)
			model_add(dst, to + (c->sel - from), c->object, c->perm & perm, i);
	}
}

static bool model_below(int i, int top)
{
	while (i >= 0 && i != top)
		i = model[i].parent;
	return i == top;
}

static void model_revoke(unsigned pd, u64 base, unsigned order, unsigned perm, bool self)
{
	bool hit[CAPS_MAX] = {false};

	for (int top = 0; top < CAPS_MAX; top++) {
		if (!model[top].live || model[top].pd != pd || !in_range(model[top].sel, base, order))
			continue;
		for (int i = 0; i < CAPS_MAX; i++)
			hit[i] |= model[i].live && model_below(i, top) && (i != top || self);
	}
	for (int i = 0; i < CAPS_MAX; i++)
		if (hit[i] && !(model[i].perm &= ~perm))
			model[i].live = false;
}

static int index_of(struct mdb_node *n)
{
	u64 sel;
	const struct pd *pd = space_obj_owner(container_of(n, struct cap_slot, node), &sel);
	return model_find((unsigned)(pd - pds), sel);
}

static void check_object(unsigned obj)
{
	struct mdb_node *root = NULL;
	u64 count = 0, listed = 0;

	for (int i = 0; i < CAPS_MAX; i++) {
		if (!model[i].live || model[i].object != obj)
			continue;
		assert_int_equal(cap_at(model[i].pd, model[i].sel), cap_make(&object[obj].o, model[i].perm));
		if (model[i].parent < 0)
			root = &space_obj_slot(&pds[model[i].pd].objs, model[i].sel)->node;
		count++;
	}
	assert_int_equal(object[obj].o.caps, count);
	assert_int_equal(gone[obj], object_used[obj] && !count);
	for (struct mdb_node *n = root; n; n = n->next, listed++) {
		int i = index_of(n);
		assert_true(i >= 0);
		assert_int_equal(n->parent ? index_of(n->parent) : -1, model[i].parent);
	}
	assert_int_equal(listed, count);
}

static void check_all(void)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		check_object(i);
		if (gone[i]) {
			fresh_object(i);
			object_used[i] = false;
		}
	}
}

/* ---- random operations ---- */

/* Around every border of the tables. */
static u64 random_base(unsigned order)
{
	static const u64 around[] = {16, 128, 0x10000, 0x2000000, HEDRON_SEL_NUM - 16};
	u64 sel = around[unit_random(5)] - 16 + unit_random(32);
	return sel >> order << order;
}

static unsigned random_order(void)
{
	static const unsigned large[] = {6, 7, 8, 9, 15, 16, 17, 25, 26};
	return unit_random(6) ? unit_random(6) : large[unit_random(9)];
}

static unsigned random_perm(void)
{
	return unit_random(3) ? PERM_ALL : unit_random(32);
}

static void random_create(void)
{
	unsigned obj = unit_random(OBJECTS), pd = unit_random(PDS), perm = 1 + unit_random(31);
	u64 sel = random_base(0);
	enum status expected = model_find(pd, sel) < 0 ? SUCCESS : BAD_CAP;

	if (object_used[obj])
		return;
	assert_int_equal(space_obj_insert_root(&pds[pd], sel, fresh_object(obj), perm), expected);
	if (expected == SUCCESS) {
		model_add(pd, sel, obj, perm, -1);
		object_used[obj] = true;
	}
}

static void random_delegate(void)
{
	unsigned order = random_order(), src = unit_random(PDS), dst = unit_random(PDS), perm = random_perm();
	u64 from = random_base(order), to = random_base(order);

	if (model_count() > CAPS_MAX / 2)
		return;
	give(src, from, dst, to, order, perm);
	model_delegate(src, from, dst, to, order, perm);
}

static void random_revoke(void)
{
	unsigned order = unit_random(3) ? unit_random(3) : random_order(), pd = unit_random(PDS),
		 perm = random_perm();
	u64 base = random_base(order);
	bool self = unit_random(2);

	host_revoke(&pds[pd], base, order, perm, self);
	model_revoke(pd, base, order, perm, self);
}

static void random_destroy(void)
{
	unsigned pd = unit_random(PDS);

	destroy(&pds[pd]);
	model_revoke(pd, 0, SPACE_OBJ_ORDER, PERM_ALL, true);
	free_space(&pds[pd]);
	assert_int_equal(space_obj_init(&pds[pd].objs, &pds[pd].account), SUCCESS);
}

UNIT_TEST(random_operations)
{
	memset(model, 0, sizeof model);
	memset(object_used, 0, sizeof object_used);
	for (unsigned i = 0; i < 12000; i++) {
		switch (unit_random(64)) {
		case 0 ... 15:
			random_create();
			break;
		case 16 ... 39:
			random_delegate();
			break;
		case 40 ... 62:
			random_revoke();
			break;
		default:
			if (!unit_random(4))
				random_destroy();
		}
		check_all();
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(random_operations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
