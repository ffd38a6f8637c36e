/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/attempt.h"

#include "fleet/console.h"
#include "host/clock.h"
#include "host/error.h"
#include "host/mem.h"
#include "measure/lines.h"
#include "measure/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double grace = 0.5; /* seconds; for the rest of a panic's registers */

struct listening {
	const struct attempt *attempt;
	struct console console;
	struct lines lines;
	double start, last_byte, kernel_came; /* seconds, as clock_seconds() counts; kernel_came: 0: not yet */
	bool fetched;                         /* the machine has its kernel and boots the collector next */
};

static enum outcome_verdict fail(const struct attempt *a, enum outcome_verdict verdict, const struct error *error)
{
	a->watch->verdict = verdict;
	snprintf(a->watch->why, sizeof(a->watch->why), "%.500s", error->text);
	return verdict;
}

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	const struct listening *l = context;

	watch_line(l->attempt->watch, line, len, cut);
}

/* True when something came. */
static bool listen_once(struct listening *l)
{
	char data[16384];
	size_t len = console_read(&l->console, data, sizeof(data));

	if (!len)
		return false;
	fwrite(data, 1, len, l->attempt->log);
	fflush(l->attempt->log); /* it is kept even if this process dies */
	lines_feed(&l->lines, data, len, on_line, l);
	l->last_byte = clock_seconds();
	if (!l->kernel_came && (l->attempt->watch->kernels || l->attempt->watch->session.seen_run))
		l->kernel_came = l->last_byte;
	return true;
}

/* A machine whose console is its RAM boots, measures, resets itself, and boots again to send its log. */
static enum watch_end impatient_for_log(const struct listening *l, unsigned *seconds)
{
	const struct inventory_timeouts *t = &l->attempt->machine->timeouts;

	*seconds = l->fetched ? 2 * t->boot + t->run : t->boot;
	if (clock_seconds() < l->start + *seconds)
		return WATCH_DONE;
	return l->fetched ? WATCH_NO_LOG : WATCH_NO_FETCH;
}

/* Which of the machine's timeouts is over, and of how many seconds it is; WATCH_DONE: none. */
static enum watch_end impatient(const struct listening *l, unsigned *seconds)
{
	const struct inventory_timeouts *t = &l->attempt->machine->timeouts;
	double now = clock_seconds();
	enum watch_end end = WATCH_DONE;

	if (l->attempt->collector)
		return impatient_for_log(l, seconds);
	if (!l->kernel_came && now >= l->start + t->boot) {
		*seconds = t->boot;
		end = WATCH_BOOT_TIME;
	} else if (l->kernel_came && now >= l->kernel_came + t->run) {
		*seconds = t->run;
		end = WATCH_RUN_TIME;
	} else if (l->kernel_came && now >= l->last_byte + t->silence) {
		*seconds = t->silence;
		end = WATCH_SILENCE;
	}
	return end;
}

/* Once the machine has its kernel, the next thing it boots is the collector. */
static bool lead_on(struct listening *l, struct error *error)
{
	const struct attempt *a = l->attempt;

	if (!a->collector || l->fetched || !mailbox_has_fetched(&l->console.mailbox))
		return true;
	l->fetched = true;
	return payload_arm(a->collector, a->inventory, a->machine, error);
}

static enum watch_end listen(struct listening *l, unsigned *seconds)
{
	struct error error;

	while (!run_interrupted() && !watch_over(l->attempt->watch)) {
		enum watch_end end = impatient(l, seconds);

		if (end != WATCH_DONE)
			return end;
		if (!lead_on(l, &error)) {
			fail(l->attempt, OUTCOME_PAYLOAD, &error);
			return WATCH_DONE;
		}
		listen_once(l);
		if (l->console.ended)
			return WATCH_CLOSED;
	}
	return WATCH_DONE;
}

/* What is still on the wire belongs into the log. */
static void listen_to_the_last(struct listening *l)
{
	double until = clock_seconds() + grace;

	while (!l->console.ended && clock_seconds() < until)
		listen_once(l);
	lines_finish(&l->lines, on_line, l);
}

static enum outcome_verdict measure(struct listening *l)
{
	const struct attempt *a = l->attempt;
	unsigned seconds = 0;
	enum watch_end end;
	struct error error;

	if (!power_up(a->inventory, a->machine, a->context, &error))
		return fail(a, OUTCOME_POWER, &error);
	l->start = l->last_byte = clock_seconds();
	end = listen(l, &seconds);
	if (run_interrupted())
		return OUTCOME_INTERRUPTED;
	listen_to_the_last(l);
	return watch_judge(a->watch, end, seconds);
}

/* The console is opened while the machine is off: what it said before must not count, and nothing is missed. */
enum outcome_verdict attempt_run(const struct attempt *a)
{
	struct listening *l;
	enum outcome_verdict verdict;
	struct error error;

	if (a->kernel && !payload_arm(a->kernel, a->inventory, a->machine, &error))
		return fail(a, OUTCOME_PAYLOAD, &error);
	if (!power_down(a->inventory, a->machine, a->context, &error))
		return fail(a, OUTCOME_POWER, &error);
	if (run_interrupted())
		return OUTCOME_INTERRUPTED;
	l = xcalloc(1, sizeof(*l));
	l->attempt = a;
	if (console_open(&l->console, a->inventory, a->machine, &error))
		verdict = measure(l);
	else
		verdict = fail(a, OUTCOME_CONSOLE, &error);
	console_close(&l->console);
	free(l);
	return verdict;
}
