/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few object spaces and objects, for the tests of object spaces. */
#pragma once

#include "host.h"
#include "space/mdb.h"
#include "space/pd.h"
#include "space/slot_table.h"

#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

#define HEAP (64 * MiB)
#define PDS 4
#define OBJECTS 24
#define CAPS_MAX 1500
#define SEL_LAST (HEDRON_SEL_NUM - 1)

static struct pd pds[PDS];

static unsigned gone[OBJECTS]; /* calls of kobject_caps_gone() since the object was made */

_Static_assert(sizeof(struct kobject) <= KOBJECT_ALIGN, "objects can be an array");
static struct {
	struct kobject o;
} aligned(KOBJECT_ALIGN) object[OBJECTS];

void kobject_caps_gone(struct kobject *o)
{
	assert_int_equal(o->caps, 0);
	__atomic_add_fetch(&gone[container_of(o, __typeof__(object[0]), o) - object], 1, __ATOMIC_RELAXED);
}

static inline struct kobject *fresh_object(unsigned i)
{
	memset(&object[i], 0, sizeof object[i]);
	object[i].o.type = KOBJ_SM;
	gone[i] = 0;
	return &object[i].o;
}

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	for (unsigned i = 0; i < PDS; i++) {
		pds[i].obj.refs = 1;
		assert_int_equal(space_obj_init(&pds[i].objs, &pds[i].account), SUCCESS);
	}
	for (unsigned i = 0; i < OBJECTS; i++)
		fresh_object(i);
	return 0;
}

static inline void destroy(struct pd *pd)
{
	space_obj_close(pd);
	host_revoke(pd, 0, SPACE_OBJ_ORDER, PERM_ALL, true);
}

/* With what is left in its slots. */
static inline void free_space(struct pd *pd)
{
	while (slot_table_free_below(pd->objs.pdpt, 1) <= 0)
		;
	space_obj_free(&pd->objs);
}

static inline cap_t cap_at(unsigned pd, u64 sel)
{
	const struct cap_slot *s = space_obj_slot(&pds[pd].objs, sel);
	return s ? s->cap : 0;
}

static inline void make(unsigned pd, u64 sel, unsigned i, unsigned perm)
{
	assert_int_equal(space_obj_insert_root(&pds[pd], sel, fresh_object(i), perm), SUCCESS);
}

static inline void give(unsigned src, u64 from, unsigned dst, u64 to, unsigned order, unsigned perm)
{
	assert_int_equal(host_delegate(&pds[src], from, &pds[dst], to, order, perm), SUCCESS);
}

#define T(name) cmocka_unit_test_setup(name, setup)
