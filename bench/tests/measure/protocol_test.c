/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/line_seal.h"
#include "host/mem.h"
#include "measure/protocol.h"
#include "result/name.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_HEAD "HBENCH {\"type\":\"sample\",\"suite\":\"ipc\",\"case\":\"call\",\"params\":"
#define SAMPLE_TAIL                                                                                         \
	",\"unit\":\"tsc\",\"batch\":2,\"n\":3,\"overhead\":5,\"min\":10,\"p50\":10,\"p90\":12,\"p99\":12," \
	"\"p999\":12,\"max\":12,\"sum\":32,\"hist\":[[10,1,2],[12,1,1]]}"
#define SAMPLE SAMPLE_HEAD "{}" SAMPLE_TAIL

static bool parses(const char *line, struct record *record)
{
	struct error error = {""};
	bool good = protocol_parse(line, strlen(line), record, &error);

	if (!good)
		assert_true(error.text[0]);
	return good;
}

static void refuse(const char *line)
{
	struct record record;

	if (parses(line, &record))
		fail_msg("accepted: %.200s", line);
}

/* Replaces the first `old` in a good sample line. */
static void refuse_changed(const char *old, const char *new)
{
	const char *at = strstr(SAMPLE, old);
	char *line;

	assert_non_null(at);
	line = xasprintf("%.*s%s%s", (int)(at - SAMPLE), SAMPLE, new, at + strlen(old));
	refuse(line);
	free(line);
}

#define EXTRA(members) "\"hist\":[[10,1,2],[12,1,1]]," members "}"

/* Values of several operations are not divided: 10 ticks of two are 5 of one. */
UNIT_TEST(ticks_of_several_operations)
{
	static const char *const wrong[] = {"\"per\":3,\"n\":3", "\"per\":-2,\"n\":3", "\"per\":\"2\",\"n\":3",
					    "\"per\":4,\"n\":3"};
	struct record record;
	char *line = xasprintf("%.*s\"per\":2,%s", (int)(strstr(SAMPLE, "\"n\":3") - SAMPLE), SAMPLE,
			       strstr(SAMPLE, "\"n\":3"));

	assert_true(parses(line, &record));
	assert_true(sample_ticks(&record.sample, record.sample.p50) == 5);
	record_free(&record);
	free(line);
	for (size_t i = 0; i < array_size(wrong); i++)
		refuse_changed("\"n\":3", wrong[i]);
}

/* Events have their name in the case's, so that they are not taken for its time. */
UNIT_TEST(counters)
{
#define OF_COUNTER(params, unit)                                                                                 \
	"HBENCH {\"type\":\"sample\",\"suite\":\"ipc\",\"case\":\"call\",\"params\":" params ",\"unit\":\"" unit \
	"\","                                                                                                    \
	"\"batch\":2,\"n\":1,\"overhead\":5,\"min\":10,\"p50\":10,\"p90\":10,\"p99\":10,\"p999\":10,\"max\":10," \
	"\"sum\":10,\"hist\":[[10,1,1]]}"
	struct record record;

	assert_true(parses(OF_COUNTER("{\"words\":8,\"counter\":\"misses\"}", "misses"), &record));
	assert_string_equal(record.name, "call/counter:misses/words:8");
	assert_true(name_of_counter(record.name));
	record_free(&record);
	assert_true(parses(OF_COUNTER("{\"words\":8,\"cache\":\"cold\"}", "tsc"), &record));
	assert_string_equal(record.name, "call/cache:cold/words:8");
	assert_false(name_of_counter(record.name));
	record_free(&record);
	refuse(OF_COUNTER("{}", "misses"));
	refuse(OF_COUNTER("{\"counter\":\"cycles\"}", "misses"));
	refuse(OF_COUNTER("{\"counter\":\"cycles\"}", "tsc"));
	refuse(OF_COUNTER("{\"counter\":\"branches\"}", "branches"));
	refuse(OF_COUNTER("{\"counter\":7}", "cycles"));
}

