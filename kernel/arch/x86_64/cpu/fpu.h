/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state (x87, SSE, AVX, AVX-512), switched eagerly but only where it is in use: XGETBV(1) tells which
 * components are not in their initial configuration. CR0.TS is never set, so no other EC's state can be read
 * speculatively. On CPUs without XGETBV(1) the same instruction reads XCR0 (index 0), so all components count as in
 * use. XINUSE does not cover MXCSR, which is compared. Manual: SDM vol. 1, 13.6 (XINUSE), 13.8 (XRSTOR), 13.9
 * (XSAVEOPT).
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "lib/types.h"

#define FCW_INIT 0x37f
#define MXCSR_INIT 0x1f80

/* Legacy region and XSAVE header; a header of zeroes means "everything initial". SDM vol. 1, 13.4. */
#define XSAVE_FCW 0
#define XSAVE_MXCSR 24
#define XSAVE_HEADER 512
#define XSAVE_HEADER_SIZE 64

extern u32 fpu_inuse_index; /* 1 if the CPU has XGETBV(1), else 0 */

void fpu_setup(void);
void fpu_save(struct ec *ec);

/* Store the extended state to an image that is not an EC's, and load it from one. False: the CPU refuses the image,
 * and its state is as it was. */
void fpu_save_image(void *image);
bool fpu_load_image(const void *image) must_check;

/* The XSAVE image of the initial state. */
extern const u8 fpu_initial[];

/*
 * Switches with something to save (and to load), and with something to load only. They return `to`, so that on the
 * fast path they are jumps at the end. While an EC runs its fpu_load is fpu_initial: then nothing has to be stored if
 * it stops in the initial state.
 */
struct ec *fpu_save_and_load(struct ec *from, struct ec *to);
struct ec *fpu_load(struct ec *to);

/* Whether a component is not in its initial configuration. */
static always_inline bool fpu_components_in_use(void)
{
	u32 inuse, high;
	__asm__ volatile("xgetbv" : "=a"(inuse), "=d"(high) : "c"(fpu_inuse_index));
	return inuse;
}

static always_inline bool fpu_mxcsr_changed(struct cpu *cpu)
{
	__asm__ volatile("stmxcsr %0" : "=m"(cpu->mxcsr));
	return cpu->mxcsr != MXCSR_INIT;
}

static always_inline struct ec *fpu_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	if (unlikely(fpu_components_in_use()) || unlikely(fpu_mxcsr_changed(cpu)))
		return fpu_save_and_load(from, to);
	if (unlikely(to->fpu_load != fpu_initial))
		return fpu_load(to);
	return to;
}
