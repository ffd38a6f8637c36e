/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel pages, model-specific registers, the access page, the machine: operations that few programs need, with many
 * ways to be wrong.
 *
 * A kernel page is memory of the kernel that user land sees in exactly one place. It begins zeroed, keeps its
 * contents while it is not mapped, cannot be executed or delegated, and when it is unmapped or destroyed nobody may
 * see it any more: it goes back to the heap. MSRs and machine control are for passthrough PDs only, and even those
 * must not get at registers on which the kernel itself depends. The suspend operation is tried only with arguments
 * that must be refused.
 *
 * vCPUs have suites of their own; here it is only that creating one on a machine without VMX checks its arguments
 * first.
 */
#include "guest.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/start.h"

static unsigned long va; /* two free pages */

static sel_t kp_make(void)
{
	sel_t kp = sel_new();

	ASSERT_OK(hc_create_kp(kp, RT_SEL_PD));
	va = rt_va(2, 1);
	return kp;
}

static void kp_arguments(void)
{
	sel_t kp = kp_make(), sm = sm_make(0);

	EXPECT_EQ(sel_perm(kp), PERM_KP_CTRL);
	EXPECT_ST(hc_create_kp(sel_new(), GUEST_NOTHING), BAD_CAP);
	EXPECT_ST(hc_create_kp(sel_new(), sm), BAD_CAP);
	EXPECT_ST(hc_create_kp(kp, RT_SEL_PD), BAD_CAP);
	EXPECT_ST(hc_create_kp(HEDRON_SEL_NUM, RT_SEL_PD), BAD_PAR);
	EXPECT_ST(hc_kp_map(GUEST_NOTHING, RT_SEL_PD, va), BAD_CAP);
	EXPECT_ST(hc_kp_map(sm, RT_SEL_PD, va), BAD_CAP);
	EXPECT_ST(hc_kp_map(kp, GUEST_NOTHING, va), BAD_CAP);
	EXPECT_ST(hc_kp_map(kp, sm, va), BAD_CAP);
	EXPECT_ST(hc_kp_map(kp, sm, va + 1), BAD_CAP); /* the PD before the address */
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va + 1), BAD_PAR);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va + 0x800), BAD_PAR);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, HEDRON_USER_END), BAD_PAR);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, 0x800000000000), BAD_PAR);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, 0xffff800000000000), BAD_PAR);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, ~0xffful), BAD_PAR);
	EXPECT_ST(hc_kp_unmap(kp), BAD_PAR);
	EXPECT_ST(hc_kp_unmap(GUEST_NOTHING), BAD_CAP);
	for (unsigned op = 2; op < 4; op++) /* unknown, before any capability is looked at */
		EXPECT_ST(hc_3(HC_ARG1(HC_KP_CTRL, op, GUEST_NOTHING), RT_SEL_PD, va), BAD_PAR);
	EXPECT(!can_read(va));
}

static void kp_contents(void)
{
	sel_t kp = kp_make();
	volatile unsigned long *p = (unsigned long *)va;

	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va));
	ASSERT(can_write(va));
	EXPECT(!can_exec(va) && guest_fault.vector == 14);
	for (unsigned i = 0; i < RT_PAGE / 8; i++)
		ASSERT_EQ(p[i], 0);
	p[0] = 0x1234567;
	p[511] = 42;
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va + RT_PAGE), BAD_PAR); /* once at most */
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va), BAD_PAR);
	ASSERT_OK(hc_kp_unmap(kp));
	EXPECT(!can_read(va));
	EXPECT_ST(hc_kp_unmap(kp), BAD_PAR);
	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va + RT_PAGE));
	EXPECT_EQ(p[512], 0x1234567);
	EXPECT_EQ(p[512 + 511], 42);
	ASSERT_OK(rt_revoke(kp));
	EXPECT(!can_read(va + RT_PAGE));
}

