/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consoles that are imported, results that are stored, and what the history of both says. */
#include "program.h"

#include "host/file.h"
#include "host/mem.h"
#include "result/finding.h"
#include "result/result.h"

#include "build.h"
#include "recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file among the words of a command; its folder may have blanks in its name. */
#define DATA(name) "'" TEST_DATA "/" name "'"

/* A boot as real.log has it, with a minimum of 39 for 40, after some text. */
static void second_boot(const char *name, const char *before)
{
	size_t size;
	char *log = recorded("real", &size), *at = strstr(log, "\"min\":40");
	char *text;

	assert_non_null(at);
	at = strstr(log, "\"sum\":2561,\"hist\":[[40,1,63]");
	assert_non_null(at);
	text = xasprintf("%s%.*s\"sum\":2560,\"hist\":[[39,1,1],[40,1,62]%s", before, (int)(at - log), log,
			 at + strlen("\"sum\":2561,\"hist\":[[40,1,63]"));
	at = strstr(text + strlen(before), "\"min\":40");
	memcpy(at, "\"min\":39", strlen("\"min\":39"));
	write_file(name, text, strlen(text));
	free(text);
	free(log);
}

UNIT_TEST(import)
{
	second_boot("second.log", "");
	expect(0, "import --machine lab-1 -o import.json " DATA("real.log") " second.log");
	has("2 boots");
	has("ipc on lab-1: time-stamp counter ticks per operation, mean of the boots' medians (with noise)");
	expect(0, "import --machine lab-1 -M instructions -o seals.json " DATA("good.log"));
	has("the lines carry no checksum");
	expect(0, "import --machine lab-1 -M instructions -o seals.json " DATA("sealed.log"));
	lacks("checksum");
	expect(4, "import --machine lab-1 -o import2.json " DATA("real.log") " " DATA("cut.log"));
	has("cut off");
	assert_false(exists("import2.json"));
	expect(4, "import --machine lab-1 nothing.log");
}

UNIT_TEST(a_boot_counts_once)
{
	char *copy, *path = in_folder("copy.log");
	struct error error;
	size_t size;

	copy = recorded("real", &size);
	assert_true(file_replace(path, copy, size, &error));
	free(copy);
	free(path);
	expect(4, "import --machine lab-1 -o once.json " DATA("real.log") " " DATA("real.log"));
	has("it is the same boot as " TEST_DATA "/real.log");
	expect(4, "import --machine lab-1 -o once.json " DATA("real.log") " copy.log");
	assert_false(exists("once.json"));
	/* counts are the same in each boot, but not each file is one */
	expect(0, "import --machine lab-1 -M instructions -o once.json " DATA("real.log") " copy.log");
	has("2 boots");
	expect(4, "import --machine lab-1 -M instructions -o once.json copy.log copy.log");
}

/* Two boots, of which the second has lost the kernel's line. */
static void write_headless(const char *log)
{
	char *path = in_folder("headless.log"), *text;
	struct error error;
	size_t size;

	second_boot("headless.log", log);
	text = file_read(path, 1 << 20, &size, &error);
	memset(strstr(text + strlen(log), "Hedron Hypervisor 13"), '-', strlen("Hedron"));
	write_file("headless.log", text, size);
	free(text);
	free(path);
}

UNIT_TEST(boots_of_a_log)
{
	size_t size;
	char *log = recorded("real", &size), *cut = xasprintf("%s", log);

	second_boot("both.log", log);
	expect(0, "import --machine lab-1 -o both.json both.log");
	has("2 boots");
	expect(0, "import --machine lab-1 -o both.json --boot last both.log");
	has("39   40    0");
	expect(0, "import --machine lab-1 -o both.json --boot 1 both.log");
	has("40  40.02    0");
	expect(4, "import --machine lab-1 -o both.json --boot 3 both.log");
	has("has no boot 3: it holds 2");
	expect(2, "import --machine lab-1 --boot 0 both.log");
	expect(2, "import --machine lab-1 --boot first both.log");
	expect(2, "import -f google-benchmark --boot 1 both.log");
	strstr(cut, "\"type\":\"end\"")[-1] = '\0'; /* a machine that was reset on the way */
	strrchr(cut, '\n')[1] = '\0';
	second_boot("reset.log", cut);
	expect(4, "import --machine lab-1 -o reset.json reset.log");
	has("reset.log, boot 1 of 2");
	has("cut off");
	expect(0, "import --machine lab-1 -o reset.json --boot last reset.log");
	free(cut);
	write_headless(log);
	expect(4, "import --machine lab-1 -o headless.json headless.log");
	has("headless.log, boot 2 of 2: the boots are not of the same thing: kernel_boot_line");
	free(log);
}

