/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults of processors that the kernel has to know of; a processor is named by its signature, CPUID leaf 1 EAX. */
#pragma once

#include "lib/types.h"

/* A store to the line that MONITOR watches may not end MWAIT. */
bool errata_monitor_misses_stores(u32 signature);
