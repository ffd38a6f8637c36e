/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapping tree against a model that knows only each node's parent; walks in pieces, with others between them. */
#include "space/mdb.h"

#include "unit.h"

#define NODES 200
#define NONE (-1)
#define ROOT 0

static struct cap_slot slots[NODES] aligned(MDB_ALIGN);
static bool present[NODES];
static int parent[NODES];

static struct mdb_node *node(int i)
{
	return &slots[i].node;
}

static int index_of(const struct mdb_node *n)
{
	return n ? (int)(container_of(n, struct cap_slot, node) - slots) : NONE;
}

static bool below(int n, int top)
{
	while (n != NONE && n != top)
		n = parent[n];
	return n == top;
}

static int count_below(int top)
{
	int count = 0;
	for (int i = 0; i < NODES; i++)
		count += present[i] && i != top && below(i, top);
	return count;
}

static bool has_children(int n)
{
	for (int i = 0; i < NODES; i++)
		if (present[i] && parent[i] == n)
			return true;
	return false;
}

/* The list holds exactly the nodes that are present, linked both ways, every subtree in one piece behind its top. */
static void check_list(void)
{
	int seen = 0, before = NONE;

	for (const struct mdb_node *n = node(ROOT); n; n = n->next) {
		int i = index_of(n);
		assert_true(present[i]);
		assert_int_equal(index_of(n->prev), before);
		assert_int_equal(index_of(n->parent), parent[i]);
		before = i;
		seen++;
	}
	assert_int_equal(seen, 1 + count_below(ROOT));
}

/* Each node below the top is entered and left once, and left after all below it. */
static void check_subtree(int top)
{
	struct mdb_walk w = mdb_walk(node(top));
	int entered = 0, left = 0;

	if (has_children(top))
		assert_int_equal(mdb_has_only_child(node(top)), count_below(top) == 1);
	else
		assert_true(mdb_is_leaf(node(top)));
	for (bool more = true; more;) {
		switch (mdb_step(&w)) {
		case MDB_ENTER:
			assert_true(below(index_of(w.up), top));
			entered++;
			break;
		case MDB_PASS:
			fail_msg("nobody is here");
			break;
		case MDB_LEAVE:
			left++;
			more = mdb_leave(&w);
		}
	}
	assert_int_equal(entered, count_below(top));
	assert_int_equal(left, entered + 1);
}

static void add(int n, int to)
{
	present[n] = true;
	parent[n] = to;
	if (to == NONE)
		mdb_insert_root(node(n));
	else
		mdb_insert_child(node(to), node(n));
}

static void take(int n)
{
	mdb_remove(node(n));
	assert_null(node(n)->parent);
	present[n] = false;
}

UNIT_FIXTURE(setup)
{
	memset(present, 0, sizeof present);
	memset(slots, 0xa5, sizeof slots); /* slots are not cleared before they are used again */
	add(ROOT, NONE);
	return 0;
}

static int any_present(void)
{
	int n = (int)unit_random(NODES);
	while (!present[n])
		n = (n + 1) % NODES;
	return n;
}

static void fill(void)
{
	for (int n = 0; n < NODES; n++)
		if (!present[n])
			add(n, any_present());
}

UNIT_TEST(random_tree)
{
	for (int i = 0; i < 20000; i++) {
		int n = (int)unit_random(NODES);
		if (!present[n])
			add(n, any_present());
		else if (n != ROOT && !has_children(n))
			take(n);
		if (i % 16 == 0)
			check_list();
		check_subtree(any_present());
	}
}

/* Takes out what it leaves, as revocation does, but for what is kept. Returns how many steps that took. */
static int fell(int top, const bool *keep)
{
	struct mdb_walk w = mdb_walk(node(top));
	int steps = 0;

	for (bool more = true; more; steps++) {
		if (mdb_step(&w) != MDB_LEAVE)
			continue;
		int n = index_of(w.up);
		if (n == top || (keep && keep[n]) || has_children(n)) {
			more = mdb_leave(&w);
		} else {
			more = mdb_leave_removed(&w);
			present[n] = false;
		}
	}
	return steps;
}

UNIT_TEST(remove_subtrees)
{
	for (int round = 0; round < 500; round++) {
		fill();
		int top = any_present(), below_top = count_below(top);
		assert_int_equal(fell(top, NULL), 2 * below_top + 1);
		assert_int_equal(count_below(top), 0);
		check_list();
	}
}

