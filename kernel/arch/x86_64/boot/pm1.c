/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/pm1.h"

#include "mmu/kspace.h"

enum { SPACE_MEMORY = 0, SPACE_IO = 1 };

#define TYPE_SHIFT 10
#define TYPE_MASK (7u << TYPE_SHIFT)

bool pm1_usable(const struct hip_gas *block)
{
	u64 a = block->addr;
	if (!a || block->bits < 16)
		return false;
	return block->space == SPACE_IO ? a < 0xffff : block->space == SPACE_MEMORY && !(a & 1) && !(a >> 52);
}

static volatile u16 *open(const struct hip_gas *block)
{
	return kspace_window_open(paddr(block->addr), KPTE_RW | KPTE_PCD | KPTE_PWT);
}

u16 pm1_read(const struct hip_gas *block)
{
	u16 v;
	if (block->space == SPACE_IO) {
		__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"((u16)block->addr));
		return v;
	}
	v = *open(block);
	kspace_window_close();
	return v;
}

void pm1_write(const struct hip_gas *block, u16 v)
{
	if (block->space == SPACE_IO) {
		__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"((u16)block->addr) : "memory");
		return;
	}
	*open(block) = v;
	kspace_window_close();
}

u16 pm1_with_type(u16 v, unsigned type)
{
	return (u16)((v & ~(TYPE_MASK | PM1_SLEEP)) | type << TYPE_SHIFT);
}