/* Members of newer roottasks. */
UNIT_TEST(optional_members)
{
	struct record record;
	char *line = xasprintf("%.*s%s", (int)(strstr(SAMPLE, "\"hist\"") - SAMPLE), SAMPLE,
			       EXTRA("\"smi_hist\":[[12,1,1]],\"order\":[10,12,10]"));

	assert_true(parses(line, &record));
	assert_true(record.sample.smi_known);
	assert_int_equal(hist_total(&record.sample.smi), 1);
	assert_int_equal(record.sample.order_count, 3);
	assert_int_equal(record.sample.order[1], 12);
	record_free(&record);
	free(line);
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":[[12,1,2]]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":[[11,1,1]]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":7"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":[[12,1,1],[10,1,1]]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":[[10,1,1],[10,1,1]]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"smi_hist\":[[12,1,9223372036854775807]]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"order\":[-1]"));
	refuse_changed("\"hist\":[[10,1,2],[12,1,1]]}", EXTRA("\"order\":5"));
}

UNIT_TEST(optional_members_of_runs)
{
#define RUN_WITH(members)                                                                                    \
	"HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\",\"api\":1,\"cpu\":\"c\"," \
	"\"vendor\":\"v\",\"family\":6,\"model\":1,\"stepping\":1,\"tsc_khz\":1000,\"tsc_invariant\":true,"  \
	"\"cpus\":4,\"cmdline\":\"x\"" members "}"
	struct record record;

	assert_true(parses(RUN_WITH(""), &record));
	assert_int_equal(record.run.smt, 0);
	assert_true(parses(
		RUN_WITH(",\"features\":\"1-2\",\"microcode\":\"0xa4\",\"smt\":false,\"hypervisor\":\"KVMKVMKVM\","
			 "\"firmware\":\"F 1\",\"frequency\":\"hwp 24\",\"memory_mb\":511"),
		&record));
	assert_string_equal(record.run.features, "1-2");
	assert_string_equal(record.run.microcode, "0xa4");
	assert_string_equal(record.run.hypervisor, "KVMKVMKVM");
	assert_string_equal(record.run.firmware, "F 1");
	assert_string_equal(record.run.frequency, "hwp 24");
	assert_int_equal(record.run.smt, -1);
	assert_int_equal(record.run.memory_mb, 511);
	assert_int_equal(record.run.placement, 0);
	assert_true(parses(RUN_WITH(",\"placement\":4294967295"), &record));
	assert_int_equal(record.run.placement, 4294967295);
	refuse(RUN_WITH(",\"placement\":\"7\""));
	refuse(RUN_WITH(",\"microcode\":4"));
	refuse(RUN_WITH(",\"smt\":1"));
	refuse(RUN_WITH(",\"memory_mb\":-1"));
}

UNIT_TEST(findings)
{
	struct record record;

	assert_true(parses("HBENCH {\"type\":\"finding\",\"name\":\"turbo\",\"weight\":\"doubt\",\"state\":\"on\"}",
			   &record));
	assert_int_equal(record.type, RECORD_FINDING);
	assert_string_equal(record.finding.name, "turbo");
	assert_string_equal(record.finding.state, "on");
	refuse("HBENCH {\"type\":\"finding\",\"weight\":\"doubt\",\"state\":\"on\"}");
	refuse("HBENCH {\"type\":\"finding\",\"name\":\"tur bo\",\"weight\":\"doubt\",\"state\":\"on\"}");
	refuse("HBENCH {\"type\":\"finding\",\"name\":\"turbo\",\"state\":\"on\"}");
}

UNIT_TEST(other_lines)
{
	static const char *const lines[] = {"", "hello", "HBENCH", "HBENCH:{}", "\033[2J\001\377", "hbench {}"};
	struct record record;

	for (size_t i = 0; i < array_size(lines); i++) {
		assert_true(parses(lines[i], &record));
		assert_int_equal(record.type, RECORD_NONE);
	}
}

UNIT_TEST(good_sample)
{
	struct record record;

	assert_true(parses(SAMPLE, &record));
	assert_int_equal(record.type, RECORD_SAMPLE);
	assert_string_equal(record.suite, "ipc");
	assert_string_equal(record.name, "call");
	assert_int_equal(record.sample.n, 3);
	assert_int_equal(record.sample.batch, 2);
	assert_int_equal(record.sample.min, 10);
	assert_int_equal(record.sample.max, 12);
	assert_int_equal(record.sample.hist.used, 2);
	record_free(&record);
}

