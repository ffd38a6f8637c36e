/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One object whose capabilities are many: CPUs delegate them on and on, in chains and fans so long that a walk drops
 * the tree lock on the way (a lock break), revoke parts of it, and ask for translations. When a revocation has
 * returned nothing is left below, and in the end the counts agree.
 */
#include "mm/page.h"
#include "space/pd.h"

#include "stress.h"

#define CPUS 4
#define ROUNDS (150 * STRESS_SCALE) /* of each CPU */
#define LENGTH 1500                 /* of a chain or a fan: many pieces */
#define ROOT 1

static struct pd pds[CPUS + 1]; /* the last one has the object itself */
static struct {
	struct kobject o;
} aligned(KOBJECT_ALIGN) object;
static u32 gone;
static u32 taken; /* capabilities that others took away in the middle */

void kobject_caps_gone(struct kobject *o)
{
	must(o == &object.o);
	__atomic_add_fetch(&gone, 1, __ATOMIC_RELAXED);
}

static cap_t at(const struct pd *pd, u64 sel)
{
	const struct cap_slot *s = space_obj_slot(&pd->objs, sel);
	return s ? __atomic_load_n(&s->cap, __ATOMIC_ACQUIRE) : 0;
}

static void give(struct pd *from, u64 sel, struct pd *to, u64 to_sel)
{
	must(space_obj_delegate(from, sel, to, to_sel, 0, PERM_ALL) == SUCCESS);
}

/* From the object's own capability to slot 1, and from there to all others of this CPU's PD. */
static void grow(struct pd *own, struct pd *other, bool chain)
{
	give(&pds[CPUS], ROOT, own, 1);
	for (u64 i = 1; i < LENGTH; i++)
		give(own, chain ? i : 1, own, i + 1);
	give(own, LENGTH / 2, other, LENGTH + 1 + (u64)(own - pds)); /* out of its middle, for somebody else */
}

static void grow_and_cut(unsigned cpu, struct stress_random *r)
{
	struct pd *own = &pds[cpu];
	for (unsigned i = 0; i < ROUNDS; i++) {
		grow(own, &pds[stress_random(r, CPUS)], stress_random(r, 2));
		crd_t c = space_obj_translate(own, LENGTH, &pds[CPUS], block_make(0, 26));
		must(!c || crd_base(c) == ROOT);
		u64 from = 1 + stress_random(r, LENGTH);
		if (!at(own, from))
			__atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
		unsigned what = stress_random(r, 8);
		if (!what) /* all of everybody */
			host_revoke(&pds[CPUS], ROOT, 0, PERM_ALL, false);
		else if (what == 1) /* weaker, but all stay */
			host_revoke(own, 1, 0, PERM_SM_UP, true);
		host_revoke(own, from, 0, PERM_ALL, true);
		must(!at(own, from));
		host_revoke(own, 1, 0, PERM_ALL, true);
		for (u64 sel = 1; sel <= LENGTH; sel++)
			must(!at(own, sel));
	}
}

int main(void)
{
	host_reset(STRESS_HEAP);
	host_set_cpus(CPUS);
	for (unsigned i = 0; i <= CPUS; i++)
		pds[i].obj.refs = 1;
	for (unsigned i = 0; i <= CPUS; i++)
		must(space_obj_init(&pds[i].objs, &pds[i].account) == SUCCESS);
	object.o.type = KOBJ_SM;
	must(space_obj_insert_root(&pds[CPUS], ROOT, &object.o, PERM_ALL) == SUCCESS);
	stress_run((void (*const[])(unsigned, struct stress_random *)){grow_and_cut, grow_and_cut, grow_and_cut,
								       grow_and_cut, NULL});
	host_revoke(&pds[CPUS], ROOT, 0, PERM_ALL, false);
	must(object.o.caps == 1 && !gone && !spin_is_locked(&object.o.lock));
	for (unsigned i = 0; i < CPUS; i++)
		for (u64 sel = 0; sel < 2 * LENGTH; sel++)
			must(!at(&pds[i], sel));
	host_revoke(&pds[CPUS], ROOT, 0, PERM_ALL, true);
	must(gone == 1);
	printf("capabilities: %u were revoked by another CPU first\n", taken);
	return 0;
}
