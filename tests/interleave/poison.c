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

#define WRAP(fn, type)                                                             \
	void __real_##fn(struct type *o);                                          \
	void __wrap_##fn(struct type *o);                                          \
	void __wrap_##fn(struct type *o)                                           \
	{                                                                          \
		__real_##fn(o);                                                    \
		memory_drain();                                                    \
		memset((char *)o + sizeof(u64), POISON, sizeof(*o) - sizeof(u64)); \
	}
WRAP(pt_free, pt)
WRAP(sc_free, sc)
WRAP(vcpu_free, vcpu)

/* Whoever runs uses its EC, also where no access tells. */
static bool runs(const struct ec *ec)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (interleave_cpus[n].ec == ec && ec != interleave_cpus[n].idle_ec)
			return true;
	return false;
}

void __real_ec_free(struct ec *ec);
void __wrap_ec_free(struct ec *ec);
void __wrap_ec_free(struct ec *ec)
{
	if (runs(ec))
		report_fail("an EC is freed while it runs");
	__real_ec_free(ec);
	memory_drain();
	memset((char *)ec + sizeof(u64), POISON, sizeof(*ec) - sizeof(u64));
}

void __real_sm_free(struct sm *sm);
void __wrap_sm_free(struct sm *sm);
void __wrap_sm_free(struct sm *sm)
{
	world_ends(sm);
	__real_sm_free(sm);
	memory_drain();
	memset((char *)sm + sizeof(u64), POISON, sizeof(*sm) - sizeof(u64));
}