/* What stays is passed once, whatever lies around it. */
UNIT_TEST(remove_some)
{
	bool keep[NODES];

	for (int round = 0; round < 500; round++) {
		fill();
		for (int n = 0; n < NODES; n++)
			keep[n] = unit_random(2);
		int top = any_present(), below_top = count_below(top);
		assert_int_equal(fell(top, keep), 2 * below_top + 1);
		check_list();
	}
}

#define WALKERS 3

/*
 * Several walks through one tree, one step of any at a time. Each takes out all that it leaves; others add nodes and
 * take leaves away. What a walk was to visit is gone at its end, also if it was overtaken or its top has gone.
 */
static struct walker {
	struct mdb_place place;
	bool active, mine[NODES]; /* what was below the top in the beginning */
} walkers[WALKERS];

static void walker_begin(struct walker *k, int top)
{
	struct mdb_walk w = mdb_walk(node(top));

	k->active = true;
	for (int n = 0; n < NODES; n++)
		k->mine[n] = present[n] && n != top && below(n, top);
	mdb_pause(&k->place, &w);
}

static bool walker_leave(struct mdb_walk *w)
{
	int n = index_of(w->up);

	if (w->up == w->top)
		return mdb_leave(w);
	if (mdb_ends_with_place(w)) {
		mdb_lift_place(w);
		if (!mdb_is_empty(w))
			return true;
	}
	if (mdb_is_empty(w)) {
		assert_true(mdb_is_leaf(w->up));
		assert_false(has_children(n));
		bool more = mdb_leave_removed(w);
		present[n] = false;
		for (int i = 0; i < WALKERS; i++)
			walkers[i].mine[n] = false;
		return more;
	}
	for (int i = 0; i < WALKERS; i++) /* kept by what was added below it meanwhile */
		walkers[i].mine[n] = false;
	return mdb_leave(w);
}

static void walker_step(struct walker *k)
{
	struct mdb_walk w;
	bool more = mdb_resume(&k->place, &w);

	if (more && mdb_step(&w) == MDB_LEAVE)
		more = walker_leave(&w);
	if (more) {
		mdb_pause(&k->place, &w);
		return;
	}
	k->active = false;
	for (int n = 0; n < NODES; n++)
		assert_false(k->mine[n]);
}

UNIT_TEST(walks_at_the_same_time)
{
	memset(walkers, 0, sizeof walkers);
	for (int i = 0; i < 200000; i++) {
		struct walker *k = &walkers[unit_random(WALKERS)];
		int n = (int)unit_random(NODES);
		if (k->active)
			walker_step(k);
		else if (unit_random(8) == 0)
			walker_begin(k, any_present());
		if (!present[n] && unit_random(4) == 0)
			add(n, any_present());
		else if (present[n] && n != ROOT && mdb_is_leaf(node(n)) && unit_random(8) == 0)
			for (int j = (take(n), 0); j < WALKERS; j++)
				walkers[j].mine[n] = false;
	}
	for (int i = 0; i < WALKERS; i++)
		while (walkers[i].active)
			walker_step(&walkers[i]);
	check_list();
}

/* A place goes up when what it hangs at is taken out. */
UNIT_TEST(places_go_up)
{
	struct mdb_place place, other;
	struct mdb_walk w;

	for (int n = 1; n < 10; n++)
		add(n, n - 1);
	mdb_hang(&place, node(9));
	mdb_hang(&other, node(9));
	w = mdb_walk(node(5));
	for (bool more = true; more;)
		if (mdb_step(&w) == MDB_LEAVE)
			more = walker_leave(&w);
	assert_ptr_equal(mdb_unhang(&place), node(5));
	assert_ptr_equal(mdb_unhang(&other), node(5));
	check_list();
}

/* A chain and a star: the deepest and the widest tree. */
UNIT_TEST(extreme_shapes)
{
	for (int n = 1; n < NODES; n++)
		add(n, n - 1);
	check_list();
	for (int n = 0; n < NODES; n++)
		check_subtree(n);
	for (int n = NODES - 1; n > 0; n--)
		take(n);
	for (int n = 1; n < NODES; n++)
		add(n, ROOT);
	check_list();
	check_subtree(ROOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_tree, setup),  cmocka_unit_test_setup(remove_subtrees, setup),
		cmocka_unit_test_setup(remove_some, setup),  cmocka_unit_test_setup(walks_at_the_same_time, setup),
		cmocka_unit_test_setup(places_go_up, setup), cmocka_unit_test_setup(extreme_shapes, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
