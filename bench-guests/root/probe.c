/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says in a page whether this machine is fit to measure, and what is in the way. */
#include "probe.h"

#include "rt/bench/bench.h"
#include "rt/bench/bench_machine.h"
#include "rt/bench/workers.h"
#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"
#include "rt/thread.h"

#include <stdarg.h>

enum { FINDINGS_MAX = 64, STATE_MAX = 121, TEXT_MAX = 121 }; /* texts as long as a line of the protocol has them */

static struct {
	struct {
		enum probe_weight weight;
		struct bench_finding report;
		char state[STATE_MAX], text[TEXT_MAX];
	} all[FINDINGS_MAX];
	unsigned count;
} findings;

/* What stands before a line of that weight. */
static const char marks[] = {[PROBE_FACT] = ' ', [PROBE_NOTE] = '-', [PROBE_DOUBT] = '?', [PROBE_OBSTACLE] = '!'};

void probe_heading(const char *title)
{
	rt_printf("\n%s\n", title);
}

void probe_say(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	rt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rt_printf("  %s\n", text);
}

/* state: or null, and then the amount counts. */
static void find(enum probe_weight weight, const char *name, const char *state, uint64_t amount, const char *fmt,
		 va_list ap)
{
	static const char *const words[] = {"fact", "note", "doubt", "obstacle"};
	unsigned at = findings.count++;
	char *kept, *text;

	rt_assert(at < FINDINGS_MAX);
	kept = findings.all[at].state;
	text = findings.all[at].text;
	rt_snprintf(kept, STATE_MAX, "%s", state ? state : "");
	rt_vsnprintf(text, TEXT_MAX, fmt, ap);
	findings.all[at].weight = weight;
	findings.all[at].report = (struct bench_finding){
		.name = name, .weight = words[weight], .state = state ? kept : NULL, .amount = amount, .why = text};
	if (weight == PROBE_FACT)
		rt_printf("  %s\n", text);
	else
		rt_printf("  %c %s\n", marks[weight], text);
}

void probe_state(enum probe_weight weight, const char *name, const char *state, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	find(weight, name, state, 0, fmt, ap);
	va_end(ap);
}

void probe_amount(enum probe_weight weight, const char *name, uint64_t amount, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	find(weight, name, NULL, amount, fmt, ap);
	va_end(ap);
}

void probe_sizes(const struct bench_bin *bins, unsigned count)
{
	struct bench_finding *last = &findings.all[findings.count - 1].report;

	last->bins = bins;
	last->bin_count = count;
}

static void report(void)
{
	for (unsigned i = 0; i < findings.count; i++)
		bench_report_finding(&findings.all[i].report);
}

static unsigned show(enum probe_weight weight)
{
	unsigned n = 0;

	for (unsigned i = 0; i < findings.count; i++)
		if (findings.all[i].weight == weight) {
			rt_printf("  %c %s\n", marks[weight], findings.all[i].text);
			n++;
		}
	return n;
}

static void verdict(void)
{
	unsigned obstacles, doubts;

	probe_heading("verdict");
	obstacles = show(PROBE_OBSTACLE);
	doubts = show(PROBE_DOUBT);
	show(PROBE_NOTE);
	if (obstacles)
		rt_printf("probe: not fit to measure: %u obstacles, %u doubts\n", obstacles, doubts);
	else if (doubts)
		rt_printf("probe: fit to measure, with %u doubts\n", doubts);
	else
		rt_printf("probe: fit to measure\n");
}

static sel_t done;

static void probe(RT_UNUSED void *arg)
{
	bench_machine_init();
	bench_report_run("probe", false, "");
	rt_printf("probe: is this machine fit to measure?\n");
	probe_processor();
	probe_consoles();
	probe_clock();
	probe_power();
	probe_interruptions();
	report();
	verdict();
	bench_report_end(0);
	RT_MUST(hc_sm_up(done));
}

bool main(void)
{
	struct rt_ec ec = {.cpu = rt_cpu};

	workers_init();
	RT_MUST(rt_sm(&done, 0));
	RT_MUST(rt_thread(&ec, BENCH_PRIO, probe, NULL));
	RT_MUST(hc_sm_down(done));
	return true;
}
