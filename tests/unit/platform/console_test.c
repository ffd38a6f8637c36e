/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: what reaches a console, in whole lines; what a late one is shown; what users can provoke. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "fake_log.h"
#include "host.h"

static char second_log[64 * 1024];
static size_t second_length;
static unsigned second_writes;

static void drop(const char *text, size_t length)
{
	(void)text;
	(void)length;
}

static void second_write(const char *text, size_t length)
{
	assert_true(second_length + length < sizeof(second_log));
	memcpy(second_log + second_length, text, length);
	second_length += length;
	second_log[second_length] = '\0';
	second_writes++;
}

/* Each late console of a test is another one: once added they stay. */
static void add_late_console(void)
{
	static struct console late[8];
	static unsigned used_up;

	assert_true(used_up < array_size(late));
	if (used_up)
		late[used_up - 1].write = drop;
	second_length = 0;
	second_writes = 0;
	late[used_up] = (struct console){.write = second_write};
	console_add(&late[used_up++]);
}

static struct console silent = {.write = second_write}, behind = {.write = second_write};

UNIT_FIXTURE(setup)
{
	console_set_level(LOG_INFO);
	host_tsc += 1000 * LOG_USER_TICKS; /* the limit has recovered, nothing is left to be reported */
	log_user("a fresh start");
	host_tsc += 1000 * LOG_USER_TICKS;
	fake_log_start();
	return 0;
}

static void assert_log(const char *text)
{
	assert_string_equal(fake_log, text);
	fake_log_start();
}

UNIT_TEST(test_lines)
{
	log_info("hello %d", 42);
	assert_log("hello 42\n");
	log_info("with newline\n");
	assert_log("with newline\n");
	log_info("two\nlines");
	assert_log("two\nlines\n");
	log_info("%s", "");
	assert_log("\n");
	log_warn("careful");
	assert_log("warning: careful\n");
	log_error("bad");
	assert_log("error: bad\n");
}

UNIT_TEST(test_levels)
{
	static const char *const shown[] = {
		"error: e\n",
		"error: e\nwarning: w\n",
		"error: e\nwarning: w\ni\n",
		"error: e\nwarning: w\ni\nd\n",
	};

	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		console_set_level((enum log_level)level);
		log_error("e");
		log_warn("w");
		log_info("i");
		log_debug("d");
		assert_log(shown[level]);
	}
}

UNIT_TEST(test_only_printable)
{
	log_info("a\tb\rc\033[2Jd\177e\200f\377g~ \001");
	assert_log("a b?c?[2Jd?e?f?g~ ?\n");
}

UNIT_TEST(test_long_message)
{
	char text[1000], wanted[CONSOLE_LINE_MAX + 1];

	memset(text, 'x', sizeof(text));
	for (size_t length = CONSOLE_LINE_MAX - 3; length < CONSOLE_LINE_MAX + 3; length++) {
		size_t kept = length < CONSOLE_LINE_MAX - 1 ? length : CONSOLE_LINE_MAX - 1;
		log_info("%.*s", (int)length, text);
		snprintf(wanted, sizeof(wanted), "%.*s\n", (int)kept, text);
		assert_log(wanted);
	}
	text[999] = 0;
	log_warn("%s", text);
	assert_int_equal(fake_log_length, CONSOLE_LINE_MAX);
	assert_int_equal(fake_log[CONSOLE_LINE_MAX - 1], '\n');
}

/* A console that comes late is shown what there was, once; adding it again changes nothing. */
UNIT_TEST(test_late_console)
{
	log_info("before it came");
	add_late_console();
	assert_non_null(strstr(second_log, "before it came\n"));
	size_t shown = second_length;
	log_info("after");
	assert_int_equal(second_length, shown + 6);
	assert_int_equal(second_writes >= 2, 1);

	assert_log("before it came\nafter\n");

	struct console *first = &silent, *last = &behind;
	console_add(first);
	console_add(last);
	second_length = 0;
	console_add(first); /* neither shows anything again nor cuts off who came later */
	assert_int_equal(second_length, 0);
	log_info("end");
	assert_string_equal(second_log, "end\nend\nend\n"); /* the late one, and each of the two once */
	silent.write = behind.write = drop;
}