UNIT_TEST(prefix_after_other_text)
{
	struct record record;

	assert_true(parses("unfinished words" SAMPLE "  ", &record));
	assert_int_equal(record.type, RECORD_SAMPLE);
	record_free(&record);
}

UNIT_TEST(unknown_members_are_ignored)
{
	struct record record;

	assert_true(parses("HBENCH {\"type\":\"end\",\"lines\":4,\"later\":[{}]}", &record));
	assert_int_equal(record.type, RECORD_END);
	assert_int_equal(record.lines, 4);
}

UNIT_TEST(params_are_sorted)
{
	struct record record;

	assert_true(parses(SAMPLE_HEAD "{\"words\":8,\"mode\":\"fast\",\"depth\":-1}" SAMPLE_TAIL, &record));
	assert_string_equal(record.name, "call/depth:-1/mode:fast/words:8");
	record_free(&record);
}

UNIT_TEST(bad_params)
{
	refuse(SAMPLE_HEAD "[]" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "null" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"words\":1.5}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"words\":\"\"}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"words\":\"../etc\"}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"Words\":1}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"\":1}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"a\":1,\"a\":1}" SAMPLE_TAIL);
	refuse(SAMPLE_HEAD "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}" SAMPLE_TAIL);
}

UNIT_TEST(long_names)
{
	char *value = xcalloc(121, 1), *line;

	memset(value, 'x', 120);
	line = xasprintf(SAMPLE_HEAD "{\"a\":\"%s\",\"b\":\"%s\",\"c\":\"%s\"}" SAMPLE_TAIL, value, value, value);
	refuse(line);
	free(line);
	line = xasprintf("HBENCH {\"type\":\"skip\",\"suite\":\"s\",\"case\":\"c\",\"params\":{},\"why\":\"%sy\"}",
			 value);
	refuse(line);
	free(line);
	free(value);
}

UNIT_TEST(bad_json)
{
	refuse("HBENCH ");
	refuse("HBENCH {");
	refuse("HBENCH []");
	refuse("HBENCH 7");
	refuse("HBENCH null");
	refuse("HBENCH {\"type\":\"end\",\"lines\":4} more");
	refuse("HBENCH {\"type\":\"end\",\"lines\":4}{}");
	refuse("HBENCH {\"type\":\"end\",\"type\":\"end\",\"lines\":4}");
	refuse("HBENCH {\"type\":\"other\"}");
	refuse("HBENCH {\"type\":3}");
	refuse("HBENCH {}");
	refuse("HBENCH HBENCH {\"type\":\"end\",\"lines\":4}");
}

UNIT_TEST(bad_numbers)
{
	refuse("HBENCH {\"type\":\"end\"}");
	refuse("HBENCH {\"type\":\"end\",\"lines\":-1}");
	refuse("HBENCH {\"type\":\"end\",\"lines\":1.0}");
	refuse("HBENCH {\"type\":\"end\",\"lines\":\"1\"}");
	refuse("HBENCH {\"type\":\"end\",\"lines\":99999999999999999999}");
	refuse("HBENCH {\"type\":\"end\",\"lines\":1e3}");
}

UNIT_TEST(inconsistent_samples)
{
	refuse_changed("\"n\":3", "\"n\":4");
	refuse_changed("\"n\":3", "\"n\":0");
	refuse_changed("\"batch\":2", "\"batch\":0");
	refuse_changed("\"min\":10", "\"min\":11");
	refuse_changed("\"min\":10", "\"min\":9");
	refuse_changed("\"max\":12", "\"max\":13");
	refuse_changed("\"p50\":10", "\"p50\":13");
	refuse_changed("\"sum\":32", "\"sum\":37");
	refuse_changed("\"sum\":32", "\"sum\":29");
	refuse_changed("\"sum\":32", "\"sum\":33"); /* within n * min to n * max, and not of these bins */
	refuse_changed("\"p50\":10", "\"p50\":12");
	refuse_changed("\"p90\":12", "\"p90\":10");
	refuse_changed("\"p90\":12,\"p99\":12", "\"p90\":11,\"p99\":11");
	refuse_changed("\"unit\":\"tsc\"", "\"unit\":\"ns\"");
	refuse_changed("[12,1,1]", "[12,2,1]");
	refuse_changed("[12,1,1]", "[12,1]");
	refuse_changed("[12,1,1]", "[12,1,1,1]");
	refuse_changed("[12,1,1]", "[12,1,-1]");
	refuse_changed("[12,1,1]", "12");
	refuse_changed("[[10,1,2],[12,1,1]]", "[]");
	refuse_changed("[[10,1,2],[12,1,1]]", "{}");
	refuse_changed("[10,1,2],[12,1,1]", "[12,1,1],[10,1,2]");
	refuse_changed("\"suite\":\"ipc\"", "\"suite\":\"../x\"");
	refuse_changed("\"case\":\"call\"", "\"case\":\"a/b\"");
	refuse_changed("\"case\":\"call\"", "\"case\":\"\"");
	refuse_changed("\"case\":\"call\"", "\"case\":\"c\\u0000d\"");
}

