/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Performance counters of Intel's processors (architectural performance monitoring, SDM vol. 3, 20.2) and AMD's (APM
 * vol. 2, 13.2): general ones from 0 on for what paths add up, counting in the kernel only; one behind them for
 * samples by time. arch/trace.h is how they are used.
 */
#pragma once

#include "lib/types.h"

/* In an NMI handler, if there were samples since boot: whether their counter has run over; it starts again, unless it
 * was stopped meanwhile. */
bool pmu_take_overflow(void);

/* After a reset: what was chosen before. */
void pmu_restore_cpu(void);
