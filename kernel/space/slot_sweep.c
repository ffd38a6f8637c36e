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

/* How many slots from the first on are free, up to one that is not. */
static unsigned free_slots_locked(const struct page *p)
{
	const struct cap_slot *s = buddy_page_virt(p);
	unsigned n = 0;

	while (n < CAP_SLOTS_PER_PAGE && slot_is_free_locked(&s[n]))
		n++;
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

void slot_sweep_locked(struct pd *pd, unsigned slots)
{
	struct list empty, *last = pd->objs.pages.prev;

	list_init(&empty);
	for (unsigned looked = 0; looked < slots && !list_empty(&pd->objs.pages);) {
		struct page *p = list_first(&pd->objs.pages, struct page, link);
		bool end = &p->link == last;
		unsigned n = free_slots_locked(p);

		list_unlink(&p->link);
		if (n == CAP_SLOTS_PER_PAGE)
			slot_table_unhook(pd->objs.pdpt, pd, p->index, &empty);
		list_push_tail(n == CAP_SLOTS_PER_PAGE ? &empty : &pd->objs.pages, &p->link);
		looked += n < CAP_SLOTS_PER_PAGE ? n + CAP_SLOTS_PER_PAGE / 16 : n; /* a page costs something, too */
		if (end)
			break;
	}
	free_later_locked(pd, &empty);
}

void slot_sweep(struct pd *pd, unsigned slots)
{
	spin_lock(&pd->objs.lock);
	slot_sweep_locked(pd, slots);
	spin_unlock(&pd->objs.lock);
}
