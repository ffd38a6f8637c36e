/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hbench run --trace, with a recorded console in the place of a machine; and what becomes of traced results. */
#include "program.h"

#include "host/file.h"
#include "host/mem.h"
#include "host/trace_file.h"

#include <stdlib.h>
#include <string.h>

#define RUN "run --target qemu --kernel kernel.elf --roottask root.elf "

static void load(struct trace *trace, const char *name)
{
	char *path = in_folder(name);
	struct error error;

	if (!trace_load(trace, path, &error))
		fail_msg("%s", error.text);
	free(path);
}

UNIT_TEST(a_trace_is_stored)
{
	struct trace trace;

	machine("traced", "33", false);
	expect(0, RUN "--trace -o traced.json");
	has("trace: traced.htrace");
	has("compare with traced runs only");
	load(&trace, "traced.htrace");
	assert_int_equal(trace.cpus[0].count, 67);
	assert_true(trace.cpus[0].paths[HC_CALL].count > 12);
	assert_string_equal(trace_text(&trace, "suite"), "ipc");
	assert_string_equal(trace_text(&trace, "case"), "call_reply_same/words:0");
	assert_string_equal(trace_text(&trace, "when"), "2023-11-14T22:13:20+00:00");
	assert_int_equal(strlen(trace_text(&trace, "kernel_sha256")), 64);
	assert_int_equal(json_array_size(json_object_get(trace.meta, "cases")), 1);
	trace_free(&trace);
	expect(0, RUN "--trace --trace-file other.file -o traced.json");
	assert_true(exists("other.file"));
	expect(0, RUN "--trace --boots 2 -o twice.json");
	assert_true(exists("twice.1.htrace") && exists("twice.2.htrace"));
}

UNIT_TEST(words_for_the_roottask)
{
	char *path = in_folder("arguments");

	machine("traced", "33", false);
	setenv("HBENCH_FAKE_ARGUMENTS", path, 1);
	expect(0, RUN "--suite ipc --trace --root-append case=a -o x.json");
	read_output(path);
	has("-initrd\nroottask suite=ipc case=a trace=all trace_paths=all\n");
	expect(0, RUN "--trace=call,vm_exit --trace-paths none --trace-records 9 --trace-period 20000 -o x.json");
	read_output(path);
	has("-initrd\nroottask trace=call,,vm_exit trace_records=9 trace_period=20000\n");
	expect(0, RUN "--trace=none --trace-paths nmi --trace-counters cycles --trace-sampler 50 -o x.json");
	read_output(path);
	has("-initrd\nroottask trace_paths=nmi trace_counters=cycles trace_sampler=50\n");
	unsetenv("HBENCH_FAKE_ARGUMENTS");
	free(path);
}

UNIT_TEST(usage_errors)
{
	static const char *const rows[][2] = {
		{"--trace=wish", "no `wish`"},
		{"--trace=call,", "no ``"},
		{"--trace --trace-paths call,wish", "no `wish`"},
		{"--trace --trace-counters wish", "no `wish`"},
		{"--trace --trace-counters cycles,cycles,cycles,cycles,cycles", "one to 4"},
		{"--trace=none --trace-paths none", "nothing to trace"},
		{"--trace --trace-period 10000 --trace-sampler 1", "two ways"},
		{"--trace --trace-period 9999", "from 10000"},
		{"--trace-records 5", "need --trace"},
		{"--trace --trace-file x --boots 2", "one boot"},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		char *words = xasprintf(RUN "%s", rows[i][0]);

		expect(2, words);
		has(rows[i][1]);
		free(words);
	}
}

/* A console whose text was changed. */
static void machine_with(const char *old, const char *new)
{
	char *path = in_folder("changed.log"), *at;
	struct error error;
	size_t size;
	char *data = file_read(TEST_DATA "/traced.log", 1 << 20, &size, &error);

	assert_non_null(data);
	at = strstr(data, old);
	assert_non_null(at);
	memcpy(at, new, strlen(new));
	write_file("changed.log", data, size);
	setenv("HBENCH_FAKE_LOG", path, 1);
	free(data);
	free(path);
}

UNIT_TEST(recorded_consoles_have_traces)
{
	machine_with("\"tsc_invariant\":false", "\"tsc_invariant\":true ");
	expect(0, "run -t file -m lab -c changed.log --trace -o file.json");
	assert_true(exists("file.htrace"));
}

UNIT_TEST(a_missing_or_damaged_trace_is_a_fault)
{
	machine("good", "33", false);
	expect(4, RUN "--trace -o bad.json");
	has("no trace came");
	assert_false(exists("bad.htrace"));
	machine_with("\"data\":\"", "\"data\":\"f");
	expect(4, RUN "--trace -o bad.json");
	has("checksum");
	machine_with("HTRACE {\"type\":\"case\"", "HTRACK");
	expect(4, RUN "--trace -o bad.json");
	has("lines of the trace are missing");
	/* Who did not ask does not mind. */
	expect(0, RUN "-o unasked.json");
	assert_false(exists("unasked.htrace"));
}

/* What went wrong may be seen in the trace. */
UNIT_TEST(invalid_runs_have_traces)
{
	machine("traced", "35", false);
	expect(4, RUN "--trace -o failed.json");
	assert_true(exists("failed.htrace"));
	assert_false(exists("failed.json"));
}

UNIT_TEST(traced_results_stand_apart)
{
	machine("traced", "33", false);
	expect(0, RUN "--trace -o one.json");
	expect(0, RUN "--trace -o two.json");
	read_output("/dev/null");
	expect(0, "gate --baseline one.json two.json");
	machine_with(",\"traced\":true", ",\"ignored\":1  ");
	expect(0, RUN "-o plain.json");
	expect(4, "gate --baseline plain.json one.json");
	has("while the kernel was traced");
	expect(4, "gate --baseline one.json plain.json");
	expect(4, "compare plain.json one.json");
	expect(4, "baseline update --results base one.json");
	has("without --trace");
	assert_false(exists("base/qemu-icount-max/ipc.json"));
	expect(0, "baseline update --results base plain.json");
	expect(4, "store one.json");
	has("no part of its history");
	expect(0, "store plain.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_is_stored),
		cmocka_unit_test(words_for_the_roottask),
		cmocka_unit_test(usage_errors),
		cmocka_unit_test(recorded_consoles_have_traces),
		cmocka_unit_test(a_missing_or_damaged_trace_is_a_fault),
		cmocka_unit_test(invalid_runs_have_traces),
		cmocka_unit_test(traced_results_stand_apart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