UNIT_TEST(every_truncation_is_refused)
{
	struct record record;
	struct error error;

	for (size_t len = strlen("HBENCH "); len < strlen(SAMPLE); len++)
		assert_false(protocol_parse(SAMPLE, len, &record, &error));
}

/* A line with its seal, to be freed. */
static char *sealed(const char *text)
{
	return xasprintf(PROTOCOL_PREFIX "%s" LINE_SEAL_FORMAT, text, line_seal_crc(text, strlen(text)));
}

UNIT_TEST(seals)
{
	char *line = sealed("{\"type\":\"end\",\"line\":4,\"lines\":4");
	struct record record;

	assert_true(parses(line, &record));
	assert_true(record.sealed);
	assert_int_equal(record.line, 4);
	line[strlen(line) - 3] ^= 1;
	assert_false(parses(line, &record));
	assert_true(record.damaged && !record.sealed);
	free(line);
	line = sealed("{\"type\":\"end\",\"lines\":4"); /* whole, and yet without its number */
	assert_false(parses(line, &record));
	assert_false(record.damaged);
	free(line);
	assert_true(parses("HBENCH {\"type\":\"end\",\"lines\":4,\"crc\":\"0000000g\"}", &record));
	assert_false(record.sealed);
}

UNIT_TEST(every_damaged_byte_is_survived)
{
	char *line = xstrdup(SAMPLE);
	struct record record;
	struct error error;

	for (size_t at = 0; at < strlen(SAMPLE); at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			line[at] = (char)(SAMPLE[at] ^ (1 << bit));
			if (protocol_parse(line, strlen(SAMPLE), &record, &error))
				record_free(&record);
		}
		line[at] = SAMPLE[at];
	}
	free(line);
}

UNIT_TEST(too_long)
{
	char *line = xcalloc(PROTOCOL_LINE_MAX + 100, 1);
	struct record record;
	struct error error;

	strcpy(line, "HBENCH {\"type\":\"end\",\"lines\":1}");
	memset(line + strlen(line), ' ', PROTOCOL_LINE_MAX);
	assert_false(protocol_parse(line, PROTOCOL_LINE_MAX + 50, &record, &error));
	assert_true(protocol_parse(line, PROTOCOL_LINE_MAX, &record, &error));
	free(line);
}

UNIT_TEST(deep_nesting)
{
	char *line = xcalloc(PROTOCOL_LINE_MAX, 1);
	struct record record;
	struct error error;

	strcpy(line, "HBENCH ");
	memset(line + 7, '[', PROTOCOL_LINE_MAX - 8);
	assert_false(protocol_parse(line, PROTOCOL_LINE_MAX - 1, &record, &error));
	free(line);
}

UNIT_TEST(run_line)
{
	struct record record;

	assert_true(
		parses("HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\",\"api\":13002,"
		       "\"cpu\":\"c\",\"vendor\":\"v\",\"family\":6,\"model\":140,\"stepping\":1,\"tsc_khz\":2400000,"
		       "\"tsc_invariant\":true,\"cpus\":4,\"cmdline\":\"x\"}",
		       &record));
	assert_int_equal(record.type, RECORD_RUN);
	assert_int_equal(record.run.cpus, 4);
	assert_int_equal(record.run.tsc_khz, 2400000);
	assert_true(record.run.tsc_invariant);
	/* Another version may look different in everything but its number. */
	assert_true(parses("HBENCH {\"type\":\"run\",\"protocol\":7}", &record));
	assert_int_equal(record.run.protocol, 7);
	refuse("HBENCH {\"type\":\"run\",\"protocol\":1}");
	refuse("HBENCH {\"type\":\"run\",\"suite\":\"ipc\"}");
	refuse("HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\\u001b[2J\",\"api\":1,"
	       "\"cpu\":\"c\",\"vendor\":\"v\",\"family\":6,\"model\":1,\"stepping\":1,\"tsc_khz\":2,"
	       "\"tsc_invariant\":true,\"cpus\":4,\"cmdline\":\"x\"}");
}

