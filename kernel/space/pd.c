/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pd.h"

#include "arch/space.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"

struct pd pd_kernel = {.obj.type = KOBJ_PD};

static struct slab_cache pd_cache;

void pd_init_cache(void)
{
	slab_init(&pd_cache, "pd", align_up(sizeof(struct pd), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

static enum status init_spaces(struct pd *pd)
{
	space_pio_init(&pd->pio);
	if (space_mem_init(&pd->mem, page_alloc_zeroed()) != SUCCESS)
		return OOM;
	if (space_obj_init(&pd->objs) == SUCCESS) {
		arch_pd_init(pd);
		return SUCCESS;
	}
	space_mem_destroy(&pd->mem);
	return OOM;
}

enum status pd_create(bool passthrough, struct pd **out)
{
	struct pd *pd = slab_alloc(&pd_cache);
	if (!pd)
		return OOM;
	memset(pd, 0, offsetof(struct pd, cr3));
	pd->obj.type = KOBJ_PD;
	pd->passthrough = passthrough;
	if (init_spaces(pd) != SUCCESS) {
		slab_free(&pd_cache, pd);
		return OOM;
	}
	*out = pd;
	return SUCCESS;
}

void pd_close(struct pd *pd)
{
	space_obj_destroy(pd);
	space_pio_destroy(pd);
}

/* The processor never accesses the page itself: accesses to its address become accesses to the virtual APIC (SDM vol.
 * 3, 30.4). */
void *pd_access_page(struct pd *pd)
{
	spin_lock(&pd->access_lock);
	if (!pd->access_page)
		pd->access_page = page_alloc_zeroed();
	spin_unlock(&pd->access_lock);
	return pd->access_page;
}

enum status pd_map_access_page(struct pd *pd, u64 gpa)
{
	void *page = pd_access_page(pd);
	return page ? space_mem_map_guest_page(pd, gpa, page) : OOM;
}

void pd_free(struct pd *pd)
{
	if (pd->access_page)
		page_free(pd->access_page);
	arch_pd_free(pd);
	space_mem_destroy(&pd->mem);
	space_obj_free(&pd->objs);
	space_pio_free(&pd->pio);
	slab_free(&pd_cache, pd);
}
