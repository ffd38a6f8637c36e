/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who writes what devices were too slow for: idle CPUs, and one that sleeps is woken for it. */
#include "core/drain.h"
#include "platform/console.h"

#include "world.h"

enum { A = 100 };

static char out[4096];
static size_t length, room;
static unsigned interrupt_after; /* looks at the device until there is something else to do; 0: never */

static void slow_write(const char *text, size_t n)
{
	assert_true(n <= room && length + n < sizeof(out));
	memcpy(out + length, text, n);
	length += n;
	out[length] = '\0';
}

static size_t slow_room(void)
{
	if (interrupt_after && !--interrupt_after)
		hazard_set(cpu_current(), HAZARD_SCHED);
	return room;
}

static struct console slow = {.write = slow_write, .room = slow_room};

UNIT_FIXTURE(setup)
{
	world_setup(state);
	room = sizeof(out);
	interrupt_after = 0;
	console_add(&slow);
	drain_start();
	while (console_pending)
		console_drain();
	length = 0;
	return 0;
}

static void make_busy(unsigned n)
{
	world_thread(A + 10 * n, n, 1);
	world_on(n);
	host_set_cpu(0);
}

/* An idle CPU is woken once, and finishes the message before it sleeps again. It may have got busy, so it wakes the
 * next one; that one finds nothing to do. */
UNIT_TEST(an_idle_cpu_is_woken)
{
	make_busy(0);
	room = 0;
	log_info("something to say");
	log_info("and more");
	assert_int_equal(host_calls[1].signals, 1);
	assert_int_equal(host_calls[2].signals, 0);
	assert_int_equal(length, 0);
	room = 16;
	assert_int_equal(world_on(1).way, HOST_IDLE);
	assert_string_equal(out, "something to say\nand more\n");
	assert_false(console_pending);
	assert_int_equal(host_calls[2].signals, 1);
	assert_int_equal(world_on(2).way, HOST_IDLE);
	assert_int_equal(host_calls[1].signals, 1);
	host_set_cpu(0);
	room = 0;
	log_info("again");
	assert_int_equal(host_calls[1].signals, 2);
	room = 16;
	world_on(1);
}

/* All are busy: whoever becomes idle next. */
UNIT_TEST(the_next_idle_cpu_writes)
{
	for (unsigned n = 0; n < WORLD_CPUS; n++)
		make_busy(n);
	struct host_calls before[WORLD_CPUS];
	memcpy(before, host_calls, sizeof(before));
	room = 0;
	log_info("later");
	for (unsigned n = 0; n < WORLD_CPUS; n++)
		assert_int_equal(host_calls[n].signals, before[n].signals);
	room = 16;
	world_drop(A + 1); /* the SC of CPU 0's thread */
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	assert_string_equal(out, "later\n");
}

/* The CPU that was woken is busy by now: it goes on with that, and another one writes. */
UNIT_TEST(passed_on)
{
	make_busy(0);
	room = 0;
	log_info("passed on");
	room = 16;
	world_thread(A + 10, 1, 1);
	assert_int_equal(world_on(1).way, HOST_SYSCALL);
	assert_int_equal(length, 0);
	assert_int_equal(world_on(2).way, HOST_IDLE);
	assert_string_equal(out, "passed on\n");
}

/* A CPU that is called away leaves the rest to another one. */
UNIT_TEST(work_comes_first)
{
	make_busy(1);
	make_busy(3);
	room = 0;
	log_info("interrupted");
	interrupt_after = 1;
	drain_idle(cpu_current()); /* one look, then it is needed */
	assert_true(cpu_current()->hazard & HAZARD_SCHED);
	assert_true(console_pending);
	room = 16;
	assert_int_equal(world_on(2).way, HOST_IDLE);
	assert_string_equal(out, "interrupted\n");
	host_set_cpu(0);
	host_dispatch();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_idle_cpu_is_woken),
		TEST(the_next_idle_cpu_writes),
		TEST(passed_on),
		TEST(work_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
