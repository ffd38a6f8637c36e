/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks: one owner, tickets that wrap, and the order of those who wait. */
#include "lib/spinlock.h"

#include <pthread.h>
#include <sched.h>

#include "unit.h"

#define THREADS 4
#define ROUNDS 5
#define TICKETS 256

static struct spinlock lock;
static unsigned order[THREADS], got;

UNIT_TEST(one_owner)
{
	struct spinlock l = {0};

	for (unsigned i = 0; i < 1000; i++) {
		assert_false(spin_is_locked(&l));
		if (i % 2)
			assert_true(spin_trylock(&l));
		else
			spin_lock(&l);
		assert_true(spin_is_locked(&l));
		assert_false(spin_trylock(&l));
		spin_unlock(&l);
	}
}

static u8 tickets(void)
{
	return __atomic_load_n(&lock.next, __ATOMIC_ACQUIRE);
}

static void *wait_in_line(void *number)
{
	spin_lock(&lock);
	order[got++] = (unsigned)(size_t)number;
	spin_unlock(&lock);
	return NULL;
}

/* Each waits in line before the next one comes; and nobody gets the lock by trying while they do. */
UNIT_TEST(first_come_first_served)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < TICKETS - THREADS; i++) { /* the numbers start over meanwhile */
		spin_lock(&lock);
		spin_unlock(&lock);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		got = 0;
		spin_lock(&lock);
		for (size_t i = 0; i < THREADS; i++) {
			u8 before = tickets();
			assert_int_equal(pthread_create(&threads[i], NULL, wait_in_line, (void *)i), 0);
			while (tickets() == before)
				sched_yield();
			assert_false(spin_trylock(&lock));
		}
		spin_unlock(&lock);
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(got, THREADS);
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(order[i], i);
		assert_false(spin_is_locked(&lock));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_owner),
		cmocka_unit_test(first_come_first_served),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
