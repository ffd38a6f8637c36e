/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kp.h"

#include "core/pd.h"
#include "lib/bits.h"
#include "mm/buddy.h"
#include "mm/slab.h"

static struct slab_cache kp_cache;

void kp_init_cache(void) { slab_init(&kp_cache, "kp", align_up(sizeof(struct kp), KOBJECT_ALIGN), KOBJECT_ALIGN); }

enum status kp_create(struct kp **out)
{
	struct kp *kp = slab_alloc(&kp_cache);
	if (!kp)
		return OOM;
	*kp = (struct kp){.obj.type = KOBJ_KP, .page = buddy_alloc_zeroed()};
	if (!kp->page) {
		slab_free(&kp_cache, kp);
		return OOM;
	}
	*out = kp;
	return SUCCESS;
}

/* The mapping is claimed under the lock and made without it: flushing TLBs waits for other CPUs. */
static bool claim(struct kp *kp, struct pd *pd, u64 va)
{
	spin_lock(&kp->lock);
	bool free = !kp->pd;
	if (free) {
		kp->pd = pd;
		kp->va = va;
	}
	spin_unlock(&kp->lock);
	return free;
}

static struct pd *disclaim(struct kp *kp, u64 *va)
{
	spin_lock(&kp->lock);
	struct pd *pd = kp->pd;
	*va = kp->va;
	kp->pd = NULL;
	spin_unlock(&kp->lock);
	return pd;
}

enum status kp_map(struct kp *kp, struct pd *pd, u64 va)
{
	if (!kobject_get(&pd->obj))
		return BAD_CAP;
	if (!is_aligned(va, PAGE_SIZE) || va >= HEDRON_USER_END || !claim(kp, pd, va)) {
		kobject_unref(&pd->obj);
		return BAD_PAR;
	}
	enum status s = space_mem_map_kernel_page(pd, va, kp->page, SPACE_MEM_PRIVATE);
	if (s != SUCCESS) {
		disclaim(kp, &va);
		kobject_unref(&pd->obj);
	}
	return s;
}

enum status kp_unmap(struct kp *kp)
{
	u64 va;
	struct pd *pd = disclaim(kp, &va);
	if (!pd)
		return BAD_PAR;
	space_mem_unmap_kernel_page(pd, va, kp->page);
	kobject_unref(&pd->obj);
	return SUCCESS;
}

void kp_retire(struct kp *kp)
{
	if (kp_unmap(kp) != SUCCESS)
		return; /* was not mapped */
}

void kp_free(struct kp *kp)
{
	buddy_free(kp->page, 0);
	slab_free(&kp_cache, kp);
}
