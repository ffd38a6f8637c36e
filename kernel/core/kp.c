/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kp.h"

#include "lib/bits.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "platform/panic.h"
#include "space/pd.h"

static struct slab_cache kp_cache;

void kp_init_cache(void)
{
	slab_init(&kp_cache, "kp", align_up(sizeof(struct kp), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status kp_create(struct pd *parent, struct kp **out)
{
	struct kp *kp = slab_take(&kp_cache, &parent->account);
	if (!kp)
		return OOM;
	*kp = (struct kp){.obj.type = KOBJ_KP, .page = page_take_zeroed(&parent->account)};
	kp->obj.account = account_name(&parent->account);
	if (!kp->page) {
		slab_return(&kp_cache, kp, &parent->account);
		return OOM;
	}
	*out = kp;
	return SUCCESS;
}

static bool change_state(struct kp *kp, enum kp_state from, enum kp_state to)
{
	spin_lock(&kp->lock);
	bool ok = kp->state == from;
	if (ok)
		kp->state = to;
	spin_unlock(&kp->lock);
	return ok;
}

/* The caller has made the state KP_BUSY. */
static enum status map_busy(struct kp *kp, struct pd *pd, u64 va)
{
	enum status s = space_mem_map_kernel_page(pd, va, kp->page, SPACE_MEM_PRIVATE);
	if (s == SUCCESS) {
		kobject_ref(&pd->obj);
		kp->pd = pd;
		kp->va = va;
	}
	change_state(kp, KP_BUSY, s == SUCCESS ? KP_MAPPED : KP_UNMAPPED);
	return s;
}

/* Capabilities of both objects may be revoked at this moment. References keep the objects from being dismantled
 * while the tables change, which includes waiting for other CPUs. */
enum status kp_map(struct kp *kp, struct pd *pd, u64 va)
{
	enum status s = BAD_PAR;

	if (!kobject_get(&kp->obj))
		return BAD_CAP;
	if (!kobject_get(&pd->obj)) {
		kobject_unref(&kp->obj);
		return BAD_CAP;
	}
	if (is_aligned(va, PAGE_SIZE) && va < HEDRON_USER_END && change_state(kp, KP_UNMAPPED, KP_BUSY))
		s = map_busy(kp, pd, va);
	kobject_unref(&pd->obj);
	kobject_unref(&kp->obj);
	return s;
}

static enum status unmap_held(struct kp *kp)
{
	if (!change_state(kp, KP_MAPPED, KP_BUSY))
		return BAD_PAR;
	struct pd *pd = kp->pd;
	space_mem_unmap_kernel_page(pd, kp->va, kp->page);
	change_state(kp, KP_BUSY, KP_UNMAPPED);
	kobject_unref(&pd->obj);
	return SUCCESS;
}

enum status kp_unmap(struct kp *kp)
{
	if (!kobject_get(&kp->obj))
		return BAD_CAP;
	enum status s = unmap_held(kp);
	kobject_unref(&kp->obj);
	return s;
}

/* The state is read without the lock: whoever maps or unmaps holds a reference, and there is none left. */
void kp_retire(struct kp *kp)
{
	enum status s = kp->state == KP_UNMAPPED ? SUCCESS : unmap_held(kp);
	kassert(s == SUCCESS);
}

void kp_free(struct kp *kp)
{
	page_return(kp->page);
	slab_return(&kp_cache, kp, account_named(kp->obj.account));
}
