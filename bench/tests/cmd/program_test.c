/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program as a user meets it: exit codes, messages and files; a script stands in for the emulator. */
#include "program.h"

#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"
#include "result/result.h"

#include "build.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "run -t qemu -k kernel.elf -r root.elf "

UNIT_TEST(help)
{
	static const char *const verbs[] = {"list",   "run",      "import", "show",  "compare", "gate",
					    "bisect", "baseline", "export", "store", "history"};

	expect(2, "");
	expect(0, "--help");
	for (size_t i = 0; i < array_size(verbs); i++) {
		char *words = xasprintf("%s --help", verbs[i]);

		has(verbs[i]);
		expect(0, words);
		has("Example");
		free(words);
		expect(0, "--help");
	}
	expect(0, "--version");
	has("hbench " TOOLS_VERSION);
	expect(2, "measure");
	has("no verb `measure`");
}

UNIT_TEST(list)
{
	expect(0, "list");
	has("call_reply_cross/words:448");
	expect(0, "list ipc --names");
	has("ipc/null\n");
	expect(2, "list nothing");
}

UNIT_TEST(usage_errors)
{
	static const char *const calls[] = {
		"run",
		"run -t qemu",
		"run -t vax -k kernel.elf -r root.elf",
		RUN "--boots 0",
		RUN "--boots x",
		RUN "--boots -1",
		RUN "--timeout 1s",
		RUN "--memory 99999999999999999999",
		RUN "extra",
		RUN "--unknown",
		RUN "--suite nothing",
		RUN "--append serial=com5",
		"run -t serial -c /dev/null -m x -r root.elf --append serial=com2,9600",
		"run -t qemu -k missing.elf -r root.elf",
		"show",
		"show a b",
		"compare a",
		"compare a b c d e f g h i",
		"compare --peers x a b c",
		"gate",
		"gate x.json",
		"gate --baseline x",
		"baseline",
		"baseline forget",
		"baseline update",
		"baseline list x",
		"import x.log",
		"import --machine ../x x.log",
		"import --machine m --metric yards x.log",
	};

	for (size_t i = 0; i < array_size(calls); i++)
		expect(2, calls[i]);
}

UNIT_TEST(good_run)
{
	struct result r;
	struct error error;
	char *path = in_folder("good.json");

	machine("good", "33", false);
	expect(0, RUN "-o good.json --git-revision abc");
	has("null: min 40");
	has("call_reply_cross/words:0  230");
	has("skipped ipc/delegate_mem_large/order:9: no memory");
	assert_true(exists("good.log"));
	assert_true(result_load(&r, path, &error));
	assert_int_equal(r.count, 3);
	assert_string_equal(result_text(&r, "machine"), "qemu-icount-max");
	assert_string_equal(result_text(&r, "metric"), "instructions");
	assert_string_equal(result_text(&r, "date"), "2023-11-14T22:13:20+00:00");
	assert_string_equal(result_text(&r, "git_revision"), "abc");
	assert_string_equal(result_text(&r, "emulator_version"), "Fake emulator version 1.0");
	assert_int_equal(strlen(result_text(&r, "kernel_sha256")), 64);
	result_free(&r);
	free(path);
	expect(0, "show good.json");
	has("executed instructions per operation, minimum (exact)");
	lacks("\033");
}

/* The same run gives the same file, byte for byte, wherever it is made. */
UNIT_TEST(results_are_reproducible)
{
	char *first, *second, *path_a = in_folder("a.json"), *path_b = in_folder("b.json");
	struct error error;
	size_t size;

	machine("good", "33", false);
	expect(0, RUN "-q -o a.json");
	assert_string_equal(output, "");
	setenv("TMPDIR", folder, 1);
	expect(0, RUN "-q -o b.json");
	unsetenv("TMPDIR");
	first = file_read(path_a, 1 << 24, &size, &error);
	second = file_read(path_b, 1 << 24, &size, &error);
	assert_string_equal(first, second);
	assert_null(strstr(first, "/tmp"));
	free(first);
	free(second);
	free(path_a);
	free(path_b);
}

