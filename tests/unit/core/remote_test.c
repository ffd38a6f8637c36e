/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work items between CPUs: order, who signals, and work items that send others. Many senders at once: tests/stress.
 */
#include "core/remote.h"

#include "core/ec.h"
#include "host.h"

#include "unit.h"

#define ITEMS 50

struct item {
	struct work work;
	unsigned n;
};

static struct item items[ITEMS];
static struct ec sender; /* current on all CPUs */
static unsigned arrived[4 * ITEMS], count;

UNIT_FIXTURE(setup)
{
	host_reset(MiB);
	host_set_cpus(3);
	memset(items, 0, sizeof(items));
	for (unsigned i = 0; i < ITEMS; i++)
		items[i].n = i;
	count = 0;
	memset(&sender, 0, sizeof(sender));
	for (unsigned n = 0; n < 3; n++)
		host_cpus[n].ec = &sender;
	return 0;
}

static void note(struct work *w)
{
	arrived[count++] = container_of(w, struct item, work)->n;
}

UNIT_TEST(the_mailbox_says_whether_it_was_empty)
{
	struct mailbox m = {NULL, 0};
	assert_true(mailbox_push(&m, &items[0].work));
	assert_false(mailbox_push(&m, &items[1].work));
	assert_false(mailbox_push(&m, &items[2].work));

	struct work *w = mailbox_reverse(mailbox_take(&m));
	for (unsigned i = 0; i < 3; i++, w = w->next)
		assert_ptr_equal(w, &items[i].work);
	assert_null(w);
	assert_null(mailbox_take(&m));
	assert_true(mailbox_push(&m, &items[3].work));
}

UNIT_TEST(work_items_arrive_in_order)
{
	for (unsigned i = 0; i < ITEMS; i++)
		remote_call(1, &items[i].work, note);
	assert_int_equal(count, 0);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		assert_int_equal(arrived[i], i);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, ITEMS);
}

UNIT_TEST(only_the_first_of_a_batch_signals)
{
	for (unsigned i = 0; i < 10; i++)
		remote_call(2, &items[i].work, note);
	assert_int_equal(host_calls[2].signals, 1);
	assert_int_equal(host_calls[1].signals, 0);
	remote_take(&host_cpus[2]);
	remote_call(2, &items[10].work, note);
	assert_int_equal(host_calls[2].signals, 2);
}

/* Whoever sleeps with an eye on the mailbox sees the work item; all others need a kick. */
UNIT_TEST(a_kick_is_for_those_who_do_not_look)
{
	const u32 modes[] = {SLEEPING_NOT, SLEEPING_HALTED, SLEEPING_MWAIT};
	for (unsigned i = 0; i < 3; i++) {
		u32 kicks = host_calls[1].kicks;
		host_cpus[1].sleeping = modes[i];
		remote_call(1, &items[0].work, note);
		assert_int_equal(host_calls[1].kicks - kicks, modes[i] != SLEEPING_MWAIT);
		remote_take(&host_cpus[1]);
	}
}

UNIT_TEST(work_items_to_oneself_need_no_signal)
{
	remote_call(0, &items[0].work, note);
	remote_call(0, &items[1].work, note);
	assert_int_equal(host_calls[0].signals, 0);
	assert_int_equal(count, 0);
	assert_true(host_cpus[0].hazard & HAZARD_REMOTE);
	remote_take(&host_cpus[0]);
	assert_int_equal(count, 2);
}

UNIT_TEST(mailboxes_are_apart)
{
	remote_call(1, &items[1].work, note);
	remote_call(2, &items[2].work, note);
	remote_take(&host_cpus[0]);
	assert_int_equal(count, 0);
	remote_take(&host_cpus[2]);
	assert_int_equal(count, 1);
	assert_int_equal(arrived[0], 2);
}

static void note_and_send_again(struct work *w)
{
	note(w);
	if (count < 4 * ITEMS)
		remote_call(1, w, note_and_send_again);
}

/* What a work item sends waits for the next look: the owner is not kept in the kernel for ever. */
UNIT_TEST(a_work_item_may_be_sent_again)
{
	remote_call(1, &items[0].work, note_and_send_again);
	remote_call(1, &items[1].work, note_and_send_again);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, 2);
	assert_int_equal(host_calls[1].signals, 2);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(arrived[i], i % 2);
}

static void note_and_forget(struct work *w)
{
	note(w);
	memset(w, 0xff, sizeof(*w));
}

UNIT_TEST(a_work_item_may_be_gone_afterwards)
{
	for (unsigned i = 0; i < ITEMS; i++)
		remote_call(1, &items[i].work, note_and_forget);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, ITEMS);
}

UNIT_TEST(too_many_are_a_crowd)
{
	for (unsigned i = 0; i < REMOTE_CROWD; i++) {
		remote_call(1, &items[i].work, note);
		assert_false(remote_is_crowded(1));
	}
	assert_int_equal(host_cpus[0].hazard, 0);
	remote_call(2, &items[REMOTE_CROWD].work, note);
	assert_int_equal(host_cpus[0].hazard, 0);
	remote_call(1, &items[REMOTE_CROWD + 1].work, note);
	assert_int_equal(host_cpus[0].hazard, HAZARD_CROWD);
	assert_int_equal(sender.unfinished.crowded, 2);
	assert_true(remote_is_crowded(1));
	assert_false(remote_is_crowded(2));
	remote_take(&host_cpus[1]);
	assert_int_equal(count, REMOTE_CROWD + 1);
	assert_false(remote_is_crowded(1));
}

/* The owner takes them next. */
UNIT_TEST(nobody_waits_for_himself)
{
	for (unsigned i = 0; i < 2 * REMOTE_CROWD; i++)
		remote_call(0, &items[i].work, note);
	assert_int_equal(host_cpus[0].hazard, HAZARD_REMOTE);
	assert_int_equal(sender.unfinished.crowded, 0);
	remote_take(&host_cpus[0]);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_mailbox_says_whether_it_was_empty),
		T(work_items_arrive_in_order),
		T(only_the_first_of_a_batch_signals),
		T(a_kick_is_for_those_who_do_not_look),
		T(work_items_to_oneself_need_no_signal),
		T(mailboxes_are_apart),
		T(a_work_item_may_be_sent_again),
		T(a_work_item_may_be_gone_afterwards),
		T(too_many_are_a_crowd),
		T(nobody_waits_for_himself),
	};
	return cmocka_run_group_tests_name("core/remote", tests, NULL, NULL);
}
