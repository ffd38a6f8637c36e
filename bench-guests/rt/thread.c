/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/thread.h"

#include "rt/event.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/sel.h"

/* Other PDs have event portals of their own at 0, and the kernel refuses CPUs that are not there. */
static enum status prepare(struct rt_ec *ec)
{
	enum status st = rt_ec_prepare(ec);

	if (st == SUCCESS && !ec->events && ec->pd == RT_SEL_PD && rt_cpu_enabled(ec->cpu))
		ec->events = rt_events(ec->cpu);
	return st;
}

enum status rt_ec_local(struct rt_ec *ec)
{
	enum status st = prepare(ec);

	return st == SUCCESS ? rt_ec_create_local(ec) : st;
}

enum status rt_ec_global(struct rt_ec *ec, void (*fn)(void *), void *arg)
{
	enum status st = prepare(ec);

	return st == SUCCESS ? rt_ec_create_global(ec, fn, arg) : st;
}

enum status rt_thread(struct rt_ec *ec, unsigned prio, void (*fn)(void *), void *arg)
{
	enum status st = rt_ec_global(ec, fn, arg);

	return st == SUCCESS ? rt_sc(&ec->sc, ec->sel, prio) : st;
}