UNIT_TEST(several_boots)
{
	struct result r;
	struct error error;
	char *path = in_folder("boots.json");

	machine("good", "33", false);
	expect(0, RUN "--boots 3 -o boots.json");
	assert_true(exists("boots.1.log") && exists("boots.3.log"));
	assert_true(result_load(&r, path, &error));
	assert_int_equal(r.benchmarks[0].boot_count, 3);
	assert_int_equal(r.benchmarks[0].merged.n, 192);
	result_free(&r);
	free(path);
}

UNIT_TEST(invalid_runs)
{
	static const struct {
		const char *log, *status;
		bool hangs;
		const char *message;
	} rows[] = {
		{"panic", "33", true, "the kernel panicked (error: PANIC: bug: x < y"},
		{"panic", "0", false, "the kernel panicked"},
		{"cut", "0", false, "cut off"},
		{"count", "33", false, "protocol lines were lost"},
		{"unstable", "33", true, "calibration is not stable"},
		{"fail", "35", false, "the page was not there"},
		{"version", "33", true, "another version of the protocol"},
		{"malformed", "33", true, "cannot be read"},
		{"duplicate", "33", true, "measured twice"},
		{"silent", "0", false, "the roottask reported nothing"},
		{"noboot", "0", false, "the kernel did not boot"},
		{"badelf", "0", false, "Bad ELF"},
		{"good", "35", false, "ended with its code for failure"},
		{"good", "0", false, "another way than it should"},
		{"noboot", "1", false, "the emulator gave up"},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		machine(rows[i].log, rows[i].status, rows[i].hangs);
		expect(4, RUN "-o invalid.json");
		has(rows[i].message);
		lacks("\033");
		lacks("\007");
		assert_true(exists("invalid.log"));
		assert_false(exists("invalid.json"));
	}
}

UNIT_TEST(hanging_machine)
{
	double start = clock_seconds();

	machine("cut", "33", true);
	expect(4, RUN "--timeout 3 -o hang.json");
	has("the time is over");
	has("--timeout");
	assert_true(clock_seconds() - start < 500);
	assert_false(exists("hang.json"));
}

/* All was measured, but the machine does not power off: good, with a note. */
UNIT_TEST(machine_that_stays)
{
	machine("good", "33", true);
	expect(0, RUN "-o stay.json");
	has("did not power off");
}

UNIT_TEST(emulator_message)
{
	machine("noboot", "1", false);
	setenv("HBENCH_FAKE_MESSAGE", "unable to find CPU model 'vax'", 1);
	expect(4, RUN "--cpu vax -o message.json");
	has("unable to find CPU model 'vax'");
	setenv("HBENCH_QEMU", "/nonexistent/qemu", 1);
	expect(4, RUN "-o message.json");
	has("cannot start /nonexistent/qemu");
	setenv("HBENCH_QEMU", TEST_EMULATOR, 1);
}

UNIT_TEST(wrong_images)
{
	machine("good", "33", false);
	expect(4, "run -t qemu -k kernel64.elf -r root.elf -o x.json");
	has("hypervisor.elf32");
	write_file("text", "hello", 5);
	expect(2, "run -t qemu -k text -r root.elf");
	has("not an ELF file");
	expect(2, "run -t qemu -k kernel.elf -r text");
}

UNIT_TEST(arguments_of_the_emulator)
{
	char *path = in_folder("arguments");

	machine("good", "33", false);
	setenv("HBENCH_FAKE_ARGUMENTS", path, 1);
	expect(0, RUN
	       "--suite ipc --cpu EPYC,+svm --memory 64 --append nopcid --root-append case=a,b -o arguments.json");
	unsetenv("HBENCH_FAKE_ARGUMENTS");
	read_output(path);
	has("shift=0,sleep=off\n");
	has("-cpu\nEPYC,+svm\n");
	has("-m\n64\n");
	has("-append\nserial novga nopcid\n");
	has("-initrd\nroottask suite=ipc case=a,,b\n");
	free(path);
	expect(0, "show arguments.json");
	has("qemu-icount-epyc--svm");
}

