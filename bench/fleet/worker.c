/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/worker.h"

#include "fleet/attempt.h"
#include "fleet/ledger.h"
#include "fleet/payload.h"
#include "fleet/probing.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/collect.h"
#include "measure/image.h"
#include "measure/run.h"
#include "measure/session_log.h"
#include "result/finding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct work {
	const struct plan *plan;
	const struct inventory_machine *machine;
	const char *suite;
	unsigned boots; /* that the suite wants */
	struct outcome outcome;
	unsigned tries; /* that have failed, of the boot that is next */
	bool touched;   /* the machine was switched, or was to be */
	bool worked;    /* an attempt of this suite got further than a machine that does not work */
	struct payload kernel, base, collector; /* to boot from the network; without an id: none */
	enum outcome_verdict skip; /* what becomes of the suites that are left; OUTCOME_OPEN: they are tried */
	char why_skip[512];
};

static void tell(const struct work *w, const char *fmt, ...) printf_like(2, 3);

/* One write, so that lines of machines do not mix. */
static void tell(const struct work *w, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	text_mask(text);
	dprintf(STDERR_FILENO, "%s  %s\n", w->machine->name, text);
	free(text);
}

static char *path_of(const struct work *w, const char *name)
{
	return plan_path(w->plan, w->machine, w->suite, name);
}

static void save_outcome(const struct work *w)
{
	char *path = path_of(w, "outcome.json");
	struct error error;

	if (!outcome_save(&w->outcome, path, &error))
		tell(w, "%s", error.text);
	free(path);
}

static void decide(struct work *w, enum outcome_verdict verdict, const char *why)
{
	w->outcome.verdict = verdict;
	snprintf(w->outcome.why, sizeof(w->outcome.why), "%.500s", why);
}

/* --- the result, of the logs of the good boots --- */

static bool add_log(const struct work *w, struct result *result, const char *log, struct error *error)
{
	char *path = path_of(w, log);
	const char *metric = inventory_metric_name(w->machine);
	struct session session;
	bool good;

	session_init(&session, w->suite, w->machine->metric == METRIC_TICKS);
	good = session_read_log(&session, path, error);
	if (good && session.fault != FAULT_NONE)
		good = error_set(error, "%s: %s", log, fault_text(session.fault));
	if (good && !result->context)
		collect_start(result, &session, w->machine->name, metric);
	good = good && collect_add(result, &session, error);
	session_free(&session);
	free(path);
	return good;
}

static bool note_programs(const struct work *w, const struct plan_kernel *kernel, struct result *result,
			  struct error *error)
{
	char *roottask = plan_roottask(w->plan, w->suite);
	bool good =
		image_note(result, "kernel", kernel->path, error) && image_note(result, "roottask", roottask, error);

	result_set_text(result, "target", "fleet");
	if (strcmp(w->machine->baseline, w->machine->name))
		result_set_text(result, "baseline", w->machine->baseline);
	result_set_text(result, "kernel_append", w->machine->append ? w->machine->append : "");
	free(roottask);
	return good;
}

static bool make_result(const struct work *w, bool base, struct error *error)
{
	char *path = path_of(w, base ? "base.json" : "result.json");
	struct result result = {0};
	struct error ignored;
	bool good = true;

	for (unsigned i = 0; i < w->outcome.attempt_count && good; i++)
		if (w->outcome.attempts[i].verdict == OUTCOME_OK && w->outcome.attempts[i].base == base)
			good = add_log(w, &result, w->outcome.attempts[i].log, error);
	good = good && note_programs(w, base ? &w->plan->base : &w->plan->kernel, &result, error);
	if (good && strcmp(w->suite, FINDING_SUITE) && !probing_note(w->plan, w->machine, &result, &ignored))
		tell(w, "%s: nothing of the probe is kept with it: %.900s", w->suite, ignored.text);
	if (good) {
		collect_finish(&result, base ? NULL : w->plan->revision, w->boots);
		good = result_save(&result, path, error);
	}
	result_free(&result);
	free(path);
	return good;
}