/* A new kernel page never shows what an old one held. */
static void kp_begins_zeroed(void)
{
	for (unsigned i = 0; i < 50; i++) {
		sel_t kp = kp_make();
		volatile unsigned long *p = (unsigned long *)va;

		ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va));
		for (unsigned w = 0; w < RT_PAGE / 8; w++) {
			ASSERT_EQ(p[w], 0);
			p[w] = ~0ul;
		}
		ASSERT_OK(rt_revoke(kp));
	}
}

static void kp_address_0(void)
{
	sel_t kp = kp_make();

	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, 0));
	EXPECT(can_write(0));
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va), BAD_PAR);
	ASSERT_OK(hc_kp_unmap(kp));
	EXPECT(!can_read(0));
	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, 0x7fffffffc000));
	EXPECT(can_write(0x7fffffffc000));
}

/* It replaces what was there, and what replaces it does not change its state. */
static void kp_replaces_and_is_replaced(void)
{
	sel_t kp = kp_make();
	unsigned long *page = rt_pages(1);

	page[0] = 99;
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (unsigned long)page, RT_SEL_PD, va, 1, RT_MEM_RW, 0));
	EXPECT_EQ(*(volatile unsigned long *)va, 99);
	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va));
	EXPECT_EQ(*(volatile unsigned long *)va, 0);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (unsigned long)page, RT_SEL_PD, va, 1, RT_MEM_RW, 0));
	EXPECT_EQ(*(volatile unsigned long *)va, 99);
	EXPECT_ST(hc_kp_map(kp, RT_SEL_PD, va + RT_PAGE), BAD_PAR); /* still mapped, as far as it knows */
	EXPECT_OK(hc_kp_unmap(kp));
	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va + RT_PAGE));
	ASSERT_OK(rt_mem_revoke(va + RT_PAGE, 1));
	EXPECT(!can_read(va + RT_PAGE));
	EXPECT_OK(hc_kp_unmap(kp));
}

static void kp_cannot_be_delegated(void)
{
	sel_t kp = kp_make();

	ASSERT_OK(hc_kp_map(kp, RT_SEL_PD, va));
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, va, RT_SEL_PD, va + RT_PAGE, 1, RT_MEM_RW, 0));
	EXPECT(!can_read(va + RT_PAGE));
	EXPECT(can_write(va));
}

static void kp_in_another_pd(void)
{
	sel_t kp = kp_make();
	struct agent a;

	agent_make(&a);
	ASSERT_OK(hc_kp_map(kp, a.pd, va));
	EXPECT(!can_read(va));
	EXPECT(agent_can_write(&a, va));
	EXPECT(!agent_can_exec(&a, va));
	ASSERT_OK(hc_kp_unmap(kp));
	EXPECT(!agent_can_read(&a, va));
	ASSERT_OK(hc_kp_map(kp, a.pd, va));
	EXPECT(agent_can_read(&a, va));
	ASSERT_OK(rt_revoke(kp));
	EXPECT(!agent_can_read(&a, va));
	/* A page whose PD ended can be destroyed all the same. */
	kp = kp_make();
	ASSERT_OK(hc_kp_map(kp, a.pd, va));
	ASSERT_OK(rt_revoke(a.pd));
	EXPECT_OK(hc_kp_unmap(kp));
}

/* MSRs. */