/* What the suite's file says, unless the user says otherwise. */
UNIT_TEST(cpus)
{
	static const char suite[] = "{\"suite\":\"ipc\",\"title\":\"t\",\"machine\":{\"cpus\":4},"
				    "\"cases\":[{\"case\":\"null\",\"meaning\":\"m\"}]}";
	static const char named[] = "{\"suite\":\"ipc\",\"title\":\"t\",\"machine\":{\"target\":\"qemu\"},"
				    "\"cases\":[{\"case\":\"null\",\"meaning\":\"m\"}]}";
	char *path = in_folder("arguments");

	machine("good", "33", false);
	write_file("ipc.json", suite, sizeof(suite) - 1);
	setenv("HBENCH_SUITES", folder, 1);
	setenv("HBENCH_FAKE_ARGUMENTS", path, 1);
	expect(0, RUN "--suite ipc -o smp.json");
	has("ipc on qemu-icount-max-smp4");
	read_output(path);
	has("-smp\n4\n");
	expect(0, RUN "--suite ipc --cpus 2 -o smp.json");
	has("ipc on qemu-icount-max-smp2");
	expect(0, RUN "-o smp.json");
	has("ipc on qemu-icount-max: ");
	read_output(path);
	has("-smp\n1\n");
	expect(4, "run -t bochs -k kernel64.elf -r root.elf --suite ipc -o smp.json");
	has("Bochs counts instructions on machines with one CPU only");
	write_file("ipc.json", named, sizeof(named) - 1);
	expect(0, "run -k kernel.elf -r root.elf --suite ipc -o named.json");
	has("ipc on qemu-icount-max: ");
	expect(2, "run -k kernel.elf -r root.elf -o named.json");
	unsetenv("HBENCH_FAKE_ARGUMENTS");
	setenv("HBENCH_SUITES", TEST_SUITES, 1);
	free(path);
}

#define BOCHS "run -t bochs -k kernel64.elf -r root.elf "

UNIT_TEST(bochs)
{
	char *path = in_folder("arguments");

	machine("good", "1", false); /* Bochs's status tells nothing */
	setenv("HBENCH_BOCHS", TEST_EMULATOR, 1);
	setenv("HBENCH_GRUB_MKRESCUE", "true", 1);
	setenv("HBENCH_FAKE_ARGUMENTS", path, 1);
	expect(0, BOCHS "--memory 2048 --append nopcid --root-append $x;y -o bochs.json");
	has("ipc on bochs-tigerlake");
	has("Bochs x86 Emulator 0.0");
	read_output(path);
	has("-q\n-f\nbochsrc\n-rc\nrc\n");
	has("cpu: model=tigerlake,");
	has("memory: guest=2048, host=1024\n");
	has("multiboot /boot/kernel kernel serial novga 'nopcid'\n");
	has("module /boot/roottask roottask '$x;y'\n");
	machine("panic", "0", true);
	expect(4, BOCHS "-o bochs.json");
	has("the kernel panicked");
	expect(4, BOCHS "--cpu a=b,c");
	has("not a CPU model of Bochs");
	expect(4, BOCHS "--append it's");
	has("must not have quotes");
	setenv("HBENCH_GRUB_MKRESCUE", "false", 1);
	expect(4, BOCHS "-o bochs.json");
	has("cannot build a GRUB image");
	unsetenv("HBENCH_GRUB_MKRESCUE");
	unsetenv("HBENCH_BOCHS");
	unsetenv("HBENCH_FAKE_ARGUMENTS");
	free(path);
}

