/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before everything else: CPUs are threads here, more of them than processors, and whose turn it is may not
 * run at the moment. So whoever spins lets others run. */
#pragma once

int sched_yield(void);
#define __builtin_ia32_pause() ((void)sched_yield())
