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

/* What a walk has found: the rights are those that all levels give; the last entry, and what it was then. */
struct found {
	uint64_t gpa, rights, was;
	void *leaf;
	bool is_64;
};

/* ---- Entries: another processor of the guest may change one at any time, so each is read once. ---- */

/* Sets a bit in an entry that is still `*was`. If it is another one, that is `*was` then. */
static bool set_64(uint64_t *entry, uint64_t *was, uint64_t bit)
{
	uint64_t with = *was | bit;

	if ((*was & bit) == bit)
		return true;
	if (!__atomic_compare_exchange_n(entry, was, with, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	*was = with;
	return true;
}

static bool set_32(uint32_t *entry, uint32_t *was, uint32_t bit)
{
	uint32_t with = *was | bit;

	if ((*was & bit) == bit)
		return true;
	if (!__atomic_compare_exchange_n(entry, was, with, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	*was = with;
	return true;
}

/* An entry that is there, with those bits set in it. */
static bool take_64(uint64_t *entry, uint64_t bits, uint64_t *value)
{
	if (!entry)
		return false;
	*value = __atomic_load_n(entry, __ATOMIC_RELAXED);
	while (*value & PRESENT && !set_64(entry, value, bits))
		;
	return *value & PRESENT;
}

static bool take_32(uint32_t *entry, uint32_t *value)
{
	if (!entry)
		return false;
	*value = __atomic_load_n(entry, __ATOMIC_RELAXED);
	while (*value & PRESENT && !set_32(entry, value, ACCESSED))
		;
	return *value & PRESENT;
}

/* False: the last entry is not any more what the walk has found. */
static bool set_dirty(const struct found *f)
{
	uint64_t was = f->was;
	uint32_t was_32 = (uint32_t)f->was;

	return f->is_64 ? set_64(f->leaf, &was, DIRTY) : set_32(f->leaf, &was_32, DIRTY);
}

/* ---- Tables ---- */

/* Tables with entries of eight bytes: `levels` 3 or 4. The level-3 entries of PAE paging have no rights and no size.
 */
static bool find_64(uint64_t table, unsigned levels, uint64_t linear, walk_memory_fn *memory, const void *arg,
		    struct found *f)
{
	uint64_t value;

	for (unsigned level = levels; level; level--) {
		unsigned shift = PAGE_BITS + 9 * (level - 1);
		uint64_t *entry = memory(arg, table + (linear >> shift & 511) * 8, 8), offset = (1ul << shift) - 1;
		bool is_pdpte = level == 3 && levels == 3;

		if (!take_64(entry, is_pdpte ? 0 : ACCESSED, &value))
			return false;
		table = value & ADDRESS;
		if (is_pdpte)
			continue;
		f->rights &= value;
		if (level == 1 || (level <= 3 && value & LARGE)) {
			f->gpa = (table & ~offset) | (linear & offset);
			f->leaf = entry;
			f->was = value;
			f->is_64 = true;
			return true;
		}
	}
	return false;
}

/* Tables with entries of four bytes. Large pages may be above 4 GiB (PSE-36). */
static bool find_32(uint64_t table, bool large, uint32_t linear, walk_memory_fn *memory, const void *arg,
		    struct found *f)
{
	uint32_t *entry = memory(arg, table + (linear >> 22) * 4, 4), value;

	if (!take_32(entry, &value))
		return false;
	f->rights &= value;
	if (large && value & LARGE) {
		f->gpa = (value & 0xffc00000) | (uint64_t)(value >> 13 & 0xff) << 32 | (linear & 0x3fffff);
	} else {
		entry = memory(arg, (value & 0xfffff000) + (linear >> 12 & 1023) * 4, 4);
		if (!take_32(entry, &value))
			return false;
		f->rights &= value;
		f->gpa = (value & 0xfffff000) | (linear & 0xfff);
	}
	f->leaf = entry;
	f->was = value;
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
	struct found f;

	if (!(p->cr0 & CR0_PG)) {
		*gpa = (uint32_t)linear;
		return true;
	}
	do {
		f = (struct found){.rights = WRITABLE | USER};
		*error = access;
		if (!find(p, linear, memory, arg, &f))
			return false;
		*error |= WALK_FAULT_PRESENT;
		if (!allows(p, f.rights, access))
			return false;
	} while (access & WALK_WRITE && !set_dirty(&f));
	*gpa = f.gpa;
	return true;
}
