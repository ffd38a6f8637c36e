/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/fpu.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "cpu/cpu.h"
#include "lib/string.h"

u32 fpu_inuse_index;

const u8 fpu_initial[XSAVE_HEADER + XSAVE_HEADER_SIZE] aligned(64) = {
	[XSAVE_FCW] = FCW_INIT & 0xff,
	[XSAVE_FCW + 1] = FCW_INIT >> 8,
	[XSAVE_MXCSR] = MXCSR_INIT & 0xff,
	[XSAVE_MXCSR + 1] = MXCSR_INIT >> 8,
};

/* The addresses of all XSAVEOPT instructions (xsave() below) and XRSTOR instructions (xrstor()), to be patched.
 * XSAVEOPT differs from XSAVE in one bit of the ModRM byte, the last of four. */
extern u8 *const xsave_sites_start[], *const xsave_sites_end[];
extern u8 *const xrstor_sites_start[], *const xrstor_sites_end[];
#define XSAVEOPT_MODRM_BIT 0x10

/* XSAVE writes only the components in use: the rest of the area must not hold anybody else's data. */
void arch_fpu_init(struct ec *ec)
{
	memcpy(ec->fpu, fpu_initial, sizeof(fpu_initial));
	ec->fpu_load = fpu_initial;
}

/* XSAVE and XRSTOR work on the components that are both in XCR0 and in EDX:EAX. XCR0 has none above bit 31, so EDX
 * does not matter. */
#define ALL_COMPONENTS 0xffffffffu

static always_inline void xsave(void *area)
{
	__asm__ volatile("1: xsaveopt64 (%0)\n\t.pushsection .xsave_sites, \"a\"\n\t.quad 1b\n\t.popsection"
			 :
			 : "r"(area), "a"(ALL_COMPONENTS)
			 : "memory");
}

/*
 * AMD's CPUs before Zen 2 neither save nor load the x87 pointers (FIP, FDP, FOP) unless an exception is pending: the
 * next program could read where the last one was. On those CPUs fpu_setup() puts a call of this in place of XRSTOR:
 * FILD overwrites the pointers with its own, and the value that it pushes is replaced by XRSTOR. Manual: APM vol. 3,
 * appendix E.4.7 (RstrFpErrPtrs).
 */
__asm__(".text\nfpu_xrstor_clean:\n\tfnclex\n\temms\n\tfildl 1f(%rip)\n\txrstor64 (%rdi)\n\tret\n1:\t.long 0\n");
extern const u8 fpu_xrstor_clean[];

/* The prefix DS, which does nothing here, makes the instruction as long as the call that may replace it. */
static always_inline void xrstor(const void *area)
{
	__asm__ volatile("1: ds xrstor64 (%0)\n\t.pushsection .xrstor_sites, \"a\"\n\t.quad 1b\n\t.popsection"
			 :
			 : "D"(area), "a"(ALL_COMPONENTS)
			 : "memory");
}

#define CALL_LENGTH 5

static void patch_xrstor(u8 *site)
{
	s32 distance = (s32)(fpu_xrstor_clean - (site + CALL_LENGTH));
	site[0] = 0xe8;
	memcpy(site + 1, &distance, sizeof(distance));
}

/* Called once, on the boot CPU, while the image is still writable. */
void fpu_setup(void)
{
	fpu_inuse_index = cpu_features.xgetbv1;
	if (!cpu_features.xsaveopt)
		for (u8 *const *site = xsave_sites_start; site < xsave_sites_end; site++)
			(*site)[3] ^= XSAVEOPT_MODRM_BIT;
	if (!cpu_features.x87_pointers)
		for (u8 *const *site = xrstor_sites_start; site < xrstor_sites_end; site++)
			patch_xrstor(*site);
}

void fpu_save(struct ec *ec)
{
	xsave(ec->fpu);
	ec->fpu_load = ec->fpu;
}

struct ec *fpu_save_and_load(struct ec *from, struct ec *to)
{
	void *area = from->fpu;

	xsave(area);
	from->fpu_load = area;
	const void *load = to->fpu_load;
	to->fpu_load = fpu_initial;
	xrstor(load);
	return to;
}

struct ec *fpu_load(struct ec *to)
{
	const void *load = to->fpu_load;
	to->fpu_load = fpu_initial;
	xrstor(load);
	return to;
}

void fpu_save_image(void *image)
{
	xsave(image);
}

/* XRSTOR faults (#GP) at a malformed header or MXCSR: SDM vol. 1, 13.8. User land can write to the page at any time,
 * so checking it first would prove nothing; the fault is caught. Only the compacted format is refused beforehand: the
 * kernel does not use it, and XRSTOR need not fault at it. */
bool fpu_load_image(const void *image)
{
	const u64 *xcomp_bv = (const u64 *)((const u8 *)image + XSAVE_HEADER + 8);
	bool done = false;

	if (READ_ONCE(*xcomp_bv))
		return false;
	__asm__ volatile("1: xrstor64 (%1)\n\tmovb $1, %0\n2:\n\t" EX_TABLE("1b", "2b")
			 : "+qm"(done)
			 : "r"(image), "a"(ALL_COMPONENTS)
			 : "memory");
	return done;
}
