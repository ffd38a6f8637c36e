/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state: the FPU page is the guest's, in XSAVE's standard format, with the guest's XCR0 in force. Pages the
 * processor would refuse are the VMM's mistake; neither the kernel nor the VMM's own registers suffer.
 */
#include "vcpu_test.h"

#include "rt/size.h"
#include "rt/string.h"

#define R(name) VM_REG(name)

enum { XMM0 = 160, HEADER = 512, XCOMP_BV = 520, MXCSR = 24, YMM_HIGH0 = 576 };
enum { X87 = 1, SSE = 2, AVX = 4 };

static uint64_t *word(struct vm *vm, unsigned offset)
{
	return (uint64_t *)(vm->vcpu.fpu + offset);
}

static uint64_t host_xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

/* A valid page of these components. */
static void page(struct vm *vm, uint64_t components)
{
	memset(vm->vcpu.fpu, 0, RT_PAGE);
	*(uint16_t *)vm->vcpu.fpu = 0x37f;
	*(uint32_t *)(vm->vcpu.fpu + MXCSR) = 0x1f80;
	*word(vm, HEADER) = components;
}

VM_CODE(touch_xmm, "movups %xmm0, 0x6000\n movups 0x6010, %xmm1\n fnstcw 0x6020\n stmxcsr 0x6024\n fldpi\n");

static void loaded_and_stored(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &touch_xmm[mode]);
		page(vm, X87 | SSE);
		*(uint16_t *)vm->vcpu.fpu = 0x27f;
		*(uint32_t *)(vm->vcpu.fpu + MXCSR) = 0x1fa0;
		word(vm, XMM0)[0] = 0x1111222233334444;
		word(vm, XMM0)[1] = 0x5555666677778888;
		*vm_u64(vm, VM_DATA + 0x10) = 0x9999aaaabbbbcccc;
		*vm_u64(vm, VM_DATA + 0x18) = 0xddddeeeeffff0000;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, *vm_u64(vm, VM_DATA), 0x1111222233334444);
		EXPECT_VM(vm, *vm_u64(vm, VM_DATA + 8), 0x5555666677778888);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA + 0x20) & 0xffff, 0x27f);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA + 0x24), 0x1fa0);
		EXPECT_VM(vm, *word(vm, HEADER) & (X87 | SSE), X87 | SSE);
		EXPECT_VM(vm, word(vm, XMM0)[0], 0x1111222233334444);
		EXPECT_VM(vm, word(vm, XMM0 + 16)[0], 0x9999aaaabbbbcccc);
		EXPECT_VM(vm, word(vm, XMM0 + 16)[1], 0xddddeeeeffff0000);
		EXPECT_VM(vm, word(vm, 32)[0], 0xc90fdaa22168c235);   /* the mantissa of pi in ST0 */
		EXPECT_VM(vm, *(uint16_t *)(vm->vcpu.fpu + 4), 0x80); /* one register in use */
	}
}

/* A page without components is the initial state, whatever else it says. */
static void initial_state(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &touch_xmm[mode]);
		page(vm, 0);
		memset(vm->vcpu.fpu + XMM0, 0xff, 256);
		*vm_u64(vm, VM_DATA) = ~0ul;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, *vm_u64(vm, VM_DATA), 0);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA + 0x20) & 0xffff, 0x37f);
	}
}

/* As CREATE_VCPU leaves it. */
static void new_page(void)
{
	struct vm *vm = vcpu_vm(0);

	ASSERT_FIRST_EXIT(vm, VM_64, touch_xmm, VMX_VMCALL);
	EXPECT_EQ(*vm_u32(vm, VM_DATA + 0x20) & 0xffff, 0x37f);
	EXPECT_EQ(*vm_u32(vm, VM_DATA + 0x24), 0x1f80);
}

VM_CODE(touch_ymm, "vmovups %ymm0, 0x6000\n vmovups 0x6020, %ymm1\n");

