/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/walk.h"

#include <stddef.h>

enum {
	CR4_PSE = 1 << 4,
	CR4_PAE = 1 << 5,
	CR4_SMAP = 1 << 21,
	CR0_WP = 1 << 16,
	EFER_LMA = 1 << 10,
	RFLAGS_AC = 1 << 18
};
enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 1 << 5, DIRTY = 1 << 6, LARGE = 1 << 7, PAGE_BITS = 12 };
#define CR0_PG (1ul << 31)
#define ADDRESS 0x000ffffffffff000ul

/* What a walk has found: the rights are those that all levels give. */
struct found {
	uint64_t gpa, rights;
	void *leaf;
};

/* Tables with entries of eight bytes: `levels` 3 or 4. The level-3 entries of PAE paging have no rights and no size.
 */
static bool find_64(uint64_t table, unsigned levels, uint64_t linear, walk_memory_fn *memory, const void *arg,
		    struct found *f)
{
	for (unsigned level = levels; level; level--) {
		unsigned shift = PAGE_BITS + 9 * (level - 1);
		uint64_t *entry = memory(arg, table + (linear >> shift & 511) * 8, 8), offset = (1ul << shift) - 1;
		bool is_pdpte = level == 3 && levels == 3;

		if (!entry || !(*entry & PRESENT))
			return false;
		table = *entry & ADDRESS;
		if (is_pdpte)
			continue;
		f->rights &= *entry;
		*entry |= ACCESSED;
		if (level == 1 || (level <= 3 && *entry & LARGE)) {
			f->gpa = (table & ~offset) | (linear & offset);
			f->leaf = entry;
			return true;
		}
	}
	return false;
}

/* Tables with entries of four bytes. Large pages may be above 4 GiB (PSE-36). */
static bool find_32(uint64_t table, bool large, uint32_t linear, walk_memory_fn *memory, const void *arg,
		    struct found *f)
{
	uint32_t *entry = memory(arg, table + (linear >> 22) * 4, 4);

	if (!entry || !(*entry & PRESENT))
		return false;
	f->rights &= *entry;
	*entry |= ACCESSED;
	f->leaf = entry;
	if (large && *entry & LARGE) {
		f->gpa = (*entry & 0xffc00000) | (uint64_t)(*entry >> 13 & 0xff) << 32 | (linear & 0x3fffff);
		return true;
	}
	entry = memory(arg, (*entry & 0xfffff000) + (linear >> 12 & 1023) * 4, 4);
	if (!entry || !(*entry & PRESENT))
		return false;
	f->rights &= *entry;
	*entry |= ACCESSED;
	f->gpa = (*entry & 0xfffff000) | (linear & 0xfff);
	f->leaf = entry;
	return true;
}

static bool find(const struct walk_paging *p, uint64_t linear, walk_memory_fn *memory, const void *arg,
		 struct found *f)
{
	if (p->efer & EFER_LMA)
		return find_64(p->cr3 & ADDRESS, 4, linear, memory, arg, f);
	if (p->cr4 & CR4_PAE)
		return find_64(p->cr3 & 0xffffffe0, 3, (uint32_t)linear, memory, arg, f);
	return find_32(p->cr3 & 0xfffff000, p->cr4 & CR4_PSE, (uint32_t)linear, memory, arg, f);
}

/* SDM volume 3, 4.6.1. */
static bool allows(const struct walk_paging *p, uint64_t rights, unsigned access)
{
	if (access & WALK_USER)
		return rights & USER && (!(access & WALK_WRITE) || rights & WRITABLE);
	if (rights & USER && p->cr4 & CR4_SMAP && !(p->rflags & RFLAGS_AC))
		return false;
	return !(access & WALK_WRITE) || rights & WRITABLE || !(p->cr0 & CR0_WP);
}

bool walk(const struct walk_paging *p, uint64_t linear, unsigned access, walk_memory_fn *memory, const void *arg,
	  uint64_t *gpa, unsigned *error)
{
	struct found f = {.rights = WRITABLE | USER};

	if (!(p->cr0 & CR0_PG)) {
		*gpa = (uint32_t)linear;
		return true;
	}
	*error = access;
	if (!find(p, linear, memory, arg, &f))
		return false;
	*error |= WALK_FAULT_PRESENT;
	if (!allows(p, f.rights, access))
		return false;
	if (access & WALK_WRITE)
		*(uint8_t *)f.leaf |= DIRTY;
	*gpa = f.gpa;
	return true;
}
