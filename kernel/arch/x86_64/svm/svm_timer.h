/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD has no timer that ends runs. The local APIC's does, while nobody else uses it: it belongs to user land, which
 * has it masked as firmware leaves it, or else no timeout ends a run by itself (docs/caveats.md).
 */
#pragma once

#include "lib/types.h"

/* On the boot CPU: measures its rate. */
void svm_timer_init(void);

/* An interrupt comes when so many ticks of the TSC have passed. False: the timer is not to be had. */
bool svm_timer_start(u64 ticks);
/* No interrupt comes any more, unless it has come already. */
void svm_timer_stop(void);
/* True if the interrupt has come: it is taken. With the global interrupt flag set. */
bool svm_timer_take(void);