UNIT_TEST(wrong_suite)
{
	static const char suite[] =
		"{\"suite\":\"vm\",\"title\":\"t\",\"cases\":[{\"case\":\"a\",\"meaning\":\"m\"}]}";

	machine("good", "33", true);
	write_file("vm.json", suite, sizeof(suite) - 1);
	setenv("HBENCH_SUITES", folder, 1);
	expect(4, RUN "--suite vm -o suite.json");
	has("`vm` was asked for and it runs `ipc`");
	setenv("HBENCH_SUITES", TEST_SUITES, 1);
}

UNIT_TEST(gate_codes)
{
	make_result("base.json", "m", "instructions", 40, 205);
	make_result("same.json", "m", "instructions", 40, 205);
	make_result("better.json", "m", "instructions", 40, 204);
	make_result("worse.json", "m", "instructions", 41, 204);
	make_result("less.json", "m", "instructions", 40, 0);
	make_result("other.json", "n", "instructions", 40, 205);
	make_result("ticks.json", "m", "ticks", 40, 205);
	write_file("broken.json", "{", 1);
	expect(0, "gate --baseline base.json same.json");
	has("PASSED");
	expect(0, "gate --baseline base.json better.json");
	has("baseline update");
	expect(1, "gate --baseline base.json worse.json");
	has("WORSE");
	expect(5, "gate --baseline base.json less.json");
	has("MISSING ipc/call_reply_cross/words:0");
	expect(4, "gate --baseline base.json other.json");
	has("different machines");
	expect(0, "gate --baseline base.json --allow-different-machine other.json");
	expect(4, "gate --baseline base.json ticks.json");
	expect(4, "gate --baseline base.json broken.json");
	expect(4, "gate --baseline broken.json same.json");
	expect(4, "gate --baseline nothing.json same.json");
	expect(3, "gate --baseline ticks.json ticks.json");
	has("not enough data");
}

UNIT_TEST(gate_reports)
{
	char *path = in_folder("gate.xml");

	expect(1, "gate --baseline base.json worse.json --junit gate.xml --markdown gate.md");
	assert_true(exists("gate.md"));
	read_output(path);
	has("failures=\"1\"");
	expect(1, "gate --baseline base.json same.json worse.json less.json --junit gate.xml --json gate.json");
	read_output(path);
	has("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite ");
	has("</testsuite>\n<testsuite ");
	has("errors=\"1\"");
	expect(4, "gate --baseline base.json worse.json nothing.json");
	expect(5, "gate --baseline base.json same.json less.json");
	free(path);
	expect(4, "gate --baseline base.json same.json --junit /nonexistent/x.xml");
}

/* The same programs and other numbers: the machine changed, not the code. */
UNIT_TEST(gate_drift)
{
	char *path = in_folder("drift.json");
	struct result r;
	struct error error;

	for (uint64_t i = 0; i < 2; i++) {
		result_init(&r, "m", "ipc", "instructions");
		result_set_text(&r, "kernel_sha256", "12");
		result_set_text(&r, "roottask_sha256", "34");
		build_constant(&r, "ipc/null", 40 + i, 64);
		result_merge(&r);
		assert_true(result_save(&r, path, &error));
		result_free(&r);
		free(path);
		path = in_folder("drift2.json");
	}
	free(path);
	expect(4, "gate --baseline drift.json drift2.json --json drift-gate.json");
	has("lab drift");
	has("INVALID");
	path = in_folder("drift-gate.json");
	read_output(path);
	has("\"lab_drift\": true");
	has("\"verdict\": \"WORSE\"");
	free(path);
}

UNIT_TEST(formats)
{
	expect(0, "export base.json");
	has("m,instructions,ipc/null,1,64,1,40,40,40,40,40,40,2560\n");
	expect(0, "export -f google-benchmark base.json -o exported.json");
	expect(0, "import -f google-benchmark -m lab-1 -s again -o again.json exported.json");
	has("again on lab-1: picoseconds per operation");
	has("40000");
	expect(4, "import -f google-benchmark -o again.json broken.json");
	expect(2, "import -f nothing base.json");
	expect(2, "export -f nothing base.json");
	expect(4, "export broken.json");
}