static void msr_refused(void)
{
	static const unsigned both[] = {0x600, 0xc0000080, 0xc0000101, 0xc0000102, 0x174,
					0x175, 0x176,      0xc0000103, 0x800,      0x80b,
					0x8ff, 0x480,      0x485,      0x491,      0xc0010117};
	static const unsigned writes[] = {
		0x1b,       0x33,       0x3a,       0x48,       0x79,       0x9b,       0x9e,       0xbd,
		0x122,      0x123,      0x13c,      0x140,      0x150,      0x179,      0x17a,      0x17b,
		0x194,      0x1a0,      0x1c4,      0x1cc,      0x1d4,      0x1d9,      0x1f2,      0x1f3,
		0x200,      0x20f,      0x250,      0x268,      0x26f,      0x277,      0x280,      0x29f,
		0x2e0,      0x2ff,      0x3f1,      0x400,      0x403,      0x47f,      0x4d0,      0x4e0,
		0x560,      0x587,      0x6a0,      0x6a2,      0x6a8,      0x6e1,      0x982,      0x989,
		0xc80,      0xd90,      0xda0,      0x14ce,     0x17d0,     0xc0000081, 0xc0000082, 0xc0000083,
		0xc0000084, 0xc000010f, 0xc0000408, 0xc0002000, 0xc00020ff, 0xc0010010, 0xc0010015, 0xc0010016,
		0xc0010019, 0xc001001a, 0xc001001d, 0xc0010020, 0xc0010022, 0xc0010050, 0xc0010056, 0xc0010058,
		0xc0010111, 0xc0010112, 0xc0010113, 0xc0010114, 0xc0010115, 0xc001011b, 0xc0010131, 0xc0011004,
		0xc0011020, 0xc0011029, 0xe4,       0xc0000104, 0xc0000106, 0xc0010030, 0xc0010044, 0xc0010064,
		0xc0010070, 0xc0010073, 0xc0010074, 0xc001011f, 0xc0010400, 0xc0011019, 0xc00110e3};
	struct hc_regs r;

	for (unsigned i = 0; i < RT_ARRAY(both); i++) {
		r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR, both[i]), 0x1234, 1, 2, 3};
		EXPECT_ST(hc_raw(&r), BAD_PAR);
		EXPECT_EQ(r.rsi, 0); /* the one exception from unchanged registers */
		EXPECT_ST(hc_msr_write(both[i], 0), BAD_PAR);
	}
	for (unsigned i = 0; i < RT_ARRAY(writes); i++)
		if (hc_msr_write(writes[i], 0) != BAD_PAR)
			test_fail(__FILE__, __LINE__, "MSR %#x can be written", writes[i]);
}

#define CPUID_RDTSCP (1u << 27)

/* Whatever firmware or a kernel before has left there is gone. */
static void msr_leftovers(void)
{
	static const unsigned msrs[] = {0xe1,  0x140, 0x1c4, 0x1d9, 0x38f,  0x3f1,  0x570,     0x6a0,
					0x6a2, 0x6e1, 0xd90, 0xda0, 0x14ce, 0x17d1, 0xc0000301};
	enum { TSC_RATIO = 0xc0000104u };
	unsigned long ratio = 0;
	unsigned aux = 0;

	for (unsigned i = 0; i < RT_ARRAY(msrs); i++) {
		unsigned long value = 0;

		if (hc_msr_read(msrs[i], &value) == SUCCESS && value)
			test_fail(__FILE__, __LINE__, "MSR %#x is %#lx", msrs[i], value);
	}
	if (hc_msr_read(TSC_RATIO, &ratio) == SUCCESS && ratio) /* QEMU has it as 0, and takes no other */
		EXPECT_EQ(ratio, 1ul << 32);
	if (rt_cpuid(0x80000001, 0).edx & CPUID_RDTSCP)
		__asm__ volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
	EXPECT_EQ(aux, 0);
}

/* MSRs that do not exist fault in the kernel, which survives; QEMU reads them as 0. */
static void msr_unknown(void)
{
	static const unsigned none[] = {0x12345678, 0xffffffff, 0xc0010fff, 0x4000};

	for (unsigned i = 0; i < RT_ARRAY(none); i++) {
		unsigned long value = 1;
		enum status st = hc_msr_read(none[i], &value);

		EXPECT(st == BAD_PAR || st == SUCCESS);
		EXPECT_EQ(value, 0);
		st = hc_msr_write(none[i], 0);
		EXPECT(st == BAD_PAR || st == SUCCESS);
	}
}

