/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/fpu.h"

#include "arch_switch.h"
#include "cpu/cpu.h"
#include "lib/string.h"

u32 fpu_inuse_index;

/* Legacy region and XSAVE header; a header of zeroes means "everything initial". SDM vol. 1, 13.4. */
#define XSAVE_FCW	  0
#define XSAVE_MXCSR	  24
#define XSAVE_HEADER	  512
#define XSAVE_HEADER_SIZE 64

static aligned(64) u8 fpu_initial[XSAVE_HEADER + XSAVE_HEADER_SIZE];

void fpu_setup(void)
{
	fpu_inuse_index = cpu_features.xgetbv1;
	arch_fpu_init(fpu_initial);
}

void arch_fpu_init(void *area)
{
	memset(area, 0, XSAVE_HEADER + XSAVE_HEADER_SIZE);
	*(u16 *)((u8 *)area + XSAVE_FCW) = 0x37f;
	*(u32 *)((u8 *)area + XSAVE_MXCSR) = MXCSR_INIT;
}

static always_inline void xsave(void *area, u32 mask)
{
	if (likely(cpu_features.xsaveopt))
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(mask), "d"(0) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(mask), "d"(0) : "memory");
}

static always_inline void xrstor(const void *area, u32 mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(mask), "d"(0) : "memory");
}

void fpu_save(struct ec *ec)
{
	xsave(ec->fpu, cpu_features.xcr0);
	ec->fpu_saved = true;
}

/* While an EC runs its fpu_saved is false: a state that is initial needs no saving. */
struct ec *fpu_switch_slow(struct ec *from, struct ec *to, u32 in_use)
{
	u32 mask = cpu_features.xcr0;
	if (likely(in_use)) {
		xsave(from->fpu, mask);
		from->fpu_saved = true;
	}
	const void *area = to->fpu_saved ? to->fpu : fpu_initial;
	to->fpu_saved = false;
	xrstor(area, mask);
	return to;
}
