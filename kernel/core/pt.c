/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pt.h"

#include "arch/switch.h"
#include "core/ec.h"
#include "mm/slab.h"
#include "space/pd.h"

static struct slab_cache pt_cache;

void pt_init_cache(void)
{
	slab_init(&pt_cache, "pt", align_up(sizeof(struct pt), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status pt_create(struct pd *parent, struct ec *ec, u64 rip, u64 mtd, struct pt **out)
{
	struct pt *pt = slab_take(&pt_cache, &parent->account);
	if (!pt)
		return OOM;
	if (!kobject_get(&ec->obj)) {
		slab_return(&pt_cache, pt, &parent->account);
		return BAD_CAP;
	}
	kobject_init(&pt->obj, KOBJ_PT, &parent->account);
	pt->ec = ec;
	pt->rip = rip;
	pt->mtd = mtd;
	pt->id = 0;
	pt->callee = arch_is_canonical(rip) ? ec : (struct ec *)kobject_nothing;
	*out = pt;
	return SUCCESS;
}

void pt_free(struct pt *pt)
{
	slab_return(&pt_cache, pt, account_named(pt->obj.account));
}