/* A boot with a seed, made of the one that second_boot() writes. */
static void placed_boot(const char *name, unsigned seed)
{
	static const char mark[] = "\"protocol\":";
	char *path = in_folder(name), *text, *at, *placed;
	struct error error;
	size_t size;

	second_boot(name, "");
	text = file_read(path, 1 << 20, &size, &error);
	at = strstr(text, mark);
	placed = xasprintf("%.*s\"placement\":%u,%.*s", (int)(at - text), text, seed,
			   (int)(size - (size_t)(at - text)), at);
	write_file(name, placed, strlen(placed));
	free(placed);
	free(text);
	free(path);
}

/* Boots whose things lay elsewhere each time are not boots of the other kind, and say how to get each again. */
UNIT_TEST(placements)
{
	char *path = in_folder("placed.json");
	struct result r;
	struct error error;

	placed_boot("placed7.log", 7);
	expect(0, "import --machine lab-1 -o placed.json placed7.log");
	assert_true(result_load(&r, path, &error));
	assert_string_equal(result_text(&r, "placement"), "random");
	assert_int_equal(json_integer_value(json_array_get(json_object_get(r.context, "placement_seeds"), 0)), 7);
	result_free(&r);
	expect(4, "import --machine lab-1 -o mixed.json " DATA("real.log") " placed7.log");
	has("placement was fixed and is random");
	expect(0, "import --machine lab-1 -o fixed.json " DATA("real.log"));
	expect(0, "compare fixed.json placed.json");
	has("placement: A \"fixed\", B \"random\"");
	free(path);
}

static void store_history(const char *db, const uint64_t *values, size_t count)
{
	char *path = in_folder("point.json"), *words = xasprintf("store --db %s point.json", db), date[64];
	struct result r;
	struct error error;

	for (size_t i = 0; i < count; i++) {
		result_init(&r, "m", "ipc", "ticks");
		snprintf(date, sizeof(date), "2024-01-%02zuT00:00:00+00:00", i + 1);
		result_set_text(&r, "date", date);
		build_constant(&r, "ipc/null", values[i], 64);
		result_merge(&r);
		assert_true(result_save(&r, path, &error));
		result_free(&r);
		expect(0, words);
	}
	free(words);
	free(path);
}

/* Half as much again at the fourth of eight revisions; the same beside an outlier; and at the last one. */
UNIT_TEST(short_histories)
{
	static const uint64_t step[] = {1000, 1004, 998, 1500, 1506, 1497, 1502, 1499};
	static const uint64_t outlier[] = {1000, 1004, 998, 1002, 4000, 1001, 1500, 1506, 1497, 1502, 1499, 1501};
	static const uint64_t last[] = {1000, 1004, 998, 1002, 1001, 999, 1500};

	store_history("step.db", step, array_size(step));
	expect(0, "history --db step.db ipc/null");
	has("SLOWER: 1000.0 -> 1500.0 (+50.00%)");
	store_history("outlier.db", outlier, array_size(outlier));
	expect(0, "history --db outlier.db ipc/null");
	has("SLOWER: 1001.5 -> 1500.5");
	has("outlier: 4000.0 at (no revision of 2024-01-05");
	store_history("last.db", last, array_size(last));
	expect(0, "history --db last.db ipc/null");
	has("too new to tell whether it lasts: 1500.0");
	store_history("few.db", last, 5);
	expect(0, "history --db few.db ipc/null");
	has("Too few to tell whether it changed: 6 results are needed");
	lacks("No change");
}

