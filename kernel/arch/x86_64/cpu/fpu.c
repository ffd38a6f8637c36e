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

const u8 fpu_initial[XSAVE_HEADER + XSAVE_HEADER_SIZE] aligned(64) = {
	[XSAVE_FCW] = 0x7f,
	[XSAVE_FCW + 1] = 0x03,
	[XSAVE_MXCSR] = MXCSR_INIT & 0xff,
	[XSAVE_MXCSR + 1] = MXCSR_INIT >> 8,
};

void fpu_setup(void) { fpu_inuse_index = cpu_features.xgetbv1; }

/* XSAVE writes only the components in use: the rest of the area must not hold anybody else's data. */
void arch_fpu_init(struct ec *ec)
{
	memcpy(ec->fpu, fpu_initial, sizeof(fpu_initial));
	ec->fpu_load = fpu_initial;
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
	ec->fpu_load = ec->fpu;
}

struct ec *fpu_save_and_load(struct ec *from, struct ec *to)
{
	u32 mask = cpu_features.xcr0;
	void *area = from->fpu;

	xsave(area, mask);
	from->fpu_load = area;
	const void *load = to->fpu_load;
	to->fpu_load = fpu_initial;
	xrstor(load, mask);
	return to;
}

struct ec *fpu_load(struct ec *to)
{
	const void *load = to->fpu_load;
	to->fpu_load = fpu_initial;
	xrstor(load, cpu_features.xcr0);
	return to;
}
