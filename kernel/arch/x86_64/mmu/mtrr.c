/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory types as the MTRRs have them. Manual: SDM vol. 3, 12.11 (MTRRs), 12.11.4.1 (precedence of overlapping
 * ranges), 12.11.8 (changing them).
 */
#include "mmu/mtrr.h"

#include "arch/memory.h"
#include "cpu/cpu.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/layout.h"
#include "platform/console.h"

#define MSR_MTRR_CAP 0xfe
#define MSR_MTRR_BASE(n) (0x200 + 2 * (n))
#define MSR_MTRR_MASK(n) (0x201 + 2 * (n))
#define MSR_MTRR_DEF_TYPE 0x2ff

#define DEF_TYPE_ENABLE (1u << 11)
#define DEF_TYPE_FIXED_ENABLE (1u << 10)
#define MASK_VALID (1u << 11)
#define CAP_FIXED (1u << 8)
#define FIXED_END (1 * MiB)

/* The fixed-range registers: each has eight types, one byte per block. */
static const struct fixed_range {
	u32 msr, base, block;
} fixed_ranges[] = {
	{0x250, 0x00000, 0x10000}, {0x258, 0x80000, 0x4000}, {0x259, 0xa0000, 0x4000}, {0x268, 0xc0000, 0x1000},
	{0x269, 0xc8000, 0x1000},  {0x26a, 0xd0000, 0x1000}, {0x26b, 0xd8000, 0x1000}, {0x26c, 0xe0000, 0x1000},
	{0x26d, 0xe8000, 0x1000},  {0x26e, 0xf0000, 0x1000}, {0x26f, 0xf8000, 0x1000},
};

static u8 fixed_type(u64 pa, u64 *until)
{
	const struct fixed_range *r = fixed_ranges;
	while (pa >= r->base + 8ull * r->block)
		r++;
	unsigned n = (unsigned)((pa - r->base) / r->block);
	*until = r->base + (n + 1ull) * r->block;
	return (u8)(msr_read(r->msr) >> 8 * n);
}

/* UC beats all, WT beats WB; other mixtures are undefined: the stricter UC then. */
static u8 combine(u8 a, u8 b)
{
	if (a == b)
		return a;
	return (a == MEM_WT && b == MEM_WB) || (a == MEM_WB && b == MEM_WT) ? MEM_WT : MEM_UC;
}

/* The mask of variable range n, as it should be; 0: the range is not in use. Some firmware takes the CPU for one with
 * fewer address bits, and leaves the upper ones out: a hole there is none. */
static u64 variable_mask(unsigned n, bool *repaired)
{
	u64 limit = bits_low(cpu_features.phys_bits), m = msr_read(MSR_MTRR_MASK(n)),
	    address = m & limit & ~PAGE_MASK;

	*repaired = address && !(address & (limit + 1) / 2);
	if (!(m & MASK_VALID))
		return 0;
	if (*repaired)
		address |= limit & ~bits_low(bit_highest(address));
	return address | MASK_VALID;
}

/* Reads variable range n and returns its size; 0: it is not in use. Masks with holes are legal, but no firmware is
 * known to use them; such a range is left out. */
static u64 variable_range(unsigned n, u64 *base, u8 *type)
{
	bool repaired;
	u64 limit = bits_low(cpu_features.phys_bits), b = msr_read(MSR_MTRR_BASE(n)), m = variable_mask(n, &repaired);

	if (!m)
		return 0;
	m &= ~PAGE_MASK;
	u64 size = m ? m & -m : limit + 1;
	if (m + size != limit + 1)
		return 0;
	*base = b & m;
	*type = (u8)b;
	return size;
}

static u8 variable_type(u64 pa, unsigned count, u8 default_type, u64 *until)
{
	bool found = false;
	u8 type = default_type, t;

	for (unsigned i = 0; i < count; i++) {
		u64 base, size = variable_range(i, &base, &t);
		if (!size || pa >= base + size)
			continue;
		*until = min_u64(*until, pa < base ? base : base + size);
		if (pa < base)
			continue;
		type = found ? combine(type, t) : t;
		found = true;
	}
	return type;
}