/* What runs measured is kept, unless that is not wanted. */
UNIT_TEST(database)
{
	expect(0, "store same.json base.json worse.json");
	has("there already: base.json"); /* same.json is the same, whatever it is called */
	expect(0, "history ipc/null");
	has("SLOWER: 40 -> 41 (+2.50%) between (no revision of 2024-01-01");
	expect(0, "history ipc/null --csv --machine m");
	has("m,ipc/null,2024-01-01T00:00:00+00:00,,0,40,40,40,40,40\n");
	expect(0, "history");
	has("qemu-icount-max        ipc/null "); /* of the runs before */
	expect(4, "history ipc/nothing");
	has("`hbench history` lists all");
	expect(4, "history --db /proc/nothing/x.db");
	machine("good", "33", false);
	expect(0, RUN "-q -o stored.json --db own.db");
	expect(0, "history --db own.db ipc/null");
	has(", 1 results");
	expect(0, RUN "-q -o stored.json --no-db");
	expect(4, RUN "-q -o stored.json --db /proc/nothing/x.db");
	has("the result is in its file only");
	setenv("HBENCH_DB", "/proc/nothing/x.db", 1);
	expect(0, RUN "-q -o stored.json");
	has("note: the result is in its file only");
	char *db = in_folder("history.db");

	setenv("HBENCH_DB", db, 1);
	free(db);
}

UNIT_TEST(report)
{
	expect(0, "report base.json");
	assert_true(has_data("report.html"));
	expect(0, "report --baseline base.json -o page.html worse.json");
	expect(4, "report --baseline base.json ticks.json");
	expect(4, "report --db /proc/nothing/x.db base.json");
	expect(0, "report --no-db base.json");
	expect(4, "report -o /nonexistent/x.html base.json");
	expect(2, "report");
}

UNIT_TEST(gate_thresholds)
{
	static const char suite[] =
		"{\"suite\":\"ipc\",\"title\":\"t\",\"threshold\":{\"instructions\":5},\"cases\":[{\"case\":"
		"\"null\",\"meaning\":\"m\",\"threshold\":{\"instructions\":0}}]}";

	write_file("loose.json", suite, sizeof(suite) - 1);
	make_result("up2.json", "m", "instructions", 40, 209);
	expect(1, "gate --baseline base.json up2.json");
	expect(0, "gate --baseline base.json up2.json --thresholds loose.json");
	expect(1, "gate --baseline base.json worse.json --thresholds loose.json");
	expect(2, "gate --baseline base.json worse.json --thresholds nothing.json");
}

/* Three boots of different levels: the mean of their medians is no median of all windows. */
UNIT_TEST(one_median)
{
	char *path = in_folder("medians.json");
	struct result r;
	struct error error;

	result_init(&r, "m", "ipc", "ticks");
	build_constant(&r, "ipc/null", 2000, 64);
	build_constant(&r, "ipc/null", 2010, 64);
	build_constant(&r, "ipc/null", 2402, 64);
	result_merge(&r);
	assert_true(result_save(&r, path, &error));
	result_free(&r);
	expect(0, "show medians.json");
	has("2137");
	expect(3, "gate --baseline medians.json medians.json"); /* boots that differ so much */
	has("2137  2137");
	expect(0, "store --db medians.db medians.json");
	expect(0, "history --db medians.db ipc/null --csv");
	has(",2137.33");
	has(",2000,2137,2137,2402");
	free(path);
}

