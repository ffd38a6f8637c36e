/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/worker.h"

#include "fleet/attempt.h"
#include "fleet/ledger.h"
#include "fleet/payload.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/collect.h"
#include "measure/image.h"
#include "measure/run.h"
#include "measure/session_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct work {
	const struct plan *plan;
	const struct inventory_machine *machine;
	const char *suite;
	struct outcome outcome;
	unsigned tries;                   /* that have failed, of the boot that is next */
	bool touched;                     /* the machine was switched, or was to be */
	bool worked;                      /* an attempt of this suite got further than a machine that does not work */
	struct payload kernel, collector; /* to boot from the network; without an id: none */
	char given_up[512];               /* why no more suites are tried; "": they are */
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

static bool note_programs(const struct work *w, struct result *result, struct error *error)
{
	char *roottask = plan_roottask(w->plan, w->suite);
	bool good = image_note(result, "kernel", w->plan->kernel, error) &&
		    image_note(result, "roottask", roottask, error);

	result_set_text(result, "target", "fleet");
	if (strcmp(w->machine->baseline, w->machine->name))
		result_set_text(result, "baseline", w->machine->baseline);
	result_set_text(result, "kernel_append", w->machine->append ? w->machine->append : "");
	free(roottask);
	return good;
}

static bool make_result(const struct work *w, struct error *error)
{
	char *path = path_of(w, "result.json");
	struct result result = {0};
	bool good = true;

	for (unsigned i = 0; i < w->outcome.attempt_count && good; i++)
		if (w->outcome.attempts[i].verdict == OUTCOME_OK)
			good = add_log(w, &result, w->outcome.attempts[i].log, error);
	good = good && note_programs(w, &result, error);
	if (good) {
		collect_finish(&result, w->plan->revision, w->outcome.good_boots);
		good = result_save(&result, path, error);
	}
	result_free(&result);
	free(path);
	return good;
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

static enum outcome_verdict boot(struct work *w, FILE *log, struct watch *watch)
{
	char *roottask = plan_roottask(w->plan, w->suite),
	     *root_words = plan_root_words(w->plan, w->machine, w->suite);
	char *words = plan_kernel_words(w->machine), *power_log = path_of(w, "power.txt");
	const struct power_context context = {w->suite, w->plan->kernel, roottask, words, root_words, power_log};
	const struct attempt attempt = {w->plan->inventory,
					w->machine,
					&context,
					*w->kernel.id ? &w->kernel : NULL,
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
	double start = clock_seconds();
	enum outcome_verdict verdict;
	struct watch watch;
	char name[64];
	FILE *log = open_log(w, name);

	if (!log) {
		decide(w, OUTCOME_INVALID, "the console log cannot be written");
		return OUTCOME_INVALID;
	}
	tell(w, "%s: boot %u of %u%s", w->suite, w->outcome.good_boots + 1, w->plan->boots,
	     w->tries ? ", again" : "");
	watch_init(&watch, w->suite, w->plan->build_id, w->machine->metric == METRIC_TICKS);
	verdict = boot(w, log, &watch);
	outcome_add(&w->outcome, verdict, name, watch.why, clock_seconds() - start);
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
	if (w->outcome.verdict == OUTCOME_OK && !make_result(w, &error))
		decide(w, OUTCOME_INVALID, error.text);
	save_outcome(w);
}

/*
 * An alarm that chance made is gone when the machine has booted anew. The measurement before stays beside the result,
 * its attempts are told no more. True when there is something to do again.
 */
static bool begin_again(struct work *w)
{
	char *path, *kept, name[64];

	if (w->outcome.verdict != OUTCOME_OK || w->outcome.rounds >= w->plan->confirm || run_interrupted() ||
	    ledger_look(w->plan, w->machine, w->suite) != EXIT_REGRESSED)
		return false;
	snprintf(name, sizeof(name), "result.%u.json", ++w->outcome.rounds);
	path = path_of(w, "result.json");
	kept = path_of(w, name);
	if (rename(path, kept))
		tell(w, "%s: %s: %s", w->suite, path, strerror(errno));
	free(kept);
	free(path);
	tell(w, "%s: regressed, which is measured again before it is believed (%u of %u)", w->suite,
	     w->outcome.rounds, w->plan->confirm);
	w->outcome.attempt_count = w->outcome.good_boots = 0;
	w->tries = 0;
	decide(w, OUTCOME_OPEN, "");
	save_outcome(w);
	return true;
}

static void forget_payloads(struct work *w)
{
	payload_free(&w->kernel);
	payload_free(&w->collector);
}

static bool prepare(struct work *w)
{
	bool ram = w->machine->console.type == CONSOLE_RAM;
	struct error error;

	if (w->machine->boot != BOOT_NETWORK)
		return true;
	if (payload_prepare(&w->kernel, w->plan, w->machine, w->suite, &error) &&
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
	w->touched = true;
	if (!prepare(w))
		return;
	decide(w, OUTCOME_OPEN, "");
	w->worked = w->outcome.good_boots;
	do {
		while (!run_interrupted() && w->outcome.good_boots < w->plan->boots && next_try(w))
			;
		conclude(w);
	} while (begin_again(w));
	forget_payloads(w);
	if (!w->worked && !run_interrupted())
		snprintf(w->given_up, sizeof(w->given_up), "%s in %s: %.300s", outcome_text(w->outcome.verdict),
			 w->suite, w->outcome.why);
}

/* A machine that does not work would use up its patience with each suite. */
static void give_up_suite(struct work *w)
{
	char *path = path_of(w, "outcome.json"), *folder = path_of(w, "");
	struct error error;

	if (!file_make_folders(folder, &error) || !outcome_load(&w->outcome, path, &error)) {
		tell(w, "%s", error.text);
	} else if (!outcome_final(&w->outcome)) {
		decide(w, OUTCOME_GIVEN_UP, w->given_up);
		save_outcome(w);
		tell(w, "%s: given up: %s", w->suite, w->given_up);
	}
	free(folder);
	free(path);
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

	for (unsigned i = 0; i < plan->suite_count && !run_interrupted(); i++) {
		work.suite = plan->suites[i];
		work.tries = 0;
		if (!inventory_allows(machine, work.suite))
			continue;
		if (*work.given_up)
			give_up_suite(&work);
		else
			run_suite(&work);
	}
	good = !work.touched || worker_leave(plan, machine, &error);
	if (!good)
		tell(&work, "it could not be left as it should: %.500s", error.text);
	return good;
}
