/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/collect.h"

#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/validity.h"
#include "result/build_id.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_LINES = 15, TAIL_WIDTH = 160, FAILED_SHOWN = 20, LOG_MAX = 1 << 30 };

/* The console's own line is whole; the roottask may know a part of it or nothing. */
static const char *boot_line(const struct session *session)
{
	return session->boot_line[0] ? session->boot_line : session->run.kernel;
}

/* What only newer roottasks tell. */
static void set_optional(struct result *result, const struct run_record *run)
{
	const struct {
		const char *key, *text;
	} texts[] = {{"kernel_build_id", run->kernel_build_id},
		     {"features", run->features},
		     {"arch_capabilities", run->arch_capabilities},
		     {"microcode", run->microcode},
		     {"firmware", run->firmware},
		     {"hypervisor", run->hypervisor},
		     {"frequency", run->frequency}};

	for (size_t i = 0; i < array_size(texts); i++)
		if (*texts[i].text)
			result_set_text(result, texts[i].key, texts[i].text);
	if (run->smt)
		json_object_set_new(result->context, "smt", json_boolean(run->smt > 0));
	if (run->traced)
		json_object_set_new(result->context, "traced", json_true());
	if (run->memory_mb)
		result_set_number(result, "memory_mb", run->memory_mb);
}

/* How much an empty measurement takes, how often. */
static void set_timer_cost(struct result *result, const struct hist *hist)
{
	json_t *bins = hist->used ? json_array() : NULL;

	if (!bins)
		return;
	for (size_t i = 0; i < hist->used; i++)
		json_array_append_new(bins,
				      json_pack("[I,I,I]", (json_int_t)hist->bins[i].lower,
						(json_int_t)hist->bins[i].width, (json_int_t)hist->bins[i].count));
	json_object_set_new(result->context, "timer_overhead_hist", bins);
	result_set_number(result, "timer_overhead_p50", (int64_t)hist_quantile(hist, 0.5));
	result_set_number(result, "timer_overhead_p99", (int64_t)hist_quantile(hist, 0.99));
}

void collect_start(struct result *result, const struct session *session, const char *machine, const char *metric)
{
	const struct run_record *run = &session->run;

	result_init(result, machine, run->suite, metric);
	/* Members that Google Benchmark's tools know */
	result_set_text(result, "host_name", machine);
	result_set_text(result, "executable", "hbench");
	result_set_number(result, "num_cpus", run->cpus);
	result_set_number(result, "mhz_per_cpu", run->tsc_khz / 1000);
	json_object_set_new(result->context, "cpu_scaling_enabled", json_false());
	json_object_set_new(result->context, "caches", json_array());
	json_object_set_new(result->context, "load_avg", json_array());
	result_set_text(result, "library_build_type", "release");
	/* Ours */
	result_set_text(result, "kernel_boot_line", boot_line(session));
	result_set_number(result, "kernel_api", run->api);
	result_set_text(result, "cpu_brand", run->cpu);
	result_set_text(result, "cpu_vendor", run->vendor);
	result_set_number(result, "cpu_family", run->family);
	result_set_number(result, "cpu_model_number", run->model);
	result_set_number(result, "cpu_stepping", run->stepping);
	result_set_number(result, "tsc_khz", run->tsc_khz);
	json_object_set_new(result->context, "tsc_invariant", json_boolean(run->tsc_invariant));
	result_set_text(result, "roottask_cmdline", run->cmdline);
	set_optional(result, run);
	result_set_text(result, "placement", run->placement ? "random" : "fixed");
	if (session->seen_calibration) {
		result_set_number(result, "timer_overhead", (int64_t)session->calibration.overhead);
		result_set_number(result, "timer_overhead_max", (int64_t)session->calibration.overhead_max);
	}
	if (session->calibration.clock)
		result_set_number(result, "core_clock_permille", (int64_t)session->calibration.clock);
	set_timer_cost(result, &session->calibration.hist);
	if (session->registers[0])
		result_set_text(result, "control_registers", session->registers);
}

static bool agree(const struct result *result, const char *key, const char *value, struct error *error)
{
	if (!strcmp(result_text(result, key), value))
		return true;
	return error_set(error, "the boots are not of the same thing: %s was \"%s\" and is \"%s\"", key,
			 result_text(result, key), value);
}

/* The roottask's line has a checksum and the kernel's own has none, so it is that one which came damaged. */
static void note_damage(const struct session *session)
{
	const char *id = session->run.kernel_build_id;
	build_id_shown shown;

	build_id_of_line(boot_line(session), shown);
	if (*id && *shown && strncmp(shown, id, BUILD_ID_SHOWN))
		complain("note: the kernel's first line was damaged: it says build %s, and the roottask, with a "
			 "checksum, %.*s",
			 shown, BUILD_ID_SHOWN, id);
}