UNIT_TEST(build_ids)
{
#define RUN_OF(id)                                                                                          \
	"HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"ipc\",\"kernel\":\"\",\"kernel_build_id\":" id \
	",\"api\":1,\"cpu\":\"c\",\"vendor\":\"v\",\"family\":6,\"model\":1,\"stepping\":1,\"tsc_khz\":2,"  \
	"\"tsc_invariant\":true,\"cpus\":4,\"cmdline\":\"x\"}"
	struct record record;

	assert_true(parses(RUN_OF("\"0123456789abcdef0123456789abcdef01234567\""), &record));
	assert_string_equal(record.run.kernel_build_id, "0123456789abcdef0123456789abcdef01234567");
	refuse(RUN_OF("7"));
	refuse(RUN_OF("\"\""));
	refuse(RUN_OF("\"0123456789abcde\"")); /* shorter than what the kernel shows of it */
	refuse(RUN_OF("\"0123456789ABCDEF\""));
	refuse(RUN_OF("\"0123456789abcdef \""));
#undef RUN_OF
}

UNIT_TEST(calibration_and_skip)
{
	struct record record;

	assert_true(parses("HBENCH {\"type\":\"calibration\",\"unit\":\"tsc\",\"overhead\":5,\"overhead_max\":9,"
			   "\"stable\":false}",
			   &record));
	assert_int_equal(record.calibration.overhead_max, 9);
	assert_false(record.calibration.stable);
	refuse("HBENCH {\"type\":\"calibration\",\"unit\":\"tsc\",\"overhead\":5,\"overhead_max\":9,\"stable\":1}");
#define CALIBRATION \
	"HBENCH {\"type\":\"calibration\",\"unit\":\"tsc\",\"overhead\":5,\"overhead_max\":9,\"stable\":true,"
	assert_true(parses(CALIBRATION "\"hist\":[[5,1,200],[9,1,1]]}", &record));
	assert_int_equal(hist_total(&record.calibration.hist), 201);
	record_free(&record);
	refuse(CALIBRATION "\"hist\":[]}");
	refuse(CALIBRATION "\"hist\":[[6,1,200]]}");
	refuse(CALIBRATION "\"hist\":[[5,1]]}");
	refuse(CALIBRATION "\"hist\":[[9,1,1],[5,1,200]]}");
	refuse(CALIBRATION "\"hist\":7}");
	assert_true(parses("HBENCH {\"type\":\"skip\",\"suite\":\"ipc\",\"case\":\"x\",\"params\":{\"a\":1},"
			   "\"why\":\"no memory\"}",
			   &record));
	assert_string_equal(record.name, "x/a:1");
	assert_string_equal(record.why, "no memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_of_several_operations),
		cmocka_unit_test(counters),
		cmocka_unit_test(optional_members),
		cmocka_unit_test(optional_members_of_runs),
		cmocka_unit_test(findings),
		cmocka_unit_test(other_lines),
		cmocka_unit_test(good_sample),
		cmocka_unit_test(prefix_after_other_text),
		cmocka_unit_test(unknown_members_are_ignored),
		cmocka_unit_test(params_are_sorted),
		cmocka_unit_test(bad_params),
		cmocka_unit_test(long_names),
		cmocka_unit_test(bad_json),
		cmocka_unit_test(bad_numbers),
		cmocka_unit_test(inconsistent_samples),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(seals),
		cmocka_unit_test(every_damaged_byte_is_survived),
		cmocka_unit_test(too_long),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(run_line),
		cmocka_unit_test(build_ids),
		cmocka_unit_test(calibration_and_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
