/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pd.h"

#include "arch/space.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "space/slot_sweep.h"
#include "space/slot_table.h"

struct pd pd_kernel = {.obj = {.type = KOBJ_PD, .refs = 1}}; /* that reference stays */

static struct slab_cache pd_cache;

/* The account was the last that was in use of the PD. */
static void forget(struct account *a)
{
	slab_free(&pd_cache, container_of(a, struct pd, account));
}

void pd_init_cache(void)
{
	slab_init(&pd_cache, "pd", align_up(sizeof(struct pd), KOBJECT_ALIGN), KOBJECT_ALIGN);
	account_gone = forget;
	account_init(&pd_kernel.account, page_free_count() * PAGE_SIZE);
}

/* All of it is zero, which is an empty port space. */
static enum status init_spaces(struct pd *pd)
{
	if (space_mem_init(&pd->mem, &pd->account, page_take_zeroed(&pd->account)) != SUCCESS)
		return OOM;
	if (space_obj_init(&pd->objs, &pd->account) == SUCCESS) {
		arch_pd_init(pd);
		return SUCCESS;
	}
	space_mem_free(&pd->mem);
	return OOM;
}

enum status pd_create(struct pd *creator, bool passthrough, struct pd **out)
{
	struct pd *pd = slab_alloc(&pd_cache);
	if (!pd)
		return OOM;
	memset(pd, 0, offsetof(struct pd, cr3));
	pd->obj.type = KOBJ_PD;
	pd->passthrough = passthrough;
	account_open(&pd->account, &creator->account);
	if (!account_take(&pd->account, pd_cache.size)) {
		account_close(&pd->account, 0);
		return OOM;
	}
	if (init_spaces(pd) != SUCCESS) {
		account_close(&pd->account, pd_cache.size);
		return OOM;
	}
	*out = pd;
	return SUCCESS;
}

/* False: it holds nothing, so pd_close() is through with it at once, and `closing` is never looked at. */
static always_inline bool begin_to_close(struct pd *pd)
{
	space_obj_close(pd);
	if (space_obj_is_empty(&pd->objs))
		return false;
	space_obj_revoke_begin(&pd->closing, pd, 0, SPACE_OBJ_ORDER, PERM_ALL, true);
	return true;
}

/* Objects, the pages that they were in, ports. */
bool pd_close(struct pd *pd)
{
	if (!pd->pio.closed) {
		if ((pd->objs.closed || begin_to_close(pd)) && space_obj_revoke_step(&pd->closing))
			return false;
		if (!list_empty(&pd->objs.pages) && slot_sweep_closed(pd))
			return false;
	}
	return space_pio_close(pd);
}

/* The processor never accesses the page itself: accesses to its address become accesses to the virtual APIC (SDM vol.
 * 3, 30.4). */
void *pd_access_page(struct pd *pd)
{
	spin_lock(&pd->access_lock);
	if (!pd->access_page)
		pd->access_page = page_take_zeroed(&pd->account);
	spin_unlock(&pd->access_lock);
	return pd->access_page;
}

enum status pd_map_access_page(struct pd *pd, u64 gpa)
{
	void *page = pd_access_page(pd);
	return page ? space_mem_map_guest_page(pd, gpa, page) : OOM;
}

/* What a piece may cost; a unit is about ten instructions. */
#define FREE_PIECE 300

static always_inline bool has_tables(const struct pd *pd)
{
	return space_mem_has_tables(&pd->mem) || slot_table_is_used(pd->objs.pdpt);
}

static noinline bool free_tables(struct pd *pd)
{
	int left = space_mem_free_tables(&pd->mem, FREE_PIECE);

	return slot_table_free_below(pd->objs.pdpt, left) > 0;
}

bool pd_free(struct pd *pd)
{
	if (unlikely(has_tables(pd)) && !free_tables(pd))
		return false;
	if (pd->access_page)
		page_return(pd->access_page);
	arch_pd_free(pd);
	space_mem_free(&pd->mem);
	space_obj_free(&pd->objs);
	space_pio_free(&pd->pio);
	account_close(&pd->account, pd_cache.size);
	return true;
}