static void msr_allowed(void)
{
	unsigned long value = 0;

	EXPECT_OK(hc_msr_read(0x1b, &value)); /* APIC base */
	EXPECT_EQ(value & 0xfffff000, 0xfee00000);
	EXPECT_OK(hc_msr_read(0x277, &value)); /* PAT */
	EXPECT(value != 0);
	EXPECT_OK(hc_msr_read(0x10, &value)); /* TSC */
	EXPECT(rt_rdtsc() - value < 1ul << 40);
}

static void msr_privilege(void)
{
	struct agent a;

	agent_make(&a); /* not passthrough */
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR, 0x1b), 0, 0, 0, 0};

	EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
	r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR | PD_CTRL_MSR_WRITE, 0x1b), 0, 0, 0, 0};
	EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
}

/* Passthrough is inherited only if asked for, and only from one who has it. */
static enum status try_msr_in(sel_t pd)
{
	uint64_t image = (uint64_t)rt_image_start;
	struct agent a;

	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				  RT_MEM_RWX, 0));
	agent_make_in(&a, pd);
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR, 0x1b), 0, 0, 0, 0};

	return agent_hc(&a, &r);
}

static void passthrough(void)
{
	sel_t with = sel_new(), without = sel_new();

	ASSERT_OK(hc_create_pd(with, RT_SEL_PD, 0, CREATE_PD_PASSTHROUGH));
	ASSERT_OK(hc_create_pd(without, RT_SEL_PD, 0, 0));
	EXPECT_OK(try_msr_in(with));
	EXPECT_ST(try_msr_in(without), BAD_CAP);
	/* The parent decides: a PD without passthrough has no child with it. */
	sel_t child = sel_new();

	ASSERT_OK(hc_create_pd(child, without, 0, CREATE_PD_PASSTHROUGH));
	EXPECT_ST(try_msr_in(child), BAD_CAP);
	child = sel_new();
	ASSERT_OK(hc_create_pd(child, with, 0, CREATE_PD_PASSTHROUGH));
	EXPECT_OK(try_msr_in(child));
}

/* The access page: exactly {memory, order 0, read and write}, below the user limit. */
static void access_page(void)
{
	EXPECT_OK(hc_pd_access_page(rt_mem(0xfee00000, 0, RT_MEM_RW)));
	EXPECT_OK(hc_pd_access_page(rt_mem(0xfee00000, 0, RT_MEM_RW))); /* again */
	EXPECT_ST(hc_pd_access_page(rt_mem(0xfee00000, 1, RT_MEM_RW)), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(rt_mem(0xfee00000, 0, PERM_MEM_R)), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(rt_mem(0xfee00000, 0, RT_MEM_RWX)), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(rt_obj(0, 0, RT_MEM_RW)), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(0), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(rt_mem(HEDRON_USER_END, 0, RT_MEM_RW)), BAD_PAR);
	EXPECT_ST(hc_pd_access_page(rt_mem(~0xffful, 0, RT_MEM_RW)), BAD_PAR);
	EXPECT(!can_read(0xfee00000)); /* a guest's page, not ours */
}

/* The machine. */

static void machine_privilege(void)
{
	struct agent a;

	agent_make(&a);
	for (unsigned op = 0; op < 4; op++) { /* even before the operation is looked at */
		struct hc_regs r = {HC_ARG1(HC_MACHINE_CTRL, op, 0xffff), 0, 0, 0, 0};

		EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
	}
}

static void machine_operations(void)
{
	EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, 2, 0), 0), BAD_PAR);
	EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, 3, 0), 0), BAD_PAR);
	/* Sleep types are three bits wide. */
	if (hc_1(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_SUSPEND, 0xffff)) == BAD_FTR)
		SKIP("this kernel does not suspend");
	EXPECT_ST(hc_1(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_SUSPEND, 0xffff)), BAD_PAR);
	EXPECT_ST(hc_1(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_SUSPEND, 0x0808)), BAD_PAR);
}

