/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freed objects are filled with nonsense, so that whoever still uses one notices (ld's --wrap). The first word is the
 * allocator's then.
 */
#include "arch/switch.h"
#include "core/ec.h"
#include "core/pt.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "memory.h"
#include "report.h"
#include "world.h"

#include <string.h>

#define POISON 0xa5

/* A CPU uses the EC that it runs even if it does not access it, so it must not be freed. */
static bool runs(const struct ec *ec)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (interleave_cpus[n].ec == ec && ec != interleave_cpus[n].idle_ec)
			return true;
	return false;
}

static void check_ec(const struct ec *ec)
{
	if (runs(ec))
		report_fail("an EC is freed while it runs");
}

static void check_nothing(const void *o)
{
	(void)o;
}

#define WRAP(fn, type, check)                                                      \
	void __real_##fn(struct type *o);                                          \
	void __wrap_##fn(struct type *o);                                          \
	void __wrap_##fn(struct type *o)                                           \
	{                                                                          \
		check(o);                                                          \
		__real_##fn(o);                                                    \
		memory_drain();                                                    \
		memset((char *)o + sizeof(u64), POISON, sizeof(*o) - sizeof(u64)); \
	}
WRAP(ec_free, ec, check_ec)
WRAP(pt_free, pt, check_nothing)
WRAP(sc_free, sc, check_nothing)
WRAP(sm_free, sm, world_ends)
WRAP(vcpu_free, vcpu, check_nothing)
