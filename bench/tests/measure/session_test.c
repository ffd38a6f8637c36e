/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/file.h"
#include "host/mem.h"
#include "measure/lines.h"
#include "measure/session.h"

#include "recorded.h"

#include <stdlib.h>
#include <string.h>

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	session_line(context, line, len, cut);
}

/* Reads a console of the folder data to its end. */
static void play(struct session *session, const char *file, const char *suite)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	size_t size;
	char *data = recorded(file, &size);

	session_init(session, suite, false);
	lines_feed(lines, data, size, on_line, session);
	lines_finish(lines, on_line, session);
	session_finish(session);
	free(data);
	free(lines);
}

UNIT_TEST(good)
{
	struct session s;

	play(&s, "good", "ipc");
	assert_int_equal(s.fault, FAULT_NONE);
	assert_int_equal(s.measured_count, 3);
	assert_int_equal(s.skipped_count, 1);
	assert_string_equal(s.boot_line, "Hedron Hypervisor 13.2.0 release gcc 12.2.0 [MB1]");
	assert_string_equal(s.measured[1].name, "call_reply_cross/words:0");
	assert_int_equal(s.measured[1].sample.min, 230);
	session_free(&s);
}

UNIT_TEST(faults)
{
	static const struct {
		const char *file;
		enum fault fault;
	} rows[] = {
		{"panic", FAULT_PANIC},         {"cut", FAULT_TRUNCATED},       {"count", FAULT_COUNT},
		{"unstable", FAULT_UNSTABLE},   {"fail", FAULT_FAILED},         {"version", FAULT_PROTOCOL},
		{"malformed", FAULT_MALFORMED}, {"duplicate", FAULT_DUPLICATE}, {"silent", FAULT_NO_RUN},
		{"noboot", FAULT_NO_BOOT},      {"badelf", FAULT_NO_RUN},       {"norun", FAULT_ORDER},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct session s;

		play(&s, rows[i].file, NULL);
		if (s.fault != rows[i].fault)
			fail_msg("%s: %s (%s)", rows[i].file, fault_text(s.fault), s.detail.text);
		assert_true(s.detail.text[0]);
		assert_true(fault_advice(s.fault)[0]);
		session_free(&s);
	}
}

UNIT_TEST(details_name_the_cause)
{
	struct session s;

	play(&s, "panic", NULL);
	assert_non_null(strstr(s.detail.text, "x < y"));
	session_free(&s);
	play(&s, "badelf", NULL);
	assert_non_null(strstr(s.detail.text, "Bad ELF"));
	session_free(&s);
	play(&s, "fail", NULL);
	assert_non_null(strstr(s.detail.text, "the page was not there"));
	session_free(&s);
}

UNIT_TEST(other_suite)
{
	struct session s;

	play(&s, "good", "vm");
	assert_int_equal(s.fault, FAULT_SUITE);
	session_free(&s);
}

static void say(struct session *s, const char *line)
{
	session_line(s, line, strlen(line), false);
}

UNIT_TEST(panic_comes_first)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "HBENCH damaged");
	assert_int_equal(s.fault, FAULT_DAMAGED);
	say(&s, "[3] panic: no memory");
	assert_int_equal(s.fault, FAULT_PANIC);
	say(&s, "PANIC: a second one");
	session_finish(&s);
	assert_non_null(strstr(s.detail.text, "no memory"));
	session_free(&s);
}

/* Two writers on one line: the kernel's words begin in the middle of the roottask's. */
UNIT_TEST(panic_within_a_protocol_line)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "HBENCH {\"type\":\"saerror: PANIC: page table is damaged");
	assert_int_equal(s.fault, FAULT_PANIC);
	assert_string_equal(s.detail.text, "PANIC: page table is damaged");
	session_free(&s);
	session_init(&s, NULL, false);
	say(&s, "HBENCH {\"type\":\"note\",\"text\":\"PANIC: quoted\"}");
	assert_int_not_equal(s.fault, FAULT_PANIC);
	session_free(&s);
}

UNIT_TEST(other_line_within_a_protocol_line)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "HBENCH {\"type\":\"sawarning: killed EC: event 6");
	assert_int_equal(s.fault, FAULT_DAMAGED);
	assert_non_null(strstr(s.detail.text, "killed EC: event 6"));
	session_free(&s);
}

