/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ec.h"
#include "core/kobject.h"
#include "core/kp.h"
#include "core/pt.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "space/pd.h"

#define IS_LARGE_ENOUGH(type) _Static_assert(sizeof(type) <= KOBJECT_NOTHING_SIZE, "all of it can be looked at")
IS_LARGE_ENOUGH(struct pd);
IS_LARGE_ENOUGH(struct ec);
IS_LARGE_ENOUGH(struct sc);
IS_LARGE_ENOUGH(struct pt);
IS_LARGE_ENOUGH(struct sm);
IS_LARGE_ENOUGH(struct kp);
IS_LARGE_ENOUGH(struct vcpu);

/* The type is the low byte of the address. */
_Static_assert(offsetof(struct kobject, type) == 0 && KOBJ_NONE == 0, "of no kind");

aligned(256) const void *const kobject_nothing[KOBJECT_NOTHING_SIZE / sizeof(void *)] = {
	[0 ... KOBJECT_NOTHING_SIZE / sizeof(void *) - 1] = kobject_nothing,
};
