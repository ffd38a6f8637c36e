/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freed objects are filled with nonsense, so that whoever still uses one notices (ld's --wrap). The first word is the
 * allocator's then.
 */
#include "core/ec.h"
#include "core/pt.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "memory.h"
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
WRAP(ec_free, ec)
WRAP(pt_free, pt)
WRAP(sc_free, sc)
WRAP(vcpu_free, vcpu)

void __real_sm_free(struct sm *sm);
void __wrap_sm_free(struct sm *sm);
void __wrap_sm_free(struct sm *sm)
{
	world_ends(sm);
	__real_sm_free(sm);
	memory_drain();
	memset((char *)sm + sizeof(u64), POISON, sizeof(*sm) - sizeof(u64));
}