/* Other systems, with what their consoles put before the message. */
UNIT_TEST(panics_of_other_systems)
{
	static const char *const lines[] = {
		"Kernel panic - not syncing: VFS: Unable to mount root fs",
		"[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs",
		"[    1.234567][    T1] Kernel panic - not syncing: VFS: Unable to mount root fs",
		"<0>[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs",
		"HBENCH {\"type\":\"sa[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs",
	};
	struct session s;

	for (size_t i = 0; i < array_size(lines); i++) {
		session_init(&s, NULL, false);
		say(&s, lines[i]);
		assert_int_equal(s.fault, FAULT_FOREIGN);
		assert_string_equal(s.detail.text, "Kernel panic - not syncing: VFS: Unable to mount root fs");
		session_free(&s);
	}
	session_init(&s, NULL, false);
	say(&s, "Kernel panic");
	assert_int_equal(s.fault, FAULT_FOREIGN);
	session_free(&s);
	/* Xen gives the reason on the next line. */
	session_init(&s, NULL, false);
	say(&s, "(XEN) Xen call trace:");
	say(&s, "(XEN) ****************************************");
	say(&s, "(XEN) Panic on CPU 0:");
	say(&s, "(XEN) FATAL TRAP: vector = 6 (invalid opcode)");
	say(&s, "(XEN) ****************************************");
	assert_int_equal(s.fault, FAULT_FOREIGN);
	assert_string_equal(s.detail.text, "(XEN) Panic on CPU 0: FATAL TRAP: vector = 6 (invalid opcode)");
	/* Ours explains more. */
	say(&s, "error: PANIC: x");
	assert_int_equal(s.fault, FAULT_PANIC);
	session_free(&s);
}

UNIT_TEST(words_that_are_no_panic)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "Panic button pressed");
	say(&s, "[0] panics happen");
	say(&s, "no need to panic");
	say(&s, "no need to panic: or is there");
	say(&s, "[unclosed panic");
	say(&s, "Command line: panic=10 crash_kexec_post_notifiers");
	say(&s, "");
	assert_int_equal(s.fault, FAULT_NONE);
	session_free(&s);
}

UNIT_TEST(words_that_are_a_panic)
{
	static const char *const lines[] = {"PANIC: x",
					    "[0] panic - x",
					    "panic",
					    "panic !",
					    "panicked at x.rs:1",
					    "x HBENCH {PANIC: x",
					    "PANIC: x HBENCH {\"type\":"};

	for (size_t i = 0; i < array_size(lines); i++) {
		struct session s;

		session_init(&s, NULL, false);
		say(&s, lines[i]);
		if (s.fault != FAULT_PANIC)
			fail_msg("`%s` is no panic", lines[i]);
		session_free(&s);
	}
}

/* Feeds the good lines, and `last` in the place of the one with that number. */
static void play_until(struct session *s, unsigned number, const char *last)
{
	size_t size;
	char *data = recorded("sealed", &size), *line = data;

	session_init(s, "ipc", false);
	for (unsigned i = 1; i < number; i++, line = strchr(line, '\n') + 1)
		session_line(s, line, strcspn(line, "\r\n"), false);
	say(s, last);
	free(data);
}

UNIT_TEST(damage_is_named)
{
	static const struct {
		unsigned number;
		const char *line;
		enum fault fault;
		const char *detail;
	} rows[] = {
		{7, "HBENCH {\"type\":\"run\",\"line\":0,\"crc\":\"00000000\"}", FAULT_DAMAGED,
		 "line 7 of the console: its checksum is wrong"},
		{9, "HBENCH {\"type\":\"end\",\"lines\":2}", FAULT_DAMAGED,
		 "line 9 of the console: its checksum is missing"},
		{10, "HBENCH {\"type\":\"samp", FAULT_DAMAGED, "line 10 of the console: not JSON"},
		{10, "HBENCH {\"type\":\"sampkilled EC 5: #PF", FAULT_DAMAGED, "in it: killed EC 5: #PF"},
		{10, "HBENCH {\"type\":\"samproottask: panic: no memory", FAULT_DAMAGED, "in it: panic: no memory"},
		{10, "HBENCH {\"type\":\"samperror: PANIC: x < y", FAULT_PANIC, "PANIC: x < y"},
		{10, "HTRACE {\"type\":\"recerror: PANIC: x < y", FAULT_PANIC, "PANIC: x < y"},
		{8, "HBENCH {\"type\":\"end\",\"line\":5,\"lines\":5,\"crc\":\"9914c3f5\"}", FAULT_COUNT,
		 "line 8 of the console: number 5 came, 1 was due"},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct session s;

		play_until(&s, rows[i].number, rows[i].line);
		if (s.fault != rows[i].fault || !strstr(s.detail.text, rows[i].detail))
			fail_msg("%s: %s (%s)", rows[i].line, fault_text(s.fault), s.detail.text);
		session_free(&s);
	}
}