/* Microcode: whatever is at the address is checked before the processor sees it. */
static void microcode(void)
{
	uint8_t *blob = rt_pages(4);
	unsigned long end = 1ul << (rt_cpuid(0x80000008, 0).eax & 0xff);
	const struct {
		unsigned long size, pa;
	} bad[] = {{0, rt_phys(blob)},
		   {1, rt_phys(blob)},
		   {47, rt_phys(blob)},
		   {48, rt_phys(blob)},
		   {2048, rt_phys(blob)},
		   {4096, rt_phys(blob) + 4},
		   {0x200000, rt_phys(blob)},
		   {0x200001, rt_phys(blob)},
		   {~0ul >> 12, 0},
		   {4096, end},
		   {4096, end - 2048},
		   {4096, ~0ul},
		   {4096, 0}};

	EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, 0x200001), rt_phys(blob)), BAD_PAR);
	if (hc_2(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, 48), rt_phys(blob)) == BAD_FTR)
		SKIP("this kernel does not update microcode");
	for (unsigned i = 0; i < RT_ARRAY(bad); i++)
		EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, bad[i].size), bad[i].pa), BAD_PAR);
	/* A header with the right version and sizes, and a wrong checksum. */
	*(uint32_t *)blob = 1;
	*(uint32_t *)(blob + 20) = 1;
	*(uint32_t *)(blob + 28) = 2000;
	*(uint32_t *)(blob + 32) = 2048;
	EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, 2048), rt_phys(blob)), BAD_PAR);
}

/* Without virtualization: the arguments, then BAD_FTR. */
static void vcpu_missing(void)
{
	sel_t state, vlapic, fpu, sel = sel_new();

	if (rt_hip->api_flg & (HIP_FEATURE_VMX | HIP_FEATURE_SVM))
		SKIP("this machine has vCPUs");
	state = kp_make();
	vlapic = kp_make();
	fpu = kp_make();
	EXPECT_ST(hc_create_vcpu(sel, 127, GUEST_NOTHING, state, vlapic, fpu), BAD_CPU);
	EXPECT_ST(hc_create_vcpu(sel, rt_cpu, GUEST_NOTHING, state, vlapic, fpu), BAD_CAP);
	EXPECT_ST(hc_create_vcpu(sel, rt_cpu, RT_SEL_PD, GUEST_NOTHING, vlapic, fpu), BAD_CAP);
	EXPECT_ST(hc_create_vcpu(sel, rt_cpu, RT_SEL_PD, state, GUEST_NOTHING, fpu), BAD_CAP);
	EXPECT_ST(hc_create_vcpu(sel, rt_cpu, RT_SEL_PD, state, vlapic, RT_SEL_PD), BAD_CAP);
	EXPECT_ST(hc_create_vcpu(sel, rt_cpu, RT_SEL_PD, state, vlapic, fpu), BAD_FTR);
	EXPECT(sel_empty(sel));
	for (unsigned op = 0; op < 2; op++)
		EXPECT_ST(hc_2(HC_ARG1(HC_VCPU_CTRL, op, sel), 0), BAD_CAP);
	for (unsigned op = 2; op < 4; op++)
		EXPECT_ST(hc_2(HC_ARG1(HC_VCPU_CTRL, op, GUEST_NOTHING), 0), BAD_PAR);
}

static const struct test tests[] = {
	TEST(kp_arguments),
	TEST(kp_contents),
	TEST(kp_begins_zeroed),
	TEST(kp_address_0),
	TEST(kp_replaces_and_is_replaced),
	TEST(kp_cannot_be_delegated),
	TEST(kp_in_another_pd),
	TEST(msr_refused),
	TEST(msr_leftovers),
	TEST(msr_unknown),
	TEST(msr_allowed),
	TEST(msr_privilege),
	TEST(passthrough),
	TEST(access_page),
	TEST(machine_privilege),
	TEST(machine_operations),
	TEST(microcode),
	TEST(vcpu_missing),
};

bool main(void)
{
	return guest_run("control", tests, RT_ARRAY(tests));
}
