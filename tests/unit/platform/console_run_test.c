/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log while the machine runs: nobody waits for a device, what is left over is for idle CPUs, user land's lines
 * stay whole, and what finds no room is counted. console_test.c has how it begins.
 */
#include "unit.h"

#include <stdio.h>

#include "host.h"
#include "platform/console.h"

/* A device that takes `room` bytes at a time, and shows them in `out`. */
struct device {
	struct console console;
	char out[64 * 1024];
	size_t length, room, most;
};

static struct device slow, fast, screen, keeper;
static unsigned wakes;

static void keep(struct device *d, const char *text, size_t length)
{
	assert_true(d->length + length < sizeof(d->out));
	memcpy(d->out + d->length, text, length);
	d->length += length;
	d->out[d->length] = '\0';
	d->most = length > d->most ? length : d->most;
}

static void slow_write(const char *text, size_t length)
{
	size_t bytes = length + (text[length - 1] == '\n');

	if (slow.room < 1000000) {
		assert_true(bytes <= slow.room);
		slow.room = 0; /* until it has been sent */
	}
	keep(&slow, text, length);
}
static size_t slow_room(void)
{
	return slow.room;
}
static void fast_write(const char *text, size_t length)
{
	keep(&fast, text, length);
}
static void screen_write(const char *text, size_t length)
{
	keep(&screen, text, length);
}
static void keeper_write(const char *text, size_t length)
{
	keep(&keeper, text, length);
}

static void wake(void)
{
	wakes++;
}

static void forget(struct device *d)
{
	d->length = d->most = 0;
	d->out[0] = '\0';
}

/* Nothing is left of earlier tests. */
UNIT_FIXTURE(setup)
{
	static bool running;

	host_tsc += 1000 * LOG_USER_TICKS;
	if (!running) {
		slow.console = (struct console){.write = slow_write, .room = slow_room, .sharing = CONSOLE_SHARED};
		fast.console = (struct console){.write = fast_write};
		screen.console = (struct console){.write = screen_write, .costly = true};
		keeper.console = (struct console){.write = keeper_write, .sharing = CONSOLE_KEEPER};
		slow.room = 1000000;
		console_add(&slow.console);
		console_add(&fast.console);
		console_add(&screen.console);
		console_add(&keeper.console);
		console_run(wake);
		running = true;
	}
	console_release();
	slow.room = 1000000;
	while (console_pending)
		console_drain();
	forget(&slow);
	forget(&fast);
	forget(&screen);
	forget(&keeper);
	wakes = 0;
	return 0;
}

/* An idle CPU at work, on a line that sends 16 bytes between two looks. */
static void drain_all(void)
{
	for (unsigned turns = 0; console_pending; turns++) {
		assert_true(turns < 100000);
		slow.room = 16;
		console_drain();
	}
}

UNIT_TEST(test_nobody_waits)
{
	slow.room = 16;
	log_info("a message that is longer than what the line takes");
	assert_string_equal(slow.out, "a message that "); /* the newline might have come, and taken two places */
	assert_string_equal(fast.out, "a message that is longer than what the line takes\n");
	assert_string_equal(screen.out, "");
	assert_true(console_pending);
	assert_int_equal(wakes, 1);

	log_info("another");
	assert_string_equal(slow.out, "a message that ");
	drain_all();
	assert_string_equal(slow.out, "a message that is longer than what the line takes\nanother\n");
	assert_string_equal(screen.out, slow.out);
	assert_int_equal(wakes, 2);
}

/* What costs much is done a line at a time, so that the CPU notices when it is needed. */
UNIT_TEST(test_a_line_at_a_time_on_screens)
{
	for (unsigned i = 0; i < 5; i++)
		log_info("line %u", i);
	console_drain();
	assert_string_equal(screen.out, "line 0\n");
	console_drain();
	assert_string_equal(screen.out, "line 0\nline 1\n");
	drain_all();
	assert_string_equal(screen.out, "line 0\nline 1\nline 2\nline 3\nline 4\n");
}

static void claim_all(char *text, size_t size)
{
	size_t length = 0, n;

	while ((n = console_claim(text + length, min_u64(16, size - length)))) {
		length += n;
		assert_true(length < size);
	}
	text[length] = '\0';
}

UNIT_TEST(test_user_lines_stay_whole)
{
	char text[1000];

	slow.room = 8;
	log_info("from the kernel");
	assert_string_equal(slow.out, "from th");
	claim_all(text, sizeof(text));
	assert_string_equal(text, "e kernel\n"); /* user land ends the line that has begun */

	slow.room = 1000000;
	log_info("meanwhile");
	console_drain();
	assert_string_equal(slow.out, "from th");
	assert_string_equal(keeper.out, "from the kernel\n");
	assert_string_equal(fast.out, "from the kernel\nmeanwhile\n"); /* has nothing to do with user land */
	char line[] = "a line of \x1b user land\n";
	console_write_user(line, strlen(line));
	console_release();
	assert_string_equal(slow.out, "from thmeanwhile\n");
	assert_string_equal(keeper.out, "from the kernel\na line of ? user land\nmeanwhile\n");
	drain_all();
}

