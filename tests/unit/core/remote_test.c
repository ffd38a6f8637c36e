/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Letters between CPUs: order, who signals, and letters that send letters. Many senders at once: tests/stress. */
#include "core/remote.h"

#include "host.h"

#include "unit.h"

#define LETTERS 50

struct letter {
	struct work work;
	unsigned n;
};

static struct letter letters[LETTERS];
static unsigned arrived[4 * LETTERS], count;

static int setup(void **state)
{
	(void)state;
	host_reset(MiB);
	host_set_cpus(3);
	memset(letters, 0, sizeof(letters));
	for (unsigned i = 0; i < LETTERS; i++)
		letters[i].n = i;
	count = 0;
	return 0;
}

static void note(struct work *w)
{
	arrived[count++] = container_of(w, struct letter, work)->n;
}

static void the_mailbox_says_whether_it_was_empty(void **state)
{
	(void)state;
	struct mailbox m = {NULL};
	assert_true(mailbox_push(&m, &letters[0].work));
	assert_false(mailbox_push(&m, &letters[1].work));
	assert_false(mailbox_push(&m, &letters[2].work));

	struct work *w = mailbox_take(&m);
	for (unsigned i = 0; i < 3; i++, w = w->next)
		assert_ptr_equal(w, &letters[i].work);
	assert_null(w);
	assert_null(mailbox_take(&m));
	assert_true(mailbox_push(&m, &letters[3].work));
}

static void letters_arrive_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++)
		remote_call(1, &letters[i].work, note);
	assert_int_equal(count, 0);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, LETTERS);
	for (unsigned i = 0; i < LETTERS; i++)
		assert_int_equal(arrived[i], i);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, LETTERS);
}

static void only_the_first_of_a_batch_signals(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		remote_call(2, &letters[i].work, note);
	assert_int_equal(host_calls[2].signals, 1);
	assert_int_equal(host_calls[1].signals, 0);
	remote_take(&host_cpus[2]);
	remote_call(2, &letters[10].work, note);
	assert_int_equal(host_calls[2].signals, 2);
}

/* Whoever sleeps with an eye on the mailbox sees the letter; all others need a kick. */
static void a_kick_is_for_those_who_do_not_look(void **state)
{
	(void)state;
	const u32 modes[] = {SLEEPING_NOT, SLEEPING_HALTED, SLEEPING_MWAIT};
	for (unsigned i = 0; i < 3; i++) {
		u32 kicks = host_calls[1].kicks;
		host_cpus[1].sleeping = modes[i];
		remote_call(1, &letters[0].work, note);
		assert_int_equal(host_calls[1].kicks - kicks, modes[i] != SLEEPING_MWAIT);
		remote_take(&host_cpus[1]);
	}
}

static void letters_to_oneself_need_no_signal(void **state)
{
	(void)state;
	remote_call(0, &letters[0].work, note);
	remote_call(0, &letters[1].work, note);
	assert_int_equal(host_calls[0].signals, 0);
	assert_int_equal(count, 0);
	assert_true(host_cpus[0].hazard & HAZARD_REMOTE);
	remote_take(&host_cpus[0]);
	assert_int_equal(count, 2);
}

static void mailboxes_are_apart(void **state)
{
	(void)state;
	remote_call(1, &letters[1].work, note);
	remote_call(2, &letters[2].work, note);
	remote_take(&host_cpus[0]);
	assert_int_equal(count, 0);
	remote_take(&host_cpus[2]);
	assert_int_equal(count, 1);
	assert_int_equal(arrived[0], 2);
}

static void note_and_send_again(struct work *w)
{
	note(w);
	if (count < 4 * LETTERS)
		remote_call(1, w, note_and_send_again);
}

/* What a letter sends waits for the next look: the owner is not kept in the kernel for ever. */
static void a_letter_may_be_sent_again(void **state)
{
	(void)state;
	remote_call(1, &letters[0].work, note_and_send_again);
	remote_call(1, &letters[1].work, note_and_send_again);
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

static void a_letter_may_be_gone_afterwards(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++)
		remote_call(1, &letters[i].work, note_and_forget);
	remote_take(&host_cpus[1]);
	assert_int_equal(count, LETTERS);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_mailbox_says_whether_it_was_empty),
		T(letters_arrive_in_order),
		T(only_the_first_of_a_batch_signals),
		T(a_kick_is_for_those_who_do_not_look),
		T(letters_to_oneself_need_no_signal),
		T(mailboxes_are_apart),
		T(a_letter_may_be_sent_again),
		T(a_letter_may_be_gone_afterwards),
	};
	return cmocka_run_group_tests_name("core/remote", tests, NULL, NULL);
}
