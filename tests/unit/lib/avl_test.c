/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random insertions and removals against a set of bits; order, links and balance of the whole tree after each. */
#include "lib/avl.h"

#include "unit.h"

#define KEYS 512

static struct avl_node nodes[KEYS];
static bool in[KEYS];
static struct avl_tree tree;

/* Height of the subtree; checks all there is to check in it. *last rises through the keys. */
static int check(const struct avl_node *n, const struct avl_node *parent, long *last)
{
	if (!n)
		return 0;
	assert_ptr_equal(n->parent, parent);
	int low = check(n->child[0], n, last);
	assert_true((long)n->key > *last);
	assert_true(in[n->key]);
	*last = n->key;
	int high = check(n->child[1], n, last);
	assert_int_equal(n->balance, high - low);
	assert_in_range(n->balance + 1, 0, 2);
	return 1 + (low > high ? low : high);
}

static unsigned size(const struct avl_node *n)
{
	return n ? 1 + size(n->child[0]) + size(n->child[1]) : 0;
}

static void check_all(void)
{
	long last = -1;
	unsigned count = 0;

	for (unsigned i = 0; i < KEYS; i++)
		count += in[i];
	check(tree.root, NULL, &last);
	assert_int_equal(size(tree.root), count);
}

static void check_search(unsigned key)
{
	long below = key, above = key;

	while (below >= 0 && !in[below])
		below--;
	while (above < KEYS && !in[above])
		above++;
	assert_ptr_equal(avl_floor(&tree, key), below < 0 ? NULL : &nodes[below]);
	assert_ptr_equal(avl_ceiling(&tree, key), above == KEYS ? NULL : &nodes[above]);
	if (above == KEYS)
		return;
	for (below = above++; above < KEYS && !in[above];)
		above++;
	assert_ptr_equal(avl_next(&nodes[below]), above == KEYS ? NULL : &nodes[above]);
}

static void toggle(unsigned key)
{
	nodes[key].key = key;
	if (in[key])
		avl_remove(&tree, &nodes[key]);
	else
		avl_insert(&tree, &nodes[key]);
	in[key] = !in[key];
}

UNIT_FIXTURE(empty)
{
	tree.root = NULL;
	memset(in, 0, sizeof in);
	return 0;
}

UNIT_TEST(random_keys)
{
	/* A small range of keys gives small trees, where every shape comes up. */
	for (unsigned range = 4; range <= KEYS; range *= 2) {
		for (unsigned i = 0; i < 3000; i++) {
			toggle(unit_random(range));
			check_all();
			check_search(unit_random(range));
		}
	}
}

UNIT_TEST(rising_and_falling)
{
	for (unsigned i = 0; i < KEYS; i++)
		toggle(i);
	check_all();
	for (unsigned i = 0; i < KEYS; i += 2)
		toggle(i);
	check_all();
	for (unsigned i = KEYS; i--;)
		if (in[i])
			toggle(i);
	assert_null(tree.root);
}

/* Eight nodes to a key: in order, those with the same key behind each other, and all of them found. */
UNIT_TEST(same_keys)
{
	for (unsigned i = 0; i < 4000; i++) {
		unsigned k = unit_random(KEYS / 4);
		nodes[k].key = k / 8;
		if (in[k])
			avl_remove(&tree, &nodes[k]);
		else
			avl_insert(&tree, &nodes[k]);
		in[k] = !in[k];

		unsigned key = unit_random(KEYS / 32), found = 0, there = 0;
		for (struct avl_node *n = avl_ceiling(&tree, key); n && n->key == key; n = avl_next(n)) {
			assert_true(in[n - nodes]);
			found++;
		}
		for (unsigned j = 0; j < 8; j++)
			there += in[key * 8 + j];
		assert_int_equal(found, there);
		assert_true(!there || avl_floor(&tree, key)->key == key);
	}
	for (struct avl_node *n = avl_ceiling(&tree, 0), *next; n; n = next) {
		next = avl_next(n);
		assert_true(!next || next->key >= n->key);
		in[n - nodes] = false;
	}
	for (unsigned k = 0; k < KEYS; k++)
		assert_false(in[k]);
}

UNIT_TEST(nothing_there)
{
	assert_null(avl_floor(&tree, 5));
	assert_null(avl_ceiling(&tree, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_there, empty),
		cmocka_unit_test_setup(random_keys, empty),
		cmocka_unit_test_setup(rising_and_falling, empty),
		cmocka_unit_test_setup(same_keys, empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