#define THRESHOLD(suite, name, percent)                                         \
	"{\"suite\":\"" suite "\",\"title\":\"t\",\"cases\":[{\"case\":\"" name \
	"\",\"meaning\":\"m\",\"threshold\":{\"instructions\":" percent "}}]}"

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* Thresholds of another suite, or of cases that nobody has, are a mistake of whoever wrote them. */
UNIT_TEST(gate_thresholds_of_others)
{
	make_result("up2.json", "m", "instructions", 41, 209);
	write_text("other.suite", THRESHOLD("sched", "null", "50"));
	expect(2, "gate --baseline base.json up2.json --thresholds other.suite");
	has("other.suite is of the suite sched and the baseline of ipc");
	expect(2, "gate --baseline base.json --self-test --thresholds other.suite");
	write_text("unknown.suite", THRESHOLD("ipc", "nul", "50"));
	expect(2, "gate --baseline base.json up2.json --thresholds unknown.suite");
	has("thresholds for cases that do not exist: ipc/nul\n");
	write_text("unmeasured.suite", THRESHOLD("ipc", "pt_ctrl", "50"));
	expect(1, "gate --baseline base.json up2.json --thresholds unmeasured.suite");
}

/* Thresholds alone need no meanings; a word or a case that nobody knows is a mistake. */
UNIT_TEST(gate_thresholds_alone)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{"{\"treshold\":{\"instructions\":9}}", "the word \"treshold\" is not known here"},
		{"{\"threshold\":{\"instrctions\":9}}", "there is no \"instrctions\""},
		{"{\"threshold\":{\"instructions\":-1}}", "a percentage"},
		{"{\"cases\":{\"ipc/nul\":{\"instructions\":9}}}", "there is no case \"ipc/nul\""},
		{"{\"cases\":{\"icp/null\":{\"instructions\":9}}}", "there is no case \"icp/null\""},
		{"{\"cases\":{\"sched/nothing\":{\"instructions\":9}}}", "there is no case \"sched/nothing\""},
		{"[]", "is missing"},
		{"{\"suite\":\"ipc\",\"title\":\"t\",\"tresholds\":{}}", "the word \"tresholds\" is not known here"},
	};

	make_result("up2.json", "m", "instructions", 41, 209);
	expect(0, "gate --baseline base.json up2.json --threshold 2.5");
	has("2.5%");
	expect(1, "gate --baseline base.json up2.json --threshold 2");
	expect(2, "gate --baseline base.json up2.json --threshold 2%");
	has("is not a number of percent");
	expect(2, "gate --baseline base.json up2.json --threshold -1");
	write_text("alone.json", "{\"threshold\":{\"instructions\":1},\"cases\":{\"ipc/call_reply_cross\":"
				 "{\"instructions\":2},\"sm/up_idle\":{\"ticks\":9}}}");
	expect(1, "gate --baseline base.json up2.json --thresholds alone.json");
	has("1 same, 1 WORSE");
	expect(0, "gate --baseline base.json up2.json --thresholds alone.json --threshold 3");
	expect(0, "compare --threshold 3 base.json up2.json");
	has("2 same");
	expect(2, "compare --threshold x base.json up2.json");
	for (size_t i = 0; i < array_size(wrong); i++) {
		write_text("wrong.json", wrong[i].text);
		expect(2, "gate --baseline base.json up2.json --thresholds wrong.json");
		has(wrong[i].why);
	}
}

UNIT_TEST(gate_thresholds_without_end)
{
	write_text("endless.suite", THRESHOLD("ipc", "null", "1000000"));
	expect(4, "gate --baseline base.json --self-test --thresholds endless.suite");
	has("can never fail");
	has("ipc/null, threshold 1e+06%");
	lacks("call_reply_cross");
	write_text("wide.suite", THRESHOLD("ipc", "null", "800"));
	expect(0, "gate --baseline base.json --self-test --thresholds wide.suite");
}

UNIT_TEST(gate_self_test)
{
	expect(0, "gate --baseline base.json --self-test");
	has("planted regressions in each of 2 benchmarks");
	expect(1, "gate --baseline base.json --self-test worse.json");
	expect(4, "gate --baseline ticks.json --self-test");
	has("SELF-TEST FAILED");
	make_result("empty.json", "m", "instructions", 0, 0);
	expect(4, "gate --baseline empty.json --self-test");
}