/* --- which kernel is next --- */

/* In a measurement that confirms another one, the baseline's kernel takes turns with the new one, if there is one. */
static bool takes_turns(const struct work *w)
{
	return w->outcome.rounds && w->plan->base.path;
}

static unsigned boots_wanted(const struct work *w)
{
	return takes_turns(w) ? 2 * w->boots : w->boots;
}

static bool base_is_next(const struct work *w)
{
	return takes_turns(w) && w->outcome.good_boots % 2;
}

/* --- one boot --- */

/* A name that no earlier attempt has, be it one of an interrupted run. */
static FILE *open_log(const struct work *w, char name[64])
{
	for (unsigned i = 1; i < 10000; i++) {
		char *path;
		FILE *file;

		snprintf(name, 64, "console.%u.log", i);
		path = path_of(w, name);
		file = fopen(path, "wxe");
		free(path);
		if (file || errno != EEXIST)
			return file;
	}
	return NULL;
}

static enum outcome_verdict boot(struct work *w, bool base, FILE *log, struct watch *watch)
{
	const struct plan_kernel *kernel = base ? &w->plan->base : &w->plan->kernel;
	const struct payload *payload = base ? &w->base : &w->kernel;
	char *roottask = plan_roottask(w->plan, w->suite),
	     *root_words = plan_root_words(w->plan, w->machine, w->suite);
	char *words = plan_kernel_words(w->machine), *power_log = path_of(w, "power.txt");
	const struct power_context context = {w->suite, kernel->path, roottask, words, root_words, power_log};
	const struct attempt attempt = {w->plan->inventory,
					w->machine,
					&context,
					*payload->id ? payload : NULL,
					*w->collector.id ? &w->collector : NULL,
					watch,
					log};
	enum outcome_verdict verdict = attempt_run(&attempt);

	free(power_log);
	free(words);
	free(root_words);
	free(roottask);
	return verdict;
}

static enum outcome_verdict boot_logged(struct work *w)
{
	const bool base = base_is_next(w);
	double start = clock_seconds();
	enum outcome_verdict verdict;
	struct watch watch;
	char name[64];
	FILE *log = open_log(w, name);

	if (!log) {
		decide(w, OUTCOME_INVALID, "the console log cannot be written");
		return OUTCOME_INVALID;
	}
	tell(w, "%s: boot %u of %u%s%s", w->suite, w->outcome.good_boots + 1, boots_wanted(w),
	     base ? ", the baseline's kernel" : "", w->tries ? ", again" : "");
	watch_init(&watch, w->suite, base ? w->plan->base.build_id : w->plan->kernel.build_id,
		   w->machine->metric == METRIC_TICKS);
	verdict = boot(w, base, log, &watch);
	outcome_add(&w->outcome, verdict, name, watch.why, clock_seconds() - start)->base = base;
	decide(w, verdict, watch.why);
	/* A boot loader of ours that gave up came from the machine's network: the machine works. */
	w->worked = w->worked || !outcome_of_machine(verdict) || watch.give_ups;
	tell(w, "%s: %s%s%s (%.0f s)", w->suite, outcome_text(verdict), *watch.why ? ": " : "", watch.why,
	     clock_seconds() - start);
	watch_free(&watch);
	fclose(log);
	return verdict;
}

/* --- one suite --- */

/* False when there is nothing more to be hoped for. */
static bool next_try(struct work *w)
{
	enum outcome_verdict verdict = boot_logged(w);

	if (verdict == OUTCOME_OK) {
		w->outcome.good_boots++;
		w->tries = 0;
	} else if (!outcome_may_retry(verdict) || ++w->tries > *w->machine->retries) {
		return false;
	}
	decide(w, OUTCOME_OPEN, "");
	save_outcome(w);
	return true;
}

