/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "ipc": what a hypercall costs. Names and parameters of the cases are fixed: results are compared over
 * time. A window is one operation with the user's side of it, as a program would write it: selectors are constants.
 */
#pragma once

#include "rt/bench/bench_case.h"
#include "rt/ec.h"
#include "rt/sel.h"

/* One table per file, each ends with an empty case. */
extern const struct bench_case ipc_message_cases[];
extern const struct bench_case ipc_typed_cases[];
extern const struct bench_case ipc_event_cases[];
extern const struct bench_case ipc_sched_cases[];
extern const struct bench_case ipc_object_cases[];
extern const struct bench_case ipc_cap_cases[];
extern const struct bench_case ipc_memory_cases[];
extern const struct bench_case ipc_port_cases[];
extern const struct bench_case ipc_scale_cases[];

/* Selectors by file. Cases do not overlap in time; a case leaves its selectors empty. */
enum {
	SEL_MESSAGE = RT_SEL_PROGRAM,
	SEL_TYPED = RT_SEL_PROGRAM + 0x100,
	SEL_SCHED = RT_SEL_PROGRAM + 0x200,
	SEL_OBJECT = RT_SEL_PROGRAM + 0x300,
	SEL_CAP = RT_SEL_PROGRAM + 0x400,
	SEL_PORT = RT_SEL_PROGRAM + 0x500,
	SEL_SCALE = RT_SEL_PROGRAM + 0x10000,
};

/* A local EC on this CPU (ec->pd: where) and a portal to it. Null, or why it cannot be made. */
const char *ipc_serve(struct rt_ec *ec, sel_t pt, void (*entry)(void));
void ipc_unserve(struct rt_ec *ec,
		 sel_t pt); /* its PD, too, unless that is the roottask's; also if nothing was made */

/* Code entered at portals; see ipc_server.c. */
void ipc_entry_empty(void);   /* replies with an empty message */
void ipc_entry_forward(void); /* calls the portal its own id tells, then replies */
void ipc_entry_skip2(void);   /* exception: goes on two bytes later */
