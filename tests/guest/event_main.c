/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event.h"

#include "rt/start.h"

bool main(void)
{
	static const struct test *const tables[] = {event_vector_tests, event_state_tests, event_kill_tests, NULL};

	return guest_run_tables("event", tables);
}