/* What an old roottask wrote is read, but such a line may not come among lines of the other kind. */
UNIT_TEST(lines_without_checksum)
{
	struct session s;

	play(&s, "good", "ipc");
	assert_int_equal(s.fault, FAULT_NONE);
	assert_false(s.sealed);
	session_free(&s);
	play(&s, "sealed", "ipc");
	assert_int_equal(s.fault, FAULT_NONE);
	assert_true(s.sealed);
	session_free(&s);
	session_init(&s, "ipc", false);
	s.seen_run = s.seen_calibration = true;
	s.protocol_lines = 5;
	say(&s, "HBENCH {\"type\":\"end\",\"line\":5,\"lines\":5,\"crc\":\"9914c3f5\"}");
	assert_int_equal(s.fault, FAULT_DAMAGED);
	session_free(&s);
}

/* Words before the prefix are another's line without its end. */
UNIT_TEST(lines_that_run_together)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "Hedron Hypervisor 13 [MB1]HBENCH {\"type\":\"run\",\"protocol\":7}");
	assert_int_equal(s.fault, FAULT_PROTOCOL);
	assert_string_equal(s.boot_line, "Hedron Hypervisor 13 [MB1]");
	session_free(&s);
}

UNIT_TEST(panic_of_the_kernel)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "error: PANIC: roottask refused: Bad ELF");
	assert_int_equal(s.fault, FAULT_PANIC);
	session_free(&s);
}

UNIT_TEST(refused_machine)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "Hedron Hypervisor: refused, this CPU has no long mode");
	assert_int_equal(s.fault, FAULT_NO_BOOT);
	assert_non_null(strstr(s.detail.text, "no long mode"));
	session_free(&s);
}

UNIT_TEST(time_is_over)
{
	struct session s;

	session_init(&s, NULL, false);
	session_time_over(&s, 3);
	assert_int_equal(s.fault, FAULT_NO_BOOT);
	session_free(&s);
	session_init(&s, NULL, false);
	say(&s, "Hedron Hypervisor 13");
	say(&s, "killed EC: #PF");
	say(&s, "idle");
	session_time_over(&s, 3);
	assert_int_equal(s.fault, FAULT_NO_RUN);
	assert_non_null(strstr(s.detail.text, "killed EC: #PF"));
	session_free(&s);
	session_init(&s, NULL, false);
	s.seen_run = true;
	session_time_over(&s, 3);
	assert_int_equal(s.fault, FAULT_TIMEOUT);
	session_free(&s);
}

UNIT_TEST(second_run)
{
	static const char run[] =
		"HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\",\"api\":1,"
		"\"cpu\":\"c\",\"vendor\":\"v\",\"family\":6,\"model\":1,\"stepping\":1,\"tsc_khz\":2,"
		"\"tsc_invariant\":true,\"cpus\":4,\"cmdline\":\"x\"}";
	struct session s;

	session_init(&s, NULL, false);
	say(&s, run);
	assert_int_equal(s.fault, FAULT_NONE);
	say(&s, run);
	assert_int_equal(s.fault, FAULT_ORDER);
	session_free(&s);
}

UNIT_TEST(nothing_measured)
{
	struct session s;

	session_init(&s, NULL, false);
	s.seen_run = s.seen_calibration = true;
	strcpy(s.run.suite, "ipc");
	say(&s, "HBENCH {\"type\":\"skip\",\"suite\":\"ipc\",\"case\":\"x\",\"params\":{},\"why\":\"no\"}");
	say(&s, "HBENCH {\"type\":\"end\",\"lines\":1}");
	session_finish(&s);
	assert_int_equal(s.fault, FAULT_NO_SAMPLE);
	session_free(&s);
}

UNIT_TEST(boot_line_is_harmless)
{
	struct session s;

	session_init(&s, NULL, false);
	say(&s, "\033[2JHedron Hypervisor \033]0;x\007 13");
	assert_string_equal(s.boot_line, "Hedron Hypervisor .]0;x. 13");
	assert_string_equal(s.registers, "");
	say(&s, "[12] CR0 0x80050033, CR4 0x3506e8");
	say(&s, "CR0 0x1"); /* somebody else's */
	assert_string_equal(s.registers, "CR0 0x80050033, CR4 0x3506e8");
	session_free(&s);
}

