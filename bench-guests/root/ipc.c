/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/start.h"

bool main(void)
{
	static const struct bench_case *const tables[] = {
		ipc_message_cases, ipc_typed_cases,  ipc_event_cases, ipc_sched_cases, ipc_object_cases,
		ipc_cap_cases,     ipc_memory_cases, ipc_port_cases,  ipc_scale_cases, NULL,
	};

	return bench_run("ipc", tables);
}