u8 arch_mem_type(paddr_t pa, u64 size, u64 *same_until)
{
	u64 end = pa.v + size, cap, def;
	u8 type = MEM_WB;

	*same_until = end;
	if (!(cpuid(1, 0).edx & 1u << 12) || !msr_read_safe(MSR_MTRR_CAP, &cap) ||
	    !msr_read_safe(MSR_MTRR_DEF_TYPE, &def))
		return type;
	if (!(def & DEF_TYPE_ENABLE))
		return MEM_UC;
	if (pa.v < FIXED_END && (cap & CAP_FIXED) && (def & DEF_TYPE_FIXED_ENABLE))
		type = fixed_type(pa.v, same_until);
	else
		type = variable_type(pa.v, cap & 0xff, (u8)def, same_until);
	*same_until = min_u64(*same_until, end);
	return type;
}

static bool has_mtrrs(u64 *cap)
{
	return cpuid(1, 0).edx & 1u << 12 && msr_read_safe(MSR_MTRR_CAP, cap);
}

void mtrr_check(void)
{
	u64 cap;
	bool repaired;

	if (!has_mtrrs(&cap))
		return;
	for (unsigned i = 0; i < (cap & 0xff); i++)
		if (variable_mask(i, &repaired) && repaired)
			log_warn("MTRR: range %u at %#llx has a mask for fewer address bits than %u, taken for what "
				 "it "
				 "should be",
				 i, msr_read(MSR_MTRR_BASE(i)) & ~PAGE_MASK, cpu_features.phys_bits);
}

void mtrr_save(struct mtrr_state *s)
{
	u64 cap;

	*s = (struct mtrr_state){0};
	if (!has_mtrrs(&cap))
		return;
	s->def_type = msr_read(MSR_MTRR_DEF_TYPE);
	s->fixed_count = cap & CAP_FIXED ? array_size(fixed_ranges) : 0;
	s->variable_count = (u32)min_u64(cap & 0xff, MTRR_VARIABLE_MAX);
	for (u32 i = 0; i < s->fixed_count; i++)
		s->fixed[i] = msr_read(fixed_ranges[i].msr);
	for (u32 i = 0; i < s->variable_count; i++) {
		s->base[i] = msr_read(MSR_MTRR_BASE(i));
		s->mask[i] = msr_read(MSR_MTRR_MASK(i));
	}
}

static void write_all(const struct mtrr_state *s)
{
	msr_write(MSR_MTRR_DEF_TYPE, s->def_type & ~(u64)DEF_TYPE_ENABLE);
	for (u32 i = 0; i < s->fixed_count; i++)
		msr_write(fixed_ranges[i].msr, s->fixed[i]);
	for (u32 i = 0; i < s->variable_count; i++) {
		msr_write(MSR_MTRR_BASE(i), s->base[i]);
		msr_write(MSR_MTRR_MASK(i), s->mask[i]);
	}
	wbinvd();
	msr_write(MSR_MTRR_DEF_TYPE, s->def_type);
}

/* The order of 12.11.8: caches off and empty, TLB empty; the same again before they go on. */
void mtrr_restore(const struct mtrr_state *s)
{
	struct mtrr_state now;

	mtrr_save(&now);
	if (!memcmp(s, &now, sizeof(now)))
		return;
	u64 cr0 = cr0_read(), cr4 = cr4_read();
	cr0_write((cr0 | CR0_CD) & ~CR0_NW);
	wbinvd();
	cr4_write(cr4 & ~CR4_PGE);
	cr3_write(cr3_read());
	write_all(s);
	cr3_write(cr3_read());
	cr0_write(cr0);
	cr4_write(cr4);
}