/* Counted instructions need no clock, time does. */
UNIT_TEST(clocks)
{
	static const struct {
		const char *clock;
		bool time, good;
	} rows[] = {
		{"\"tsc_khz\":1000,\"tsc_invariant\":true", true, true},
		{"\"tsc_khz\":1000,\"tsc_invariant\":false", true, false},
		{"\"tsc_khz\":0,\"tsc_invariant\":true", true, false},
		{"\"tsc_khz\":0,\"tsc_invariant\":false", false, true},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		char *line = xasprintf("HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\","
				       "\"api\":1,\"cpu\":\"c\",\"vendor\":\"v\",\"family\":6,\"model\":1,"
				       "\"stepping\":1,%s,\"cpus\":1,\"cmdline\":\"x\"}",
				       rows[i].clock);
		struct session s;

		session_init(&s, NULL, rows[i].time);
		session_line(&s, line, strlen(line), false);
		assert_int_equal(s.fault, FAULT_NONE); /* it may be no more than looked at */
		say(&s, "HBENCH {\"type\":\"calibration\",\"unit\":\"tsc\",\"overhead\":5,\"overhead_max\":5,"
			"\"stable\":true}");
		assert_int_equal(s.fault, rows[i].good ? FAULT_NONE : FAULT_CLOCK);
		session_free(&s);
		free(line);
	}
}

/* A machine whose clock is of no use, looked at by the probe: that is worth knowing. */
UNIT_TEST(findings)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	struct session s;
	size_t size;
	char *data = recorded("probe", &size);

	session_init(&s, "probe", true);
	lines_feed(lines, data, size, on_line, &s);
	lines_finish(lines, on_line, &s);
	session_finish(&s);
	if (s.fault != FAULT_NONE)
		fail_msg("%s (%s)", fault_text(s.fault), s.detail.text);
	assert_int_equal(s.finding_count, 29);
	assert_string_equal(s.findings[3].name, "hypervisor");
	assert_string_equal(s.findings[3].state, "TCGTCGTCGTCG");
	assert_int_equal(s.findings[3].weight, FINDING_OBSTACLE);
	session_free(&s);
	free(data);
	free(lines);
}

UNIT_TEST(findings_without_end_or_sense)
{
	static const char turbo[] =
		"HBENCH {\"type\":\"finding\",\"name\":\"turbo\",\"weight\":\"fact\",\"state\":\"on\"}";
	struct session s;

	session_init(&s, NULL, false);
	say(&s, turbo);
	assert_int_equal(s.fault, FAULT_ORDER);
	session_free(&s);
	session_init(&s, NULL, false);
	s.seen_run = true;
	say(&s, turbo);
	assert_int_equal(s.fault, FAULT_NONE);
	say(&s, turbo);
	assert_int_equal(s.fault, FAULT_DUPLICATE);
	session_free(&s);
	session_init(&s, NULL, false);
	s.seen_run = true;
	for (int i = 0; i <= FINDING_COUNT_MAX; i++) {
		char *line = xasprintf(
			"HBENCH {\"type\":\"finding\",\"name\":\"n%d\",\"weight\":\"fact\",\"amount\":1}", i);

		assert_int_equal(s.fault, FAULT_NONE);
		say(&s, line);
		free(line);
	}
	assert_int_equal(s.fault, FAULT_MALFORMED);
	session_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings),
		cmocka_unit_test(findings_without_end_or_sense),
		cmocka_unit_test(clocks),
		cmocka_unit_test(good),
		cmocka_unit_test(faults),
		cmocka_unit_test(details_name_the_cause),
		cmocka_unit_test(other_suite),
		cmocka_unit_test(panic_comes_first),
		cmocka_unit_test(words_that_are_no_panic),
		cmocka_unit_test(words_that_are_a_panic),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(lines_without_checksum),
		cmocka_unit_test(lines_that_run_together),
		cmocka_unit_test(second_run),
		cmocka_unit_test(panic_of_the_kernel),
		cmocka_unit_test(panic_within_a_protocol_line),
		cmocka_unit_test(other_line_within_a_protocol_line),
		cmocka_unit_test(panics_of_other_systems),
		cmocka_unit_test(refused_machine),
		cmocka_unit_test(time_is_over),
		cmocka_unit_test(nothing_measured),
		cmocka_unit_test(boot_line_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