static void conclude(struct work *w)
{
	struct error error;

	if (run_interrupted())
		decide(w, OUTCOME_INTERRUPTED, "");
	else if (w->outcome.verdict == OUTCOME_OPEN)
		decide(w, OUTCOME_OK, "");
	if (w->outcome.verdict == OUTCOME_OK &&
	    (!make_result(w, false, &error) || (takes_turns(w) && !make_result(w, true, &error))))
		decide(w, OUTCOME_INVALID, error.text);
	save_outcome(w);
}

/* A measurement stays beside the one that is to confirm it: result.json becomes result.1.json. */
static void keep(const struct work *w, const char *stem)
{
	char *name = xasprintf("%s.json", stem), *numbered = xasprintf("%s.%u.json", stem, w->outcome.rounds);
	char *path = path_of(w, name), *kept = path_of(w, numbered);

	if (!access(path, F_OK) && rename(path, kept))
		tell(w, "%s: %s: %s", w->suite, path, strerror(errno));
	free(kept);
	free(path);
	free(numbered);
	free(name);
}

/* What the machine boots when the baseline's kernel has its turn. */
static bool prepare_base(struct work *w, struct error *error)
{
	struct plan plan = *w->plan;

	if (!takes_turns(w) || w->machine->boot != BOOT_NETWORK || *w->base.id)
		return true;
	plan.kernel = plan.base;
	return payload_prepare(&w->base, &plan, w->machine, w->suite, error);
}

/*
 * An alarm that chance made is gone when the machine has booted anew. The measurement before stays beside the result,
 * its attempts are told no more. True when there is something to do again.
 */
static bool begin_again(struct work *w)
{
	struct error error;

	if (w->outcome.verdict != OUTCOME_OK || w->outcome.rounds >= w->plan->confirm || run_interrupted() ||
	    ledger_look(w->plan, w->machine, w->suite) != EXIT_REGRESSED)
		return false;
	w->outcome.rounds++;
	keep(w, "result");
	keep(w, "base");
	tell(w, "%s: regressed, which is measured again before it is believed (%u of %u)", w->suite,
	     w->outcome.rounds, w->plan->confirm);
	w->outcome.attempt_count = w->outcome.good_boots = 0;
	w->tries = 0;
	if (prepare_base(w, &error))
		decide(w, OUTCOME_OPEN, "");
	else
		decide(w, OUTCOME_PAYLOAD, error.text);
	save_outcome(w);
	return w->outcome.verdict == OUTCOME_OPEN;
}

static void forget_payloads(struct work *w)
{
	payload_free(&w->kernel);
	payload_free(&w->base);
	payload_free(&w->collector);
}

static bool prepare(struct work *w)
{
	bool ram = w->machine->console.type == CONSOLE_RAM;
	struct error error;

	if (w->machine->boot != BOOT_NETWORK)
		return true;
	if (payload_prepare(&w->kernel, w->plan, w->machine, w->suite, &error) && prepare_base(w, &error) &&
	    (!ram || payload_prepare_collector(&w->collector, w->plan, w->machine, &error)))
		return true;
	decide(w, OUTCOME_PAYLOAD, error.text);
	tell(w, "%s: %s", w->suite, error.text);
	save_outcome(w);
	forget_payloads(w);
	return false;
}

static void run_suite(struct work *w)
{
	char *path = path_of(w, "outcome.json"), *folder = path_of(w, "");
	struct error error;
	bool good = file_make_folders(folder, &error) && outcome_load(&w->outcome, path, &error);

	free(folder);
	free(path);
	if (!good) {
		tell(w, "%s", error.text);
		return;
	}
	if (outcome_final(&w->outcome))
		return;
	if (w->outcome.verdict == OUTCOME_UNFIT) /* it may have been mended */
		w->outcome.attempt_count = w->outcome.good_boots = 0;
	w->touched = true;
	if (!prepare(w))
		return;
	decide(w, OUTCOME_OPEN, "");
	w->worked = w->outcome.good_boots;
	do {
		while (!run_interrupted() && w->outcome.good_boots < boots_wanted(w) && next_try(w))
			;
		conclude(w);
	} while (begin_again(w));
	forget_payloads(w);
	if (!w->worked && !run_interrupted()) {
		w->skip = OUTCOME_GIVEN_UP;
		snprintf(w->why_skip, sizeof(w->why_skip), "%s in %s: %.300s", outcome_text(w->outcome.verdict),
			 w->suite, w->outcome.why);
	}
}