/* The machine of real.log, looked at by the probe. */
static void probe_boot(const char *name, const char *turbo, const char *weight)
{
	char *text = xasprintf(
		"Hedron Hypervisor 13.2.0\n"
		"HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"probe\",\"kernel\":\"\",\"api\":13002,"
		"\"cpu\":\"Example CPU @ "
		"2.0GHz\",\"vendor\":\"AuthenticAMD\",\"family\":6,\"model\":6,\"stepping\":3,"
		"\"tsc_khz\":2000000,\"tsc_invariant\":true,\"cpus\":1,\"cmdline\":\"\"}\n"
		"HBENCH {\"type\":\"finding\",\"name\":\"turbo\",\"weight\":\"%s\",\"state\":\"%s\",\"why\":\"it "
		"matters\"}\n"
		"HBENCH {\"type\":\"finding\",\"name\":\"smis\",\"weight\":\"fact\",\"amount\":3,"
		"\"sizes\":[[2000,2000,1],[4000,4000,2]]}\n"
		"HBENCH {\"type\":\"end\",\"lines\":3}\n",
		weight, turbo);

	write_file(name, text, strlen(text));
	free(text);
}

/* The probe says what the machine is like; results of the machine keep that, and comparisons see that it changed. */
UNIT_TEST(findings)
{
	char *path;

	probe_boot("off.log", "off", "fact");
	probe_boot("on.log", "on", "doubt");
	expect(0, "import --machine lab-1 -o off.json off.log");
	has("smis     fact  3");
	has("smis, by their length: 1 from 2 us, 2 from 4 us.");
	has("the machine is fit to measure: 0 obstacles, 0 doubts");
	lacks("p99"); /* nothing was measured */
	expect(0, "import --machine lab-1 -o on.json on.log");
	expect(0, "import --machine lab-1 --probe off.json -o a.json '" TEST_DATA "/real.log'");
	expect(0, "import --machine lab-1 --probe on.json -o b.json '" TEST_DATA "/real.log'");
	expect(0, "show b.json");
	has("turbo    doubt  on     it matters");
	has("1 fact more: --findings");
	lacks("smis ");
	expect(0, "show --findings b.json");
	has("smis");
	expect(0, "compare a.json b.json");
	has("warning: the machine is not as it was, turbo: A \"off\" (fact), B \"on\" (doubt): it matters");
	expect(3, "gate --changed-only --baseline a.json --json gate.json b.json");
	has("warning: the machine is not as it was, turbo");
	path = in_folder("gate.json");
	read_output(path);
	free(path);
	has("\"weight_b\": \"doubt\"");
	expect(0, "compare a.json a.json");
	lacks("not as it was");
}

UNIT_TEST(probes_that_are_none)
{
	expect(0, "import --machine lab-1 -o real.json '" TEST_DATA "/real.log'");
	expect(4, "import --machine lab-1 --probe real.json -o none.json '" TEST_DATA "/real.log'");
	has("real.json is no result of the probe");
	expect(0, "import --machine lab-1 -o other.json '" TEST_DATA "/probe.log'");
	has("the machine is not fit to measure: 2 obstacles, 1 doubt");
	expect(4, "import --machine lab-1 --probe other.json -o none.json '" TEST_DATA "/real.log'");
	has("the probe was on another machine:");
	assert_false(exists("none.json"));
	expect(2, "import -f google-benchmark --probe other.json '" TEST_DATA "/google.json'");
}

/* A number that changed when the machine did is not the code's fault. */
UNIT_TEST(history_tells_of_findings)
{
	static const uint64_t values[] = {1000, 1004, 998, 1500, 1506, 1497, 1502, 1499};
	char *path = in_folder("found.json"), date[64];
	struct finding turbo = {.name = "turbo"};
	struct result r;
	struct error error;

	for (size_t i = 0; i < array_size(values); i++) {
		result_init(&r, "m", "ipc", "ticks");
		snprintf(date, sizeof(date), "2024-01-%02zuT00:00:00+00:00", i + 1);
		result_set_text(&r, "date", date);
		build_constant(&r, "ipc/null", values[i], 64);
		result_merge(&r);
		strcpy(turbo.state, values[i] < 1200 ? "on" : "off");
		finding_keep(&r, &turbo);
		assert_true(result_save(&r, path, &error));
		result_free(&r);
		expect(0, "store --db found.db found.json");
	}
	expect(0, "history --db found.db ipc/null");
	has("SLOWER: 1000.0 -> 1500.0 (+50.00%)");
	has("  and the machine is not as it was, turbo: \"on\" -> \"off\"");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(import),
		cmocka_unit_test(a_boot_counts_once),
		cmocka_unit_test(boots_of_a_log),
		cmocka_unit_test(placements),
		cmocka_unit_test(short_histories),
		cmocka_unit_test(findings),
		cmocka_unit_test(probes_that_are_none),
		cmocka_unit_test(history_tells_of_findings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