static void avx(void)
{
	struct vm *vm = vcpu_vm(0);

	if (!(host_xcr0() & AVX))
		SKIP("this CPU has no AVX");
	for (enum vm_mode mode = VM_32; mode <= VM_64; mode++) {
		vm_start(vm, mode, &touch_ymm[mode]);
		vm->s->xcr0 = X87 | SSE | AVX;
		page(vm, X87 | SSE | AVX);
		word(vm, XMM0)[0] = 0x1111;
		word(vm, YMM_HIGH0)[0] = 0x2222;
		*vm_u64(vm, VM_DATA + 0x20) = 0x3333;
		*vm_u64(vm, VM_DATA + 0x30) = 0x4444;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, *vm_u64(vm, VM_DATA), 0x1111);
		EXPECT_VM(vm, *vm_u64(vm, VM_DATA + 0x10), 0x2222);
		EXPECT_VM(vm, word(vm, XMM0 + 16)[0], 0x3333);
		EXPECT_VM(vm, word(vm, YMM_HIGH0 + 16)[0], 0x4444);
	}
}

VM_CODE(get_xcr0, "xor %ecx, %ecx\n xgetbv\n");

static void xcr0(void)
{
	uint64_t host = host_xcr0(), good[] = {1, 3, 7, host};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(good); i++)
		FOR_MODES(mode)
		{
			if (good[i] & ~host)
				continue;
			vm_start(vm, mode, &get_xcr0[mode]);
			page(vm, 0);
			vm->s->xcr0 = good[i];
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rax, good[i]);
			EXPECT_VM(vm, vm->s->xcr0, good[i]);
			EXPECT_VM(vm, host_xcr0(), host);
		}
}

static void bad_xcr0(void)
{
	uint64_t host = host_xcr0(), bad[] = {0, 2, 4, 5, 6, ~host | 1, ~0ul, 1ul << 63 | 1};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		vm_start(vm, VM_64, &get_xcr0[VM_64]);
		page(vm, 0);
		vm->s->xcr0 = bad[i];
		ASSERT_EXIT(vm, VMX_BAD_STATE);
		EXPECT_EQ(host_xcr0(), host);
		vm->s->xcr0 = 3;
		vm->mtd = MTD_CR;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->rax, 3);
	}
}

/* Each of these makes XRSTOR fault. The page is kept, and the vCPU goes on with a good one. */
static void malformed_page(void)
{
	static const struct {
		unsigned offset;
		uint64_t value;
	} bad[] = {{HEADER, 1ul << 62}, {HEADER, ~0ul},        {HEADER, 1ul << 63},
		   {XCOMP_BV, 1},       {XCOMP_BV, 1ul << 63}, {HEADER + 16, 1}};
	struct vm *vm = vcpu_vm(0);
	static uint8_t copy[RT_PAGE];

	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		vm_start(vm, VM_64, &touch_xmm[VM_64]);
		page(vm, X87 | SSE);
		*word(vm, bad[i].offset) = bad[i].value;
		memcpy(copy, vm->vcpu.fpu, RT_PAGE);
		ASSERT_EXIT(vm, VMX_BAD_STATE);
		EXPECT(!memcmp(copy, vm->vcpu.fpu, RT_PAGE));
		ASSERT_EXIT(vm, VMX_BAD_STATE); /* a second time it is no better */
		page(vm, X87 | SSE);
		word(vm, XMM0)[0] = 42;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(*vm_u64(vm, VM_DATA), 42);
	}
}

