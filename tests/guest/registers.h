/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instruction with all registers set, and what must be the same behind it. */
#pragma once

#include "regs.h"

void registers_randomize(void);
void registers_arguments(struct hc_regs r);

/* The instruction with regs_in and regs_xin; results in regs_out and regs_xout. */
void registers_run(void (*stub)(void));

/* Everything but the general registers named in `lost` is as before. */
bool registers_unchanged(unsigned lost, const char *what);

/* A hypercall keeps everything. `outs`: registers it returns something in, besides RDI. */
void registers_keep(const char *what, struct hc_regs r, enum status want, unsigned outs);

void registers_bases(struct regs *r); /* reads FS and GS base */

#define OUT2 (1u << R_SI)
#define EXPECT_KEPT(what, want, outs, hc, flags, sel, ...) \
	registers_keep(what, (struct hc_regs){HC_ARG1(hc, flags, sel), ##__VA_ARGS__}, want, outs)

extern const struct test registers_hypercall_tests[], registers_ipc_tests[], registers_event_tests[],
	registers_selector_tests[];