/* By what carries a checksum, if both tell it. */
static bool same_kernel(const struct result *result, const struct session *session, struct error *error)
{
	const char *id = session->run.kernel_build_id;

	if (*id && *result_text(result, "kernel_build_id"))
		return agree(result, "kernel_build_id", id, error);
	return agree(result, "kernel_boot_line", boot_line(session), error);
}

static void keep_most(struct result *result, const char *key, uint64_t value)
{
	if (json_integer_value(json_object_get(result->context, key)) < (int64_t)value)
		result_set_number(result, key, (int64_t)value);
}

/* The worst boot decides what can be believed of cases across CPUs. */
static void keep_clocks(struct result *result, const struct session *session)
{
	keep_most(result, "tsc_skew", session->calibration.skew);
	keep_most(result, "tsc_skew_bound", session->calibration.skew_bound);
	keep_most(result, "tsc_drift", session->drift);
}

/* Each boot has its own; the first says whether there are any. */
static void add_placement(struct result *result, const struct run_record *run)
{
	json_t *seeds = json_object_get(result->context, "placement_seeds");

	if (!run->placement)
		return;
	if (!seeds) {
		seeds = json_array();
		json_object_set_new(result->context, "placement_seeds", seeds);
	}
	json_array_append_new(seeds, json_integer(run->placement));
}

static bool placed_alike(const struct result *result, const struct run_record *run, struct error *error)
{
	const char *before = result_text(result, "placement"), *now = run->placement ? "random" : "fixed";

	return !strcmp(before, now) ||
	       error_set(error, "the boots are not of the same thing: placement was %s and is %s", before, now);
}

bool collect_add(struct result *result, struct session *session, struct error *error)
{
	const struct run_record *run = &session->run;

	if (!validity_check(result, session, result_text(result, "metric"), error) ||
	    !agree(result, "suite", run->suite, error) || !agree(result, "cpu_brand", run->cpu, error) ||
	    !same_kernel(result, session, error) || !placed_alike(result, run, error))
		return false;
	note_damage(session);
	keep_clocks(result, session);
	add_placement(result, run);
	for (size_t i = 0; i < session->measured_count; i++) {
		struct measurement *m = &session->measured[i];
		char *name = xasprintf("%s/%s", run->suite, m->name);

		result_add(result, name, &m->sample);
		m->sample = (struct sample){0}; /* its histogram is the result's now */
		free(name);
	}
	for (size_t i = 0; i < session->skipped_count; i++) {
		char *name = xasprintf("%s/%s", run->suite, session->skipped[i].name);

		result_add_skip(result, name, session->skipped[i].why);
		free(name);
	}
	for (size_t i = 0; i < session->finding_count; i++)
		finding_keep(result, &session->findings[i]);
	return true;
}

void collect_finish(struct result *result, const char *revision, unsigned boots)
{
	char date[32];

	clock_date(date);
	result_set_text(result, "date", date);
	result_set_text(result, "hbench_version", TOOLS_VERSION);
	result_set_number(result, "boots", boots);
	if (revision)
		result_set_text(result, "git_revision", revision);
	result_merge(result);
}

/* Start of the last `count` lines. */
static const char *last_lines(const char *data, size_t size, int count)
{
	const char *at = data + size;

	if (at > data && at[-1] == '\n')
		at--;
	while (at > data && (at[-1] != '\n' || --count))
		at--;
	return at;
}

static void print_tail(const char *log)
{
	size_t size;
	struct error ignored;
	char *data = file_read(log, LOG_MAX, &size, &ignored);
	const char *at = data ? last_lines(data, size, TAIL_LINES) : NULL;

	if (data && size) {
		fprintf(stderr, "The end of %s:\n", log);
		for (const char *end; at < data + size; at = end) {
			const char *stop = memchr(at, '\n', (size_t)(data + size - at));
			size_t len = stop ? (size_t)(stop - at) : (size_t)(data + size - at);

			end = at + len + 1;
			fputs("  | ", stderr);
			text_print_escaped(stderr, at, len < TAIL_WIDTH ? len : TAIL_WIDTH);
			fputs(len < TAIL_WIDTH ? "\n" : " ...\n", stderr);
		}
	} else {
		fprintf(stderr, "The console log %s is empty.\n", log);
	}
	free(data);
}

static void print_failed(const struct session *session)
{
	for (size_t i = 0; i < session->failed_count && i < FAILED_SHOWN; i++)
		fprintf(stderr, "failed %s: %s\n", session->failed[i].name, session->failed[i].why);
	if (session->failed_count > FAILED_SHOWN)
		fprintf(stderr, "and %zu more\n", session->failed_count - FAILED_SHOWN);
}

void collect_complain(const struct session *session, const char *log)
{
	complain("the run is not valid: %s (%s)", fault_text(session->fault), session->detail.text);
	fprintf(stderr, "%s\n", fault_advice(session->fault));
	print_failed(session);
	print_tail(log);
}
