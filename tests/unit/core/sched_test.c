/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ready queue against a list per priority. */
#include "core/sched.h"

#include "lib/compiler.h"

#include "unit.h"

#define ITEMS 300

static struct sched s;

struct item {
	struct list link;
	unsigned prio;
	bool queued;
};
static struct item items[ITEMS];

UNIT_FIXTURE(setup)
{
	memset(&s, 0xff, sizeof(s));
	memset(items, 0, sizeof(items));
	sched_init(&s);
	return 0;
}

static void tail(struct item *i, unsigned prio)
{
	i->prio = prio;
	sched_enqueue_tail(&s, &i->link, prio);
}

static void head(struct item *i, unsigned prio)
{
	i->prio = prio;
	sched_enqueue_head(&s, &i->link, prio);
}

static struct item *take(void)
{
	unsigned top = sched_top(&s);
	struct item *i = list_first(&s.queue[top], struct item, link);
	assert_int_equal(i->prio, top);
	sched_dequeue(&s, &i->link, top);
	return i;
}

UNIT_TEST(an_empty_queue_has_no_top)
{
	assert_int_equal(sched_top(&s), 0);
	for (unsigned p = 0; p < SCHED_PRIOS; p++)
		assert_true(list_empty(&s.queue[p]));
}

UNIT_TEST(every_priority_is_found_alone)
{
	for (unsigned p = 1; p <= HEDRON_PRIO_MAX; p++) {
		tail(&items[p], p);
		assert_int_equal(sched_top(&s), p);
		assert_ptr_equal(take(), &items[p]);
		assert_int_equal(sched_top(&s), 0);
	}
}

UNIT_TEST(higher_priorities_come_first)
{
	for (unsigned p = 1; p <= HEDRON_PRIO_MAX; p++)
		tail(&items[p], (p * 37) % HEDRON_PRIO_MAX + 1);
	for (unsigned p = HEDRON_PRIO_MAX; p; p--)
		assert_int_equal(take()->prio, p);
	assert_int_equal(sched_top(&s), 0);
}

UNIT_TEST(equals_are_served_in_order)
{
	for (unsigned i = 0; i < 5; i++)
		tail(&items[i], 64);
	for (unsigned i = 0; i < 5; i++)
		assert_ptr_equal(take(), &items[i]);
}

UNIT_TEST(the_head_goes_before_its_equals)
{
	tail(&items[0], 63);
	tail(&items[1], 63);
	head(&items[2], 63);
	assert_ptr_equal(take(), &items[2]);
	assert_ptr_equal(take(), &items[0]);
	assert_ptr_equal(take(), &items[1]);
}

UNIT_TEST(one_that_leaves_keeps_the_others)
{
	for (unsigned i = 0; i < 3; i++)
		tail(&items[i], 127);
	sched_dequeue(&s, &items[1].link, 127);
	assert_int_equal(sched_top(&s), 127);
	assert_ptr_equal(take(), &items[0]);
	assert_ptr_equal(take(), &items[2]);
	assert_int_equal(sched_top(&s), 0);
}

/* ---- against a model ---- */

static struct item *model[SCHED_PRIOS][ITEMS];
static unsigned model_count[SCHED_PRIOS];

static void model_insert(struct item *i, unsigned at)
{
	struct item **queue = model[i->prio];
	memmove(&queue[at + 1], &queue[at], (model_count[i->prio]++ - at) * sizeof(*queue));
	queue[at] = i;
}

static void model_remove(struct item *i)
{
	struct item **queue = model[i->prio];
	unsigned at = 0;
	while (queue[at] != i)
		at++;
	memmove(&queue[at], &queue[at + 1], (--model_count[i->prio] - at) * sizeof(*queue));
}

static void assert_same(void)
{
	unsigned top = 0;
	for (unsigned p = 0; p < SCHED_PRIOS; p++) {
		unsigned at = 0;
		list_for_each(l, &s.queue[p]) assert_ptr_equal(container_of(l, struct item, link), model[p][at++]);
		assert_int_equal(at, model_count[p]);
		if (at)
			top = p;
	}
	assert_int_equal(sched_top(&s), top);
}

UNIT_TEST(random_work_agrees_with_a_model)
{
	memset(model_count, 0, sizeof(model_count));
	for (unsigned step = 0; step < 20000; step++) {
		struct item *i = &items[unit_random(ITEMS)];
		if (i->queued) {
			sched_dequeue(&s, &i->link, i->prio);
			model_remove(i);
		} else if (unit_random(2)) {
			tail(i, 1 + unit_random(HEDRON_PRIO_MAX));
			model_insert(i, model_count[i->prio]);
		} else {
			head(i, 1 + unit_random(HEDRON_PRIO_MAX));
			model_insert(i, 0);
		}
		i->queued = !i->queued;
		if (step % 16 == 0)
			assert_same();
	}
	assert_same();
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(an_empty_queue_has_no_top),       T(every_priority_is_found_alone),
		T(higher_priorities_come_first),    T(equals_are_served_in_order),
		T(the_head_goes_before_its_equals), T(one_that_leaves_keeps_the_others),
		T(random_work_agrees_with_a_model),
	};
	return cmocka_run_group_tests_name("core/sched", tests, NULL, NULL);
}
