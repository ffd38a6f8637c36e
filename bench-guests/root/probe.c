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

enum { REMARKS_MAX = 40, REMARK_MAX = 200 };

static struct {
	struct {
		enum probe_weight weight;
		char text[REMARK_MAX];
	} all[REMARKS_MAX];
	unsigned count;
} remarks;

void probe_heading(const char *title)
{
	rt_printf("\n%s\n", title);
}

void probe_say(const char *fmt, ...)
{
	char text[REMARK_MAX];
	va_list ap;

	va_start(ap, fmt);
	rt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rt_printf("  %s\n", text);
}

void probe_remark(enum probe_weight weight, const char *fmt, ...)
{
	char *text = remarks.all[remarks.count].text;
	va_list ap;

	if (remarks.count == REMARKS_MAX)
		return;
	remarks.all[remarks.count++].weight = weight;
	va_start(ap, fmt);
	rt_vsnprintf(text, REMARK_MAX, fmt, ap);
	va_end(ap);
	rt_printf("  %c %s\n", "-?!"[weight], text);
}

static unsigned show(enum probe_weight weight)
{
	unsigned n = 0;

	for (unsigned i = 0; i < remarks.count; i++)
		if (remarks.all[i].weight == weight) {
			rt_printf("  %c %s\n", "-?!"[weight], remarks.all[i].text);
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
	rt_printf("probe: is this machine fit to measure?\n");
	probe_processor();
	probe_consoles();
	probe_clock();
	probe_power();
	probe_interruptions();
	verdict();
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
