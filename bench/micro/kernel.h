/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's headers for C++, behind those of the library that measures: the kernel has macros with short names. */
#pragma once

#include <benchmark/benchmark.h>

#define _Static_assert static_assert

extern "C" {
#include "core/sched.h"
#include "host.h"
#include "mm/page.h"
#include "mm/ptab.h"
#include "mm/slab.h"
#include "platform/panic.h"
#include "space/mdb.h"
#include "space/pd.h"
#include "space/space_mem.h"
#include "space/space_obj.h"
}

/* A benchmark that fails must not look fast. */
static inline void must(enum status st)
{
	kassert(st == SUCCESS);
}
