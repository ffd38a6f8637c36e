/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapping tree against a model that knows only each node's parent. */
#include "space/mdb.h"

#include "unit.h"

#define NODES 200
#define NONE (-1)
#define ROOT 0

static struct mdb_node nodes[NODES];
static bool present[NODES];
static int parent[NODES];

static struct spinlock lock = {1};
static bool suspended;

/* With a lock break after every second node, in which nobody comes. */
static struct mdb_node *last_of(struct mdb_node *top)
{
	struct mdb_walk walk = {&lock, &suspended, 2};
	struct mdb_node *last = mdb_last(top, &walk);
	assert_true(lock.held && !suspended);
	return last;
}

static int index_of(const struct mdb_node *n)
{
	return n ? (int)(n - nodes) : NONE;
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

	for (const struct mdb_node *n = &nodes[ROOT]; n; n = n->next) {
		int i = index_of(n);
		assert_true(present[i]);
		assert_int_equal(index_of(n->prev), before);
		assert_int_equal(index_of(n->parent), parent[i]);
		before = i;
		seen++;
	}
	assert_int_equal(seen, 1 + count_below(ROOT));
}

static void check_subtree(int top)
{
	if (has_children(top))
		assert_int_equal(index_of(mdb_only_child(&nodes[top])) != NONE, count_below(top) == 1);
	struct mdb_node *last = last_of(&nodes[top]);
	int seen = 0;

	for (struct mdb_node *n = last; n != &nodes[top]; n = mdb_back(n)) {
		assert_non_null(n);
		assert_true(below(index_of(n), top));
		seen++;
	}
	assert_int_equal(seen, count_below(top));
}

static void add(int n, int to)
{
	present[n] = true;
	parent[n] = to;
	if (to == NONE)
		mdb_insert_root(&nodes[n]);
	else
		mdb_insert_child(&nodes[to], &nodes[n]);
}

static void take(int n)
{
	mdb_remove(&nodes[n]);
	assert_null(nodes[n].parent);
	present[n] = false;
}

UNIT_FIXTURE(setup)
{
	memset(present, 0, sizeof present);
	memset(nodes, 0xa5, sizeof nodes); /* slots are not cleared before they are used again */
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

/* As revocation does it: backwards, each node removed when it is visited. */
UNIT_TEST(remove_subtrees_backwards)
{
	for (int round = 0; round < 500; round++) {
		for (int n = 0; n < NODES; n++)
			if (!present[n])
				add(n, any_present());
		int top = any_present(), gone = 0, expected = count_below(top);
		for (struct mdb_node *n = last_of(&nodes[top]), *back; n != &nodes[top]; n = back, gone++) {
			back = mdb_back(n);
			assert_false(has_children(index_of(n)));
			take(index_of(n));
		}
		assert_int_equal(gone, expected);
		check_list();
	}
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
	assert_ptr_equal(last_of(&nodes[1]), &nodes[1]);
	assert_ptr_equal(last_of(&nodes[NODES - 1]), &nodes[NODES - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_tree, setup),
		cmocka_unit_test_setup(remove_subtrees_backwards, setup),
		cmocka_unit_test_setup(extreme_shapes, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