UNIT_TEST(test_who_writes_elsewhere_is_given_nothing)
{
	char text[16];

	slow.room = 0;
	log_info("for the line");
	assert_int_equal(console_claim(text, 0), 0);
	slow.room = 1000000;
	console_drain();
	assert_string_equal(slow.out, "");
	console_release();
	assert_string_equal(slow.out, "for the line\n");
}

/* Whoever claimed the line may have died: after a while the kernel goes on, on a line of its own. */
UNIT_TEST(test_forgotten_claim)
{
	char text[16], half[] = "half a li";

	assert_int_equal(console_claim(text, sizeof(text)), 0);
	console_write_user(half, strlen(half));
	log_info("waits");
	console_drain();
	assert_string_equal(slow.out, "");
	host_tsc += CONSOLE_CLAIM_TICKS;
	drain_all();
	assert_string_equal(slow.out, "\nwaits\n");
	assert_string_equal(keeper.out, "half a li\nwaits\n");
}

/* A long line on a slow device: who writes it claims it again and again, and is told nothing meanwhile. */
UNIT_TEST(test_claim_renewed)
{
	char text[16];

	assert_int_equal(console_claim(text, sizeof(text)), 0);
	log_info("waits");
	for (unsigned i = 0; i < 10; i++) {
		host_tsc += CONSOLE_CLAIM_TICKS / 2;
		console_drain();
		assert_int_equal(console_claim(text, 0), 0);
	}
	assert_string_equal(slow.out, "");
	console_release();
	drain_all();
	assert_string_equal(slow.out, "waits\n");
}

/* The ring has 8 KiB: the oldest lines go, whole, and it is said how many. */
UNIT_TEST(test_lost_lines_are_counted)
{
	unsigned n, lost, cut;

	slow.room = 8;
	for (unsigned i = 0; i < 1000; i++)
		log_info("line number %u%.*s", i, (int)(i % 40), "........................................");
	drain_all();
	assert_int_equal(sscanf(slow.out, "line nu\n%u lines lost\nline number %u", &lost, &n), 2);
	assert_int_equal(lost, n); /* the first one among them, as its end is missing */
	assert_non_null(strstr(slow.out, "line number 999"));
	assert_int_equal(sscanf(screen.out, "%u lines lost\nline number %u", &lost, &cut), 2);
	assert_int_equal(lost, cut);
	assert_null(strstr(fast.out, "lost"));
	forget(&slow);
	log_info("and on");
	drain_all();
	assert_string_equal(slow.out, "and on\n");
}

/* Nobody reads: idle CPUs give up at some time, and begin again with the next message. */
UNIT_TEST(test_stuck_line)
{
	unsigned turns = 0;

	slow.room = 0;
	log_info("stuck");
	for (; console_pending; turns++)
		console_drain();
	assert_in_range(turns, 1000, 200000);
	log_info("again");
	assert_true(console_pending);
	drain_all();
	assert_string_equal(slow.out, "stuck\nagain\n");
}

/* A step is bounded whatever has piled up. */
UNIT_TEST(test_steps_are_short)
{
	char text[16];

	assert_int_equal(console_claim(text, sizeof(text)), 0);
	for (unsigned i = 0; i < 100; i++)
		log_info("one of many messages, number %u", i);
	forget(&slow);
	console_release();
	assert_in_range(slow.length, 1, 2 * CONSOLE_LINE_MAX);
	assert_in_range(keeper.length, 1, 2 * CONSOLE_LINE_MAX);
	drain_all();
	assert_string_equal(slow.out, fast.out);
	assert_string_equal(keeper.out, fast.out);
}

/* The last test: there is no way back. Everything that waits comes out at once, below what user land was writing. */
UNIT_TEST(test_panic)
{
	char text[16], half[] = "half";

	log_info("before");
	drain_all();
	assert_int_equal(console_claim(text, sizeof(text)), 0);
	console_write_user(half, strlen(half));
	log_info("waits");
	slow.room = 1000000;
	console_seize();
	log_error("PANIC");
	assert_string_equal(slow.out, "before\n\nwaits\nerror: PANIC\n");
	assert_string_equal(screen.out, "before\nwaits\nerror: PANIC\n");
	assert_string_equal(keeper.out, "before\nhalf\nwaits\nerror: PANIC\n");
	assert_false(console_pending);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(nobody_waits),           TEST(a_line_at_a_time_on_screens),
		TEST(user_lines_stay_whole),  TEST(who_writes_elsewhere_is_given_nothing),
		TEST(forgotten_claim),        TEST(claim_renewed),
		TEST(lost_lines_are_counted), TEST(stuck_line),
		TEST(steps_are_short),        TEST(panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
