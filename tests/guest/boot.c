/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the roottask finds when it starts: registers, capabilities, memory, the information page, and the processor as
 * user code sees it.
 *
 * The first program cannot ask anybody what it has been given; all it knows is the interface. So every value of the
 * hypervisor information page has to be right, including those that look like constants, and everything that is *not*
 * given must not be there: no memory but the image, no ports, no other capabilities.
 *
 * The entry point is this file's own: it keeps the registers as the kernel set them, and goes on to the runtime.
 *
 * Facts about the machine that the page states are compared with what the roottask can find out itself: CPUID for its
 * CPU, the ACPI tables in physical memory, the time-stamp counter against the PC's timer chip.
 */
#include "boot.h"

#include "gpr.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"

#define GPRS 16

unsigned long boot_gpr[GPRS + 3]; /* as in gpr.h; RFLAGS is not kept */
struct boot_xarea boot_xsave;

_Static_assert(sizeof(boot_gpr) == GPR_END, "boot_entry stores into it");

enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, FS = GPRS, GS };

static void registers(void)
{
	for (unsigned i = 0; i < GPRS + 2; i++)
		if (i != SP && i != DI && boot_gpr[i])
			test_fail(__FILE__, __LINE__, "register %u was %#lx", i, boot_gpr[i]);
	EXPECT_EQ(boot_gpr[SP], HEDRON_ROOT_HIP);
	EXPECT(boot_gpr[DI] < HEDRON_CPU_MAX);
	EXPECT(rt_cpu_enabled((unsigned)boot_gpr[DI]));
}

static void extended_state(void)
{
	uint16_t fcw;
	uint32_t mxcsr;

	memcpy(&fcw, &boot_xsave.byte[0], 2);
	memcpy(&mxcsr, &boot_xsave.byte[24], 4);
	EXPECT_EQ(fcw, 0x37f);
	EXPECT_EQ(mxcsr, 0x1f80);
	for (unsigned i = 160; i < 416; i++)
		EXPECT_EQ(boot_xsave.byte[i], 0);
}

static void capabilities(void)
{
	for (sel_t s = 0; s < 64; s++) {
		bool given = s >= RT_SEL_PD && s <= RT_SEL_SC;

		if (s >= HEDRON_SEL_EXC) /* below are the runtime's event portals */
			EXPECT_EQ(!sel_empty(s), given);
	}
	EXPECT(sel_perm(RT_SEL_PD) & PERM_PD_CREATE);
	EXPECT_EQ(sel_perm(RT_SEL_EC), PERM_EC_CTRL | PERM_EC_SC | PERM_EC_PT);
	EXPECT_EQ(sel_perm(RT_SEL_SC), PERM_SC_CTRL);
	for (unsigned i = 0; i < 26; i++)
		EXPECT(sel_empty((1ul << i) + 0x200001));
}

/* Each is what it is said to be. */
static void kinds_of_capabilities(void)
{
	unsigned long us;

	EXPECT_OK(hc_create_sm(sel_new(), RT_SEL_PD, 0));
	EXPECT_OK(hc_sc_ctrl(RT_SEL_SC, &us));
	EXPECT_ST(hc_create_pt(sel_new(), RT_SEL_PD, RT_SEL_EC, 0, 0), BAD_CAP); /* the EC is a global one */
	EXPECT_OK(hc_create_sc(sel_new(), RT_SEL_PD, RT_SEL_EC, RT_PRIO, 1000));
}

static void pages(void)
{
	EXPECT(can_read(HEDRON_ROOT_HIP));
	EXPECT(!can_write(HEDRON_ROOT_HIP));
	EXPECT(!can_exec(HEDRON_ROOT_HIP) && guest_fault.vector == 14);
	EXPECT(can_write(HEDRON_ROOT_UTCB));
	EXPECT(!can_exec(HEDRON_ROOT_UTCB) && guest_fault.vector == 14);
	EXPECT(!can_read(HEDRON_ROOT_UTCB - RT_PAGE));
	EXPECT(!can_read(HEDRON_USER_END));
	EXPECT(!can_read(0));
	EXPECT(!can_read(0x1000));
	EXPECT(!can_read((unsigned long)rt_image_start - RT_PAGE));
	EXPECT(!can_read((unsigned long)rt_image_end));
}