/* Longer than the ring: the newest lines, the first one complete. */
UNIT_TEST(test_ring_wraps)
{
	char line[64];

	for (unsigned i = 0; i < 1000; i++)
		log_info("line number %u%.*s", i, (int)(i % 40), "........................................");
	add_late_console();
	assert_true(second_length > 8 * KiB - 64 && second_length <= 8 * KiB);
	unsigned n;
	assert_int_equal(sscanf(second_log, "line number %u", &n), 1);
	char *at = second_log;
	for (; n < 1000; n++) {
		snprintf(line, sizeof(line), "line number %u%.*s\n", n, (int)(n % 40),
			 "........................................");
		assert_memory_equal(at, line, strlen(line));
		at += strlen(line);
	}
	assert_int_equal(*at, 0);
}

/* Lines that divide the ring's size: the oldest cannot be told from the rest of a longer one. */
UNIT_TEST(test_ring_boundary)
{
	for (unsigned i = 0; i < 8 * KiB / 64; i++)
		log_info("%062u", i); /* 63 characters with the newline */
	for (unsigned i = 0; i < 8 * KiB / 64; i++)
		log_info("%063u", i); /* 64 */
	add_late_console();
	assert_int_equal(second_length, 8 * KiB - 64);
	assert_int_equal(strspn(second_log, "0"), 62); /* line number 1 of 0 .. 127 */
}

UNIT_TEST(test_user_messages)
{
	for (unsigned i = 0; i < 1000; i++)
		log_user("fault %u", i);
	unsigned lines = 0;
	for (const char *c = fake_log; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, LOG_USER_BURST);
	assert_true(fake_log_has("warning: fault 0\n"));
	assert_true(fake_log_has("warning: fault 63\n"));

	fake_log_start();
	host_tsc += LOG_USER_TICKS;
	log_user("late");
	log_user("too early");
	assert_log("warning: 936 messages about user code suppressed\nwarning: late\n");
}

UNIT_TEST(test_user_messages_clock_stands)
{
	u64 now = host_tsc;

	for (unsigned i = 0; i < 1000; i++) {
		host_tsc = now;
		log_user("fault");
	}
	assert_int_equal(fake_log_length, LOG_USER_BURST * strlen("warning: fault\n"));
}

/* What is not shown uses up nothing. */
UNIT_TEST(test_user_messages_below_level)
{
	console_set_level(LOG_ERROR);
	for (unsigned i = 0; i < 1000; i++)
		log_user("unseen");
	assert_log("");
	console_set_level(LOG_WARN);
	log_user("seen");
	assert_log("warning: seen\n");
}

#define THREADS 4
#define MESSAGES 200

static void *shout(void *arg)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		log_info("thread %lu says %u and nobody interrupts", (unsigned long)arg, i);
	return NULL;
}

/* From several CPUs at once, lines stay whole. */
UNIT_TEST(test_concurrent)
{
	pthread_t thread[THREADS];
	unsigned next[THREADS] = {0}, lines = 0;

	for (unsigned long t = 0; t < THREADS; t++)
		assert_int_equal(pthread_create(&thread[t], NULL, shout, (void *)t), 0);
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);

	for (const char *at = fake_log; *at; lines++) {
		unsigned t, i;
		int length = 0;
		assert_int_equal(sscanf(at, "thread %u says %u and nobody interrupts\n%n", &t, &i, &length), 2);
		assert_true(length > 0 && t < THREADS);
		assert_int_equal(i, next[t]++);
		at += length;
	}
	assert_int_equal(lines, THREADS * MESSAGES);
}

static void panic_inside(const char *text, size_t length)
{
	static bool inside;

	(void)text;
	(void)length;
	if (inside)
		return;
	inside = true;
	console_seize();
	log_error("from within");
}

/* A panic while the lock is held still gets out. The last test: there is no way back. */
UNIT_TEST(test_seize)
{
	static struct console console = {.write = panic_inside};

	console_add(&console); /* shows the ring, holding the lock */
	assert_log("error: from within\n");
	log_info("still there");
	assert_log("still there\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(lines),
		TEST(levels),
		TEST(only_printable),
		TEST(long_message),
		TEST(late_console),
		TEST(ring_wraps),
		TEST(ring_boundary),
		TEST(user_messages),
		TEST(user_messages_clock_stands),
		TEST(user_messages_below_level),
		TEST(concurrent),
		TEST(seize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
