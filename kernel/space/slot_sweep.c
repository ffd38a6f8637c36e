/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/slot_sweep.h"

#include "arch/space.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/slot.h"
#include "space/slot_table.h"

static void free_page(struct work *w)
{
	struct page *p = container_of(w, struct page, work);
	struct pd *pd = p->owner;

	page_free(buddy_page_virt(p));
	account_give(&pd->account, PAGE_SIZE);
}

/* So many slots are looked at together, without a branch for each: about three instructions a slot. A page costs as
 * much as some slots. */
#define GROUP 8
#define PAGE_COST 16
/* Pages that are too many to be freed together with the tables. */
#define MANY 8
_Static_assert(CAP_SLOTS_PER_PAGE % GROUP == 0, "a page is whole groups");

/* slot_is_free_locked() of all of a group, in the same order: words before parents. */
static always_inline bool group_is_free_locked(const struct cap_slot *s)
{
	u64 used = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < GROUP; i++)
		used |= __atomic_load_n(&s[i].cap, __ATOMIC_ACQUIRE);
	if (used)
		return false; /* parents change meanwhile */
#pragma GCC unroll 8
	for (unsigned i = 0; i < GROUP; i++)
		used |= (u64)s[i].node.parent;
	return !used;
}

/* How many slots were looked at: those of the first group in which one is used come last. */
static unsigned look_locked(const struct page *p, bool *empty)
{
	const struct cap_slot *s = buddy_page_virt(p);
	unsigned n = 0;

	do {
		*empty = group_is_free_locked(&s[n]);
		n += GROUP;
	} while (*empty && n < CAP_SLOTS_PER_PAGE);
	return n;
}

/* Of pages that have been taken out, by `link`; the PD's TLB entries go first. */
static void free_later_locked(struct pd *pd, struct list *empty)
{
	if (list_empty(empty))
		return;
	arch_tlb_flush(pd, 0, PTAB_ORDER_MAX);
	while (!list_empty(empty)) {
		struct page *p = list_first(empty, struct page, link);
		list_unlink(&p->link);
		kobject_call_later(&p->work, free_page);
	}
}

/* To the end of the queue, or into `gone`; what it cost. */
static unsigned sweep_page_locked(struct pd *pd, struct page *p, struct list *gone)
{
	bool empty;
	unsigned looked = look_locked(p, &empty);

	list_unlink(&p->link);
	list_push_tail(empty ? gone : &pd->objs.pages, &p->link);
	if (!empty)
		return looked + PAGE_COST;
	pd->objs.num_pages--;
	slot_table_unhook(pd->objs.pdpt, pd, p->index, gone);
	return looked;
}

/* Returns the number of pages. */
static u32 sweep_first_locked(struct pd *pd, unsigned slots, struct list *gone)
{
	const struct list *last = pd->objs.pages.prev;
	u32 pages = 0;

	for (unsigned looked = 0; looked < slots && !list_empty(&pd->objs.pages);) {
		struct page *p = list_first(&pd->objs.pages, struct page, link);
		bool end = &p->link == last;

		looked += sweep_page_locked(pd, p, gone);
		pages++;
		if (end)
			break;
	}
	return pages;
}

bool slot_sweep_locked(struct pd *pd, unsigned slots)
{
	struct list gone;

	list_init(&gone);
	(void)sweep_first_locked(pd, slots, &gone);
	bool some = !list_empty(&gone);
	free_later_locked(pd, &gone);
	return some;
}

void slot_sweep_pages(struct pd *pd, const u32 *pages, unsigned num)
{
	struct list gone;

	list_init(&gone);
	spin_lock(&pd->objs.lock);
	for (unsigned n = 0; n < num; n++) {
		struct cap_slot *s = slot_table_find(pd->objs.pdpt, (u64)pages[n] * CAP_SLOTS_PER_PAGE);
		if (s)
			(void)sweep_page_locked(pd, buddy_page(s), &gone);
	}
	(void)sweep_first_locked(pd, 1, &gone);
	free_later_locked(pd, &gone);
	spin_unlock(&pd->objs.lock);
}

u32 slot_sweep_num(struct pd *pd)
{
	return READ_ONCE(pd->objs.num_pages);
}

u32 slot_sweep(struct pd *pd, unsigned slots, bool *found)
{
	struct list gone;

	list_init(&gone);
	spin_lock(&pd->objs.lock);
	u32 pages = sweep_first_locked(pd, slots, &gone);
	*found |= !list_empty(&gone);
	free_later_locked(pd, &gone);
	spin_unlock(&pd->objs.lock);
	return pages;
}

static bool has_many_locked(const struct list *pages)
{
	const struct list *l = pages->next;

	for (unsigned n = 0; n < MANY; n++, l = l->next)
		if (l == pages)
			return false;
	return true;
}

bool slot_sweep_closed(struct pd *pd)
{
	spin_lock(&pd->objs.lock);
	/* Slots that somebody has reserved keep their pages for now: these go with the tables. */
	bool some = has_many_locked(&pd->objs.pages) && slot_sweep_locked(pd, CAP_SLOTS_PER_PAGE * (MANY / 2));
	spin_unlock(&pd->objs.lock);
	return some;
}
