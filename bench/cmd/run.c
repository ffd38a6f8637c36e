/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench run`: measures kernels on an emulated or a real machine. */
#include "cmd/confirm.h"
#include "cmd/trace_options.h"
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "host/mem.h"
#include "host/resource.h"
#include "measure/campaign.h"
#include "measure/image.h"
#include "measure/run.h"
#include "measure/serial_word.h"
#include "report/report.h"
#include "stats/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *target, *accel, *machine, *roottask, *suite, *cpu, *append, *root_append, *revision, *start,
		*probe;
	struct texts kernels, outputs, consoles;
	unsigned cpus, memory, boots, timeout, baud; /* cpus 0: what the suite wants; timeout 0: the target's */
	bool quiet;
	struct verb_storage storage;
	struct trace_options trace;
	struct confirm_options gate;
} o = {.accel = "tcg", .memory = 512, .boots = 1, .append = "", .root_append = "", .baud = 115200};

static const struct option_spec options[] = {
	{"target", 't', OPTION_TEXT, "qemu|bochs|serial|tcp|file",
	 "Machine to measure on (the one that the suite given by --suite names); else needed", &o.target, 0, 0,
	 TARGET_NAMES},
	{"accel", 0, OPTION_TEXT, "tcg|kvm",
	 "QEMU: count instructions (tcg), or measure time on this host's CPU (kvm)", &o.accel, 0, 0, "tcg kvm"},
	{"kernel", 'k', OPTION_TEXTS, "FILE",
	 "Kernel image (the hypervisor.elf32 that came with hbench); QEMU takes no other form. Several take turns, "
	 "boot "
	 "by boot",
	 &o.kernels, 0, 0, NULL},
	{"roottask", 'r', OPTION_TEXT, "FILE",
	 "Benchmark roottask (for an emulator: the one of the suite given by --suite that came with hbench)",
	 &o.roottask, 0, 0, NULL},
	{"suite", 's', OPTION_TEXT, "NAME",
	 "Suite to run: given to the roottask as `suite=NAME`, and refused when it runs another", &o.suite, 0, 0,
	 "SUITES"},
	{"boots", 0, OPTION_NUMBER, "N",
	 "How often to boot each kernel and measure (1; a count of instructions needs no more, ticks need 10 or "
	 "more)",
	 &o.boots, 1, 1000, NULL},
	{"cpu", 0, OPTION_TEXT, "MODEL", "The emulator's CPU model (QEMU: max, with KVM host; Bochs: tigerlake)",
	 &o.cpu, 0, 0, NULL},
	{"cpus", 0, OPTION_NUMBER, "N", "CPUs of an emulator (what the suite given by --suite wants, else 1)",
	 &o.cpus, 1, SUITE_CPUS_MAX, NULL},
	{"memory", 0, OPTION_NUMBER, "MB", "Memory of an emulator (512)", &o.memory, 16, 1 << 20, NULL},
	{"append", 0, OPTION_TEXT, "WORDS", "More words for the kernel's command line, after `serial novga`",
	 &o.append, 0, 0, NULL},
	{"root-append", 0, OPTION_TEXT, "WORDS", "More words for the roottask's command line", &o.root_append, 0, 0,
	 NULL},
	{"console", 'c', OPTION_TEXTS, "WHERE",
	 "Where a real machine's console is: a device (serial), HOST:PORT (tcp), or a recorded log (file; one for "
	 "each "
	 "boot)",
	 &o.consoles, 0, 0, NULL},
	{"baud", 0, OPTION_NUMBER, "RATE", "Rate of the serial line (115200)", &o.baud, 1, 4000000, NULL},
	{"machine", 'm', OPTION_TEXT, "ID", "Name of a real machine, such as nuc11; needed for one", &o.machine, 0, 0,
	 NULL},
	{"start", 0, OPTION_TEXT, "COMMAND", "Shell command that starts or resets a real machine for each boot",
	 &o.start, 0, 0, NULL},
	{"timeout", 0, OPTION_NUMBER, "S", "Seconds one boot may take (QEMU: 300, others: 900)", &o.timeout, 1,
	 7 * 24 * 3600, NULL},
	{"git-revision", 0, OPTION_TEXT, "REV", "Revision to note in the result", &o.revision, 0, 0, NULL},
	{"output", 'o', OPTION_TEXTS, "FILE",
	 "Result file (hbench-result.json), one for each kernel; the raw console goes beside it as .log", &o.outputs,
	 0, 0, NULL},
	{"baseline", 'b', OPTION_TEXT, "FILE|DIR",
	 "Compare the result with this baseline, or that of the machine in a folder, and fail when it is worse",
	 &o.gate.baseline, 0, 0, NULL},
	{"confirm", 0, OPTION_NUMBER, "N",
	 "With --baseline: measure a regression again, up to N times, and believe what every measurement finds (0)",
	 &o.gate.times, 0, 100, NULL},
	{"baseline-kernel", 0, OPTION_TEXT, "FILE",
	 "With --confirm: the baseline's kernel, which takes turns with the new one then", &o.gate.kernel, 0, 0,
	 NULL},
	OPTION_PROBE(o.probe),
	TRACE_OPTIONS(o.trace),
	OPTIONS_STORAGE(o.storage),
	{"quiet", 'q', OPTION_FLAG, NULL, "Neither progress nor the table of results", &o.quiet, 0, 0, NULL},
	OPTION_END,
};

static const struct target *check_target(const struct suite *suite)
{
	const char *name = o.target ? o.target : suite->target;
	const struct target *target = name ? target_find(name, o.accel) : NULL;

	if (!name)
		verb_usage(&verb_run_machine, "--target is needed: qemu, bochs, serial, tcp or file");
	if (!target)
		verb_usage(&verb_run_machine, "there is no target `%s` with --accel %s; there are: " TARGET_NAMES,
			   name, o.accel);
	if (!target->real && !o.roottask && !o.suite)
		verb_usage(&verb_run_machine, "--suite or --roottask is needed");
	return target;
}

/* Options of emulators do not change a real machine, and the other way round: silence would be a wrong promise. */
static void check_real(const struct target *target)
{
	if (!target->real) {
		if (o.consoles.count || o.start || o.machine)
			verb_usage(&verb_run_machine, "--console, --start and --machine are for real machines");
		return;
	}
	if (!o.consoles.count || !o.machine)
		verb_usage(&verb_run_machine, "--console and --machine are needed for a real machine");
	if (!target_id_valid(o.machine))
		verb_usage(&verb_run_machine, "a machine's id has only letters, digits, `_`, `.` and `-`");
	if (o.cpu || o.cpus)
		verb_usage(&verb_run_machine, "--cpu and --cpus are for emulators: a real machine has what it has");
	if (o.consoles.count > 1 && target != &target_file)
		verb_usage(&verb_run_machine, "only one --console: boots of one machine come one after the other");
	if (o.kernels.count > 1 && !o.start)
		verb_usage(&verb_run_machine, "several kernels need --start: it boots the one in HBENCH_KERNEL");
}

static void check_append(const struct target *target)
{
	struct error error;
	unsigned long baud;

	if (!serial_word_check(o.append, &baud, &error))
		verb_usage(&verb_run_machine, "--append: %s", error.text);
	if (target == &target_serial && baud && baud != o.baud)
		verb_usage(&verb_run_machine, "--append tells the kernel %lu baud, and --baud is %u", baud, o.baud);
}

static void check_outputs(void)
{
	unsigned kernels = o.kernels.count ? o.kernels.count : 1;

	if (o.outputs.count > 1 && o.outputs.count != kernels)
		verb_usage(&verb_run_machine, "--output must be given once, or once for each kernel");
	if (o.trace.file && (kernels > 1 || o.boots > 1 || o.consoles.count > 1))
		verb_usage(&verb_run_machine, "--trace-file is for one boot of one kernel; without it each has one");
}

static void check_gate(const struct target *target)
{
	o.gate.quiet = o.quiet;
	if (!o.gate.baseline && (o.gate.times || o.gate.kernel))
		verb_usage(&verb_run_machine, "--confirm and --baseline-kernel are for runs with --baseline");
	if (o.gate.kernel && !o.gate.times)
		verb_usage(&verb_run_machine,
			   "--baseline-kernel runs when a regression is confirmed: --confirm is missing");
	if (o.gate.baseline && o.kernels.count > 1)
		verb_usage(&verb_run_machine, "--baseline is for one kernel; several are compared with each other");
	if (o.gate.times && target == &target_file)
		verb_usage(&verb_run_machine, "a recorded log cannot be measured again");
	if (o.gate.kernel && target->real && !o.start)
		verb_usage(&verb_run_machine, "several kernels need --start: it boots the one in HBENCH_KERNEL");
}

/* The output of one of several kernels: its own, or "new.json" becomes "new.2.json". */
static char *output_name(unsigned index, unsigned kernels)
{
	const char *name = o.outputs.count ? o.outputs.text[0] : "hbench-result.json";
	size_t len = strlen(name);

	if (o.outputs.count > 1)
		return xstrdup(o.outputs.text[index]);
	if (kernels == 1)
		return xstrdup(name);
	if (len > 5 && !strcmp(name + len - 5, ".json"))
		len -= 5;
	return xasprintf("%.*s.%u.json", (int)len, name, index + 1);
}

/* What an emulator boots unless the user says otherwise. */
static void use_own_images(void)
{
	if (!o.kernels.count)
		o.kernels.text[o.kernels.count++] = resource_path("hypervisor.elf32", "hypervisor.elf32");
	if (!o.roottask) {
		char *name = xasprintf("%s.elf", o.suite);
		o.roottask = resource_path(name, name);
		free(name);
	}
}

static void add_kernels(struct campaign *c)
{
	c->kernel_count = o.kernels.count ? o.kernels.count : 1;
	for (unsigned i = 0; i < c->kernel_count; i++) {
		c->kernels[i].path = o.kernels.text[i]; /* NULL when there are none */
		c->kernels[i].output = output_name(i, c->kernel_count);
	}
}

static enum exit_code save_one(struct campaign_kernel *kernel)
{
	bool probed = verb_take_probe(o.probe, &kernel->result); /* else what was measured is kept nevertheless */
	struct suite storage = {0};
	struct error error;

	if (!result_save(&kernel->result, kernel->output, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (!verb_keep(&o.storage, &kernel->result))
		return EXIT_RUN_INVALID;
	if (!o.quiet) {
		report_result(stdout, &kernel->result, verb_suite_of(&kernel->result, &storage), NULL);
		suite_free(&storage);
		fflush(stdout);
		fprintf(stderr, "written: %s\n", kernel->output);
	}
	return probed ? EXIT_SAME_OR_BETTER : EXIT_RUN_INVALID;
}

/* The first kernel is A for each of the others. */
static void show_comparisons(const struct campaign *c)
{
	struct suite storage = {0};
	struct comparison comparison;
	struct error error;

	for (unsigned i = 1; i < c->kernel_count && !o.quiet; i++) {
		const struct result *a = &c->kernels[0].result, *b = &c->kernels[i].result;

		putchar('\n');
		if (compare_results(&comparison, a, b, verb_suite_of(b, &storage), &error))
			report_comparison(stdout, &comparison, NULL);
		else
			complain("%s", error.text);
		compare_free(&comparison);
		suite_free(&storage);
	}
}

static enum exit_code gate(const struct campaign *c)
{
	struct suite storage = {0};
	enum exit_code code = confirm_gate(c, verb_suite_of(&c->kernels[0].result, &storage), &o.gate);

	suite_free(&storage);
	return code;
}

static enum exit_code measure(struct campaign *c)
{
	enum exit_code code;

	run_catch_signals();
	progress_start(&c->progress, c->boots * c->kernel_count, o.quiet);
	code = campaign_run(c);
	for (unsigned i = 0; i < c->kernel_count && code == EXIT_SAME_OR_BETTER; i++)
		code = save_one(&c->kernels[i]);
	if (code == EXIT_SAME_OR_BETTER)
		show_comparisons(c);
	if (code == EXIT_SAME_OR_BETTER && o.gate.baseline)
		code = gate(c);
	return code;
}

static char *joined(char *a, char *b)
{
	char *both = xasprintf("%s%s%s", a, *a && *b ? " " : "", b);

	free(a);
	free(b);
	return both;
}

/* The user's words first: the roottask tells only the beginning of its command line. */
static char *root_words(void)
{
	char *suite = o.suite ? xasprintf("suite=%s", o.suite) : xstrdup("");

	return joined(joined(suite, xstrdup(o.root_append)), trace_options_words(&o.trace));
}

static void set_up(struct campaign *c, const struct target *target, unsigned suite_cpus)
{
	c->target = target;
	c->suite = o.suite;
	c->revision = o.revision;
	c->boots = target == &target_file ? o.consoles.count : o.boots;
	c->consoles = target == &target_file ? o.consoles.text : NULL;
	c->timeout = o.timeout ? o.timeout : target->default_timeout;
	c->config.roottask = o.roottask;
	c->config.cpu = o.cpu ? o.cpu : target->default_cpu;
	c->config.cpus = o.cpus ? o.cpus : suite_cpus;
	c->config.memory = o.memory;
	c->config.append = o.append;
	c->config.console = o.consoles.text[0];
	c->config.baud = o.baud;
	c->config.start = o.start;
	c->traced = o.trace.events;
	c->trace_file = o.trace.file;
}

static enum exit_code run_suite(const struct suite *suite)
{
	const struct target *target = check_target(suite);
	struct campaign c = {0};
	enum exit_code code = EXIT_USAGE;
	char *words, *machine;
	struct error error;
	bool is_64;

	check_real(target);
	check_append(target);
	check_outputs();
	if (!target->real)
		use_own_images();
	check_gate(target);
	trace_options_check(&o.trace, &verb_run_machine);
	set_up(&c, target, suite->cpus);
	add_kernels(&c);
	c.config.root_words = words = root_words();
	c.machine = machine =
		target->real ? xstrdup(o.machine) : target_machine_id(target, c.config.cpu, c.config.cpus);
	if (!verb_take_probe(o.probe, NULL))
		code = EXIT_USAGE;
	else if (campaign_check(&c, &error) && (!o.gate.kernel || image_check(o.gate.kernel, &is_64, &error)))
		code = measure(&c);
	else
		complain("%s", error.text);
	for (unsigned i = 0; i < c.kernel_count; i++)
		free((char *)c.kernels[i].output);
	campaign_free(&c);
	free(machine);
	free(words);
	return code;
}

static int run(char **args, unsigned count)
{
	struct suite suite = {.cpus = 1};
	struct error error;
	enum exit_code code;

	(void)args;
	(void)count;
	if (o.suite && !suite_load(&suite, o.suite, &error)) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	code = run_suite(&suite);
	suite_free(&suite);
	return code;
}

const struct verb verb_run_machine = {
	.name = "run",
	.summary = "boot a kernel in an emulator or on a real machine and measure it",
	.args = "",
	.doc = "Boot a kernel with a benchmark roottask, read its measurements from the serial line, and write a "
	       "result.",
	.more = "In QEMU with -icount and in Bochs the time-stamp counter counts executed instructions, the same in "
		"every run on every host. With KVM and on real machines it counts time, which has noise: boot "
		"several "
		"times.\n\nWith --baseline it is a gate, too. A regression that chance or a busy machine made is not "
		"found "
		"again with --confirm, which boots anew.\n\nSeveral kernels take turns, A B A B; each gets a result "
		"of its own, and they are "
		"compared.\n\n"
		"HBENCH_QEMU, HBENCH_BOCHS, HBENCH_GRUB_MKRESCUE and HBENCH_GRUB_MODULES name other programs and "
		"GRUB's "
		"module folder. The command of --start finds HBENCH_KERNEL, HBENCH_ROOTTASK, HBENCH_APPEND, "
		"HBENCH_ROOT_WORDS and HBENCH_BOOT in its environment. Exit codes: 0 good, 2 usage, 4 the run is not "
		"valid, 130 interrupted; with --baseline those of gate.",
	.examples =
		"  hbench run -t qemu --suite ipc -o new.json\n"
		"  hbench run -t qemu -k hypervisor.elf32 -r sm.elf --suite sm -o sm.json\n"
		"  hbench run -t bochs --cpu tigerlake -k hypervisor.elf32 -r ipc.elf\n"
		"  hbench run -t qemu --accel kvm --boots 5 -k old.elf32 -k new.elf32 -r ipc.elf -o ab.json\n"
		"  hbench run -t qemu --accel kvm --boots 5 -k new.elf32 -r ipc.elf -b results --confirm 2 "
		"--baseline-kernel "
		"old.elf32\n"
		"  hbench run -t qemu -k hypervisor.elf32 -r ipc.elf --trace -o new.json\n"
		"  hbench run -t serial -c /dev/ttyUSB0 -m nuc11 --boots 5 --start 'lab reset nuc11' -o nuc11.json\n"
		"  hbench run -t tcp -c ser2net:4001 -m nuc11 --start 'lab reset nuc11'\n"
		"  hbench run -t file -m nuc11 -c boot1.log -c boot2.log -c boot3.log\n"
		"  hbench run -t serial -c /dev/ttyUSB0 -m nuc11 -r probe.elf -o probe.json\n"
		"  hbench run -t serial -c /dev/ttyUSB0 -m nuc11 --boots 10 --probe probe.json -o nuc11.json\n",
	.options = options,
	.args_needed = "run takes options only, no other arguments",
	.run = run,
};
