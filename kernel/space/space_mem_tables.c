/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of memory spaces: where they come from, and how they go. */
#include "space/space_mem.h"

#include "arch/memory.h"
#include "mm/page.h"
#include "space/pd.h"

enum ptab_format space_mem_guest_format = PTAB_EPT;
unsigned space_mem_guest_leaf_max = 2;

enum status space_mem_init(struct space_mem *m, struct account *account, u64 *root)
{
	unsigned leaf_max = arch_has_1g_pages() ? 2 : 1;
	m->lock = (struct spinlock){0};
	m->flushing = 0;
	m->dead.tables = NULL;
	ptab_init(&m->host, PTAB_HOST, leaf_max, account);
	ptab_init(&m->guest, space_mem_guest_format, (unsigned)min_u64(space_mem_guest_leaf_max, leaf_max), account);
	m->host.root = root;
	return root ? SUCCESS : OOM;
}

int space_mem_free_tables(struct space_mem *m, int units)
{
	units = ptab_gather_root(&m->host, &m->dead, units);
	units = ptab_gather_root(&m->guest, &m->dead, units);
	return ptab_gather_free(&m->dead, units);
}

static void free_root(struct ptab *pt)
{
	if (!pt->root)
		return;
	page_return_zeroed(pt->root);
	pt->root = NULL;
}

void space_mem_free(struct space_mem *m)
{
	free_root(&m->host);
	free_root(&m->guest);
}

bool space_mem_free_step(struct pd *pd)
{
	struct ptab_gather *dead = &pd->mem.dead;
	bool more;

	spin_lock(&pd->mem.lock);
	ptab_gather_free(dead, PTAB_GATHER_PIECE);
	more = dead->tables;
	spin_unlock(&pd->mem.lock);
	return more;
}

u64 *space_mem_guest_root(struct pd *pd)
{
	struct space_mem *m = &pd->mem;
	spin_lock(&m->lock);
	if (!m->guest.root)
		m->guest.root = page_take_zeroed(&pd->account);
	spin_unlock(&m->lock);
	return m->guest.root;
}