UNIT_TEST(compare)
{
	expect(0, "compare base.json worse.json");
	has("+2.50%");
	has("not met");
	expect(0, "compare --markdown base.json worse.json");
	has("| null | 40 | 41 |");
	expect(0, "compare base.json other.json");
	has("different machines");
	expect(4, "compare base.json broken.json");
	expect(4, "compare base.json ticks.json");
}

UNIT_TEST(baselines)
{
	expect(4, "gate --baseline . same.json");
	has("there is no baseline");
	expect(0, "baseline list --results base");
	has("No baselines");
	expect(0, "baseline update --results base same.json");
	assert_true(exists("base/m/ipc.json"));
	expect(0, "gate --baseline base same.json");
	expect(4, "baseline update --results base better.json");
	has("say why with --reason");
	expect(0, "baseline update --results base --reason shorter --git-revision 123 better.json");
	expect(1, "gate --baseline base same.json");
	expect(4, "baseline update --results base --reason x less.json");
	has("missing");
	expect(0, "baseline update --results base --reason x --allow-missing less.json");
	expect(0, "baseline list --results base");
	has("m        ipc");
	char *peers = in_folder("base/peers");

	assert_int_equal(mkdir(peers, 0700), 0);
	write_file("base/peers/l4.json", "{}", 2); /* no baseline, so nothing to complain about */
	expect(0, "baseline list --results base");
	lacks("l4.json");
	free(peers);
	make_result("named.json", "peers", "instructions", 1, 1);
	expect(4, "baseline update --results base named.json");
	make_result("evil.json", "../../evil", "instructions", 1, 1);
	expect(4, "baseline update --results base evil.json");
	expect(4, "gate --baseline base evil.json");
}

/* The user stops a run: the emulator goes as well, and the log stays. */
UNIT_TEST(interrupt)
{
	char *argv[] = {(char *)TEST_PROGRAM, "run", "-t",       "qemu", "-k", "kernel.elf", "-r",
			"root.elf",           "-o",  "int.json", NULL};
	char *path = in_folder("output");
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	struct child child;
	struct error error;

	machine("cut", "33", true);
	signal(SIGINT, SIG_DFL); /* whoever runs the tests in the background may have it ignored */
	assert_true(child_start(&child, argv, folder, fd, fd, &error));
	for (int i = 0; i < 1000 && !has_data("int.log"); i++)
		usleep(10000);
	kill(child.pid, SIGINT);
	for (int i = 0; i < 30000 && !child_ended(&child); i++)
		usleep(10000);
	assert_true(child_ended(&child));
	assert_int_equal(WEXITSTATUS(child.status), 130);
	assert_true(exists("int.log"));
	close(fd);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help),
		cmocka_unit_test(list),
		cmocka_unit_test(usage_errors),
		cmocka_unit_test(good_run),
		cmocka_unit_test(results_are_reproducible),
		cmocka_unit_test(several_boots),
		cmocka_unit_test(invalid_runs),
		cmocka_unit_test(hanging_machine),
		cmocka_unit_test(machine_that_stays),
		cmocka_unit_test(emulator_message),
		cmocka_unit_test(wrong_images),
		cmocka_unit_test(arguments_of_the_emulator),
		cmocka_unit_test(cpus),
		cmocka_unit_test(bochs),
		cmocka_unit_test(wrong_suite),
		cmocka_unit_test(gate_codes),
		cmocka_unit_test(gate_reports),
		cmocka_unit_test(gate_drift),
		cmocka_unit_test(formats),
		cmocka_unit_test(database),
		cmocka_unit_test(report),
		cmocka_unit_test(gate_thresholds),
		cmocka_unit_test(one_median),
		cmocka_unit_test(gate_thresholds_of_others),
		cmocka_unit_test(gate_thresholds_alone),
		cmocka_unit_test(gate_thresholds_without_end),
		cmocka_unit_test(gate_self_test),
		cmocka_unit_test(compare),
		cmocka_unit_test(baselines),
		cmocka_unit_test(interrupt),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