/* A machine that does not work would use up its patience with each suite; one that is not fit only gives numbers that
 * are wrong. */
static void skip_suite(struct work *w)
{
	char *path = path_of(w, "outcome.json"), *folder = path_of(w, "");
	struct error error;

	if (!file_make_folders(folder, &error) || !outcome_load(&w->outcome, path, &error)) {
		tell(w, "%s", error.text);
	} else if (!outcome_final(&w->outcome)) {
		decide(w, w->skip, w->why_skip);
		save_outcome(w);
		tell(w, "%s: %s: %s", w->suite, outcome_text(w->skip), w->why_skip);
	}
	free(folder);
	free(path);
}

/* --- before the suites --- */

static void refuse(struct work *w, const char *why)
{
	w->skip = OUTCOME_UNFIT;
	snprintf(w->why_skip, sizeof(w->why_skip), "%.500s", why);
}

/* What was found out: it is kept, unless the machine is to be mended first. */
static void judge_machine(struct work *w, bool recalled)
{
	bool refuses = w->machine->probe.unfit == UNFIT_REFUSE, fit;
	struct error error;

	fit = probing_fit(w->plan, w->machine, &error);
	if (!fit)
		tell(w, "%s%.900s", refuses ? "" : "warning: ", error.text);
	if (!fit && refuses) {
		refuse(w, error.text);
		decide(w, OUTCOME_UNFIT, w->why_skip);
		save_outcome(w);
	} else if (!recalled && !probing_keep(w->plan, w->machine, &error)) {
		tell(w, "%s", error.text);
	}
}

/* Another run may have found it out already. */
static bool recall(struct work *w)
{
	char *path = path_of(w, "outcome.json"), *folder = path_of(w, "");
	struct error error;
	bool good = file_make_folders(folder, &error) && outcome_load(&w->outcome, path, &error) &&
		    !outcome_final(&w->outcome) && probing_recall(w->plan, w->machine, &w->outcome);

	if (good)
		save_outcome(w);
	free(folder);
	free(path);
	return good;
}

static void look_at_machine(struct work *w)
{
	bool recalled;

	w->suite = FINDING_SUITE;
	w->boots = 1;
	recalled = recall(w);
	if (!recalled)
		run_suite(w);
	if (w->outcome.verdict == OUTCOME_OK)
		judge_machine(w, recalled);
	else if (w->machine->probe.unfit == UNFIT_REFUSE && !w->skip && !run_interrupted())
		refuse(w, "the probe did not find out whether it is fit to measure");
}

bool worker_leave(const struct plan *plan, const struct inventory_machine *machine, struct error *error)
{
	char *log = xasprintf("%s/%s/power.txt", plan->folder, machine->name);
	const struct power_context context = {.log = log};
	bool good;

	if (machine->boot == BOOT_NETWORK)
		payload_disarm(plan->inventory, machine);
	good = power_leave(plan->inventory, machine, &context, error);
	free(log);
	return good;
}

bool worker_run(const struct plan *plan, const struct inventory_machine *machine)
{
	struct work work = {.plan = plan, .machine = machine};
	struct error error;
	bool good;

	if (plan_looks_first(plan, machine))
		look_at_machine(&work);
	for (unsigned i = 0; i < plan->suite_count && !run_interrupted(); i++) {
		work.suite = plan->suites[i];
		work.boots = plan->boots;
		work.tries = 0;
		if (!inventory_allows(machine, work.suite))
			continue;
		if (work.skip != OUTCOME_OPEN)
			skip_suite(&work);
		else
			run_suite(&work);
	}
	good = !work.touched || worker_leave(plan, machine, &error);
	if (!good)
		tell(&work, "it could not be left as it should: %.500s", error.text);
	return good;
}