/* The segments of the image have their rights: constants, code, data. */
static const unsigned char constant[16] = {0xc3};
static unsigned char variable[16] = {0xc3};
static unsigned char zeroed[4096];

static void segments(void)
{
	EXPECT(can_read((unsigned long)constant));
	EXPECT(!can_write((unsigned long)constant));
	EXPECT(!can_exec((unsigned long)constant));
	EXPECT(can_write((unsigned long)variable));
	EXPECT(!can_exec((unsigned long)variable));
	EXPECT(!can_write((unsigned long)boot_entry));
	EXPECT(can_read((unsigned long)boot_entry));
	for (unsigned i = 0; i < sizeof(zeroed); i++)
		ASSERT_EQ(zeroed[i], 0);
}

static unsigned privilege_of(unsigned sel)
{
	unsigned rights = 0;

	__asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(sel));
	return rights >> 13 & 3;
}

/* The processor as user code sees it. */
static void processor(void)
{
	uint16_t cs, ss, ds, es;
	unsigned long flags;

	__asm__ volatile("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2; mov %%es, %3"
			 : "=r"(cs), "=r"(ss), "=r"(ds), "=r"(es));
	EXPECT_EQ(cs & 3, 3);
	EXPECT_EQ(ss & 3, 3);
	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	EXPECT_EQ(flags & (3ul << 12 | 1ul << 17 | 1ul << 14 | 1ul << 8), 0); /* IOPL, VM, NT, TF */
	EXPECT(!FAULTS(rt_rdtsc()));
	EXPECT(!FAULTS(rt_cpuid(0, 0)));
	EXPECT(FAULTS(__asm__ volatile("rdpmc" : : "c"(0) : "eax", "edx")) && guest_fault.vector == 13);
	EXPECT(FAULTS(__asm__ volatile("cli")) && guest_fault.vector == 13);
	EXPECT(FAULTS(__asm__ volatile("rdmsr" : : "c"(0x10) : "eax", "edx")) && guest_fault.vector == 13);
	EXPECT(!FAULTS(__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0))));
	EXPECT(!FAULTS(__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(ss))));
	for (volatile unsigned sel = 8; sel < 0x80; sel += 8) { /* volatile: read again after a fault */
		if (!FAULTS(__asm__ volatile("mov %0, %%ds" : : "r"(sel))) && privilege_of(sel) != 3)
			test_fail(__FILE__, __LINE__, "kernel segment %#x can be loaded", sel);
	}
	__asm__ volatile("mov %0, %%ds; mov %1, %%es" : : "r"(ds), "r"(es));
}

/* Loading FS or GS with a selector does not show anything either, and bases can be any canonical address. */
static void bases(void)
{
	static const unsigned long values[] = {0, 1, 0x7fffffffffff, 0xffff800000000000, ~0ul};

	for (unsigned i = 0; i < RT_ARRAY(values); i++) {
		unsigned long fs, gs;

		__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(values[i]));
		hc_yield();
		__asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs), "=r"(gs));
		EXPECT_EQ(fs, values[i]);
		EXPECT_EQ(gs, values[i]);
	}
	__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
}

const struct test boot_state_tests[] = {
	TEST(registers),
	TEST(extended_state),
	TEST(capabilities),
	TEST(kinds_of_capabilities),
	TEST(pages),
	TEST(segments),
	TEST(processor),
	TEST(bases),
	{},
};

bool main(void)
{
	static const struct test *const tables[] = {boot_state_tests, boot_hip_tests, NULL};

	return guest_run_tables("boot", tables);
}
