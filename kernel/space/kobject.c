/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/kobject.h"

/* Its first byte, the type, is the low byte of its address, which is 0 because of the alignment. */
_Static_assert(offsetof(struct kobject, type) == 0 && KOBJ_NONE == 0, "of no kind");

aligned(256) const void *const kobject_nothing[KOBJECT_NOTHING_SIZE / sizeof(void *)] = {
	[0 ... KOBJECT_NOTHING_SIZE / sizeof(void *) - 1] = kobject_nothing,
};