/* Reserved bits of MXCSR, and components that the guest's XCR0 does not have. */
static void malformed_registers(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &touch_xmm[VM_64]);
	page(vm, X87 | SSE);
	*(uint32_t *)(vm->vcpu.fpu + MXCSR) = 0xffff1f80;
	if (!vcpu_svm_of_qemu()) /* whose XRSTOR takes them */
		ASSERT_EXIT(vm, VMX_BAD_STATE);
	page(vm, X87 | SSE);
	ASSERT_EXIT(vm, VMX_VMCALL);
	if (!(host_xcr0() & AVX))
		return;
	vm_start(vm, VM_64, &touch_xmm[VM_64]);
	page(vm, X87 | SSE | AVX); /* XCR0 is x87 and SSE */
	ASSERT_EXIT(vm, VMX_BAD_STATE);
	page(vm, X87 | SSE);
	ASSERT_EXIT(vm, VMX_VMCALL);
}

/* The VMM's registers are its own, and the guest starts with nothing of them. */
VM_CODE(use_xmm, "movups %xmm7, 0x6000\n movups 0x6010, %xmm7\n fninit\n fld1\n");

static void host_registers(void)
{
	static const uint64_t mine[2] = {0xfeedface12345678, 0x1234567887654321};
	struct vm *vm = vcpu_vm(0);
	uint64_t after[2];

	FOR_MODES(mode)
	{
		for (unsigned i = 0; i < 3; i++) {
			vm_start(vm, mode, &use_xmm[mode]);
			page(vm, 0);
			*vm_u64(vm, VM_DATA) = ~0ul;
			*vm_u64(vm, VM_DATA + 0x10) = 0x7777;
			__asm__ volatile("movups %0, %%xmm7" : : "m"(mine));
			ASSERT_EXIT(vm, VMX_VMCALL);
			__asm__ volatile("movups %%xmm7, %0" : "=m"(after));
			EXPECT_VM(vm, after[0], mine[0]);
			EXPECT_VM(vm, after[1], mine[1]);
			EXPECT_VM(vm, *vm_u64(vm, VM_DATA), 0);
			EXPECT_VM(vm, word(vm, XMM0 + 7 * 16)[0], 0x7777);
		}
	}
}

/* Two guests in turns, each with its own registers that it never reloads. */
VM_CODE(count_xmm, "movd %xmm3, %eax\n inc %eax\n movd %eax, %xmm3\n");

static void guests_in_turns(void)
{
	struct vm *vm[] = {vcpu_vm(0), vcpu_vm(1)};

	for (unsigned i = 0; i < 2; i++) {
		vm_start(vm[i], VM_64, &count_xmm[VM_64]);
		page(vm[i], X87 | SSE);
		*(uint32_t *)word(vm[i], XMM0 + 3 * 16) = 1000 * i;
	}
	for (unsigned n = 1; n <= 10; n++)
		for (unsigned i = 0; i < 2; i++) {
			ASSERT_EXIT(vm[i], VMX_VMCALL);
			EXPECT_EQ(vm[i]->s->rax, 1000 * i + n);
			EXPECT_EQ(*(uint32_t *)word(vm[i], XMM0 + 3 * 16), 1000 * i + n);
			vm[i]->s->rip = VM_CODE_AT;
			vm[i]->mtd = MTD_RIP_LEN;
		}
}

/* The VMM may change a register between two runs: the page counts, always. */
static void changed_between_runs(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &count_xmm[VM_64]);
	page(vm, X87 | SSE);
	for (unsigned n = 0; n < 10; n++) {
		*(uint32_t *)word(vm, XMM0 + 3 * 16) = 100 * n;
		*word(vm, HEADER) = X87 | SSE;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->rax, 100 * n + 1);
		vm->s->rip = VM_CODE_AT;
		vm->mtd = MTD_RIP_LEN;
	}
}

const struct test vcpu_fpu_tests[] = {
	TEST(loaded_and_stored),
	TEST(initial_state),
	TEST(new_page),
	TEST(avx),
	TEST(xcr0),
	TEST(bad_xcr0),
	TEST(malformed_page),
	TEST(malformed_registers),
	TEST(host_registers),
	TEST(guests_in_turns),
	TEST(changed_between_runs),
	{},
};
