/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What user code can raise: which vector, at which instruction, with which error code. */
#include "event.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/string.h"

/* One function per exception; `at` and `next` are around the instruction. */
#define RAISER(name, insn)                                                                \
	extern const uint8_t name##_at[], name##_next[];                                  \
	void name(void);                                                                  \
	__asm__(".pushsection .text\n"                                                    \
		".global " #name ", " #name "_at, " #name "_next\n" #name ":\n" insn "\n" \
		"	ret\n"                                                                  \
		".popsection\n")
#define AT(name) #name "_at: "
#define NEXT(name) "\n" #name "_next:\n"

RAISER(raise_de, "xor %edx, %edx; mov $1, %eax; xor %ecx, %ecx\n" AT(raise_de) "div %ecx" NEXT(raise_de));
RAISER(raise_db, "pushfq; orq $0x100, (%rsp); popfq\n" AT(raise_db) "nop" NEXT(raise_db) "nop");
RAISER(raise_bp, AT(raise_bp) "int3" NEXT(raise_bp));
RAISER(raise_of, AT(raise_of) "int $4" NEXT(raise_of));
RAISER(raise_ud, AT(raise_ud) "ud2" NEXT(raise_ud));
RAISER(raise_hlt, AT(raise_hlt) "hlt" NEXT(raise_hlt));
RAISER(raise_cli, AT(raise_cli) "cli" NEXT(raise_cli));
RAISER(raise_int5, AT(raise_int5) "int $5" NEXT(raise_int5));
RAISER(raise_int48, AT(raise_int48) "int $0x30" NEXT(raise_int48));
RAISER(raise_int128, AT(raise_int128) "int $0x80" NEXT(raise_int128));
RAISER(raise_int255, AT(raise_int255) "int $0xff" NEXT(raise_int255));
RAISER(raise_noncanonical,
       "mov $0x8000000000000000, %rax\n" AT(raise_noncanonical) "mov (%rax), %al" NEXT(raise_noncanonical));
RAISER(raise_ss, "mov %rbp, %rcx; mov $0x8000000000000000, %rbp\n" AT(raise_ss) "mov (%rbp), %al" NEXT(
			 raise_ss) "mov %rcx, %rbp");
RAISER(raise_rdmsr, "mov $0x10, %ecx\n" AT(raise_rdmsr) "rdmsr" NEXT(raise_rdmsr));
RAISER(raise_rdpmc, "xor %ecx, %ecx\n" AT(raise_rdpmc) "rdpmc" NEXT(raise_rdpmc));
RAISER(raise_cr0, AT(raise_cr0) "mov %cr0, %rax" NEXT(raise_cr0));
RAISER(raise_kernel_ds, "mov $0x10, %eax\n" AT(raise_kernel_ds) "mov %eax, %ds" NEXT(raise_kernel_ds));
RAISER(raise_lidt, AT(raise_lidt) "lidt (%rsp)" NEXT(raise_lidt));
RAISER(raise_iret, "mov $0x10, %eax; push %rax; push %rsp; pushfq; push $8; push $0\n" AT(raise_iret) "iretq" NEXT(
			   raise_iret) "add $40, %rsp");
RAISER(raise_out, AT(raise_out) "outb %al, $0x80" NEXT(raise_out));
RAISER(raise_mf, "fninit; pushw $0x37b; fldcw (%rsp); fld1; fldz; fdivrp\n" AT(raise_mf) "fwait" NEXT(
			 raise_mf) "fninit; pop %ax");
RAISER(raise_xm,
       "pushq $0x1d80; ldmxcsr (%rsp); pcmpeqd %xmm0, %xmm0; psrlq $54, %xmm0; psllq $52, %xmm0; xorpd %xmm1, "
       "%xmm1\n" AT(raise_xm) "divpd %xmm1, %xmm0" NEXT(raise_xm) "movq $0x1f80, (%rsp); ldmxcsr (%rsp); pop %rax");
RAISER(raise_ac, "pushfq; orq $0x40000, (%rsp); popfq\n" AT(raise_ac) "mov 1(%rsp), %eax" NEXT(
			 raise_ac) "pushfq; andq $~0x40000, (%rsp); popfq");
RAISER(raise_sysenter, AT(raise_sysenter) "sysenter" NEXT(raise_sysenter));

struct raiser {
	const char *name;
	void (*code)(void);
	const uint8_t *at, *next;
	unsigned vector;
	bool trap;           /* RIP is behind the instruction */
	unsigned long error; /* or ANY_ERROR */
};
#define ANY_ERROR ~0ul
#define ROW(n, vector, trap, error)                          \
	{                                                    \
#n, n, n##_at, n##_next, vector, trap, error \
	}

static const struct raiser raisers[] = {
	ROW(raise_de, 0, false, 0),
	ROW(raise_db, 1, true, 0),
	ROW(raise_bp, 3, true, 0),
	ROW(raise_of, 4, true, 0),
	ROW(raise_ud, 6, false, 0),
	ROW(raise_hlt, 13, false, 0),
	ROW(raise_cli, 13, false, 0),
	ROW(raise_int5, 13, false, ANY_ERROR),
	ROW(raise_int48, 13, false, ANY_ERROR),
	ROW(raise_int128, 13, false, ANY_ERROR),
	ROW(raise_int255, 13, false, ANY_ERROR),
	ROW(raise_noncanonical, 13, false, 0),
	ROW(raise_ss, 12, false, 0),
	ROW(raise_rdmsr, 13, false, 0),
	ROW(raise_rdpmc, 13, false, 0),
	ROW(raise_cr0, 13, false, 0),
	ROW(raise_kernel_ds, 13, false, 0x10),
	ROW(raise_lidt, 13, false, 0),
	ROW(raise_out, 13, false, 0),
	ROW(raise_mf, 16, false, 0),
};

static const uint8_t *resume_at;

static void resume(struct utcb *u)
{
	u->state.mtd = MTD_RIP_LEN | MTD_RFLAGS;
	u->state.rip = (uint64_t)resume_at;
	u->state.rflags = 0x202;
}

/* Bit 0 of an error code (external event) is left out: int1 and the like differ between processors. */
/* QEMU raises #GP where the stack segment's #SS is due. */
static void check_raiser(const struct raiser *r)
{
	enum status st;

	resume_at = r->next;
	st = event_raise(r->code, resume);
	if (r->error != ANY_ERROR && (ev.seen.state.qual[0] ^ r->error) & ~1ul)
		test_fail(__FILE__, __LINE__, "%s: vector %u, error %#lx, want %#lx", r->name, ev.vector,
			  ev.seen.state.qual[0], r->error);
	if (st != SUCCESS || ev.count != 1 || (ev.vector != r->vector && !(r->vector == 12 && ev.vector == 13)) ||
	    ev.seen.state.rip != (uint64_t)(r->trap ? r->next : r->at))
		test_fail(__FILE__, __LINE__,
			  "%s: status %u, %u events, vector %u (want %u), rip %#lx (at %p, next %p)", r->name, st,
			  ev.count, ev.vector, r->vector, ev.seen.state.rip, r->at, r->next);
}

static void vectors(void)
{
	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	for (unsigned i = 0; i < RT_ARRAY(raisers); i++)
		check_raiser(&raisers[i]);
}

/*
 * User software interrupts other than 3 and 4 are #GP, whatever vector: none of the 256 reaches the kernel's own. The
 * error code names the gate; QEMU multiplies by the size of a 64-bit gate instead of by 8.
 */
static const uint8_t int_n[3] = {0xcd, 0, 0xc3};
static unsigned long int_n_va;

static void raise_int_n(void)
{
	((void (*)(void))int_n_va)();
}

static void software_interrupts(void)
{
	uint8_t *page = rt_pages(1);

	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	int_n_va = rt_va(1, 1);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(page), RT_SEL_PD, int_n_va, 1, RT_MEM_RWX, ITEM_HYPERVISOR));
	for (unsigned n = 0; n < 256; n++) {
		bool allowed = n == 3 || n == 4;
		unsigned long error;

		memcpy(page, int_n, sizeof(int_n));
		page[1] = (uint8_t)n;
		resume_at = (uint8_t *)int_n_va + 2;
		ASSERT_OK(event_raise(raise_int_n, resume));
		EXPECT_EQ(ev.vector, allowed ? n : 13);
		error = ev.seen.state.qual[0];
		EXPECT(allowed ? !error : error == n * 8 + 2 || error == n * 16 + 2);
	}
}

static void sysenter(void)
{
	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	resume_at = raise_sysenter_next;
	ASSERT_OK(event_raise(raise_sysenter, resume));
	EXPECT(ev.vector == 13 || ev.vector == 6); /* 6: processors without it in 64-bit mode */
}

/* QEMU reads the user's stack as if it were the kernel's, and SMAP answers with a page fault. */
static void iret_to_kernel(void)
{
	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	resume_at = raise_iret_next;
	ASSERT_OK(event_raise(raise_iret, resume));
	EXPECT_EQ(ev.count, 1);
	EXPECT(ev.vector == 13 || ev.vector == 14);
	EXPECT_EQ(ev.seen.state.rip, raise_iret_at);
}

static void alignment_check(void)
{
	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	resume_at = raise_ac_next;
	ASSERT_OK(event_raise(raise_ac, resume));
	if (!ev.count)
		SKIP("this machine does not check alignment");
	EXPECT_EQ(ev.vector, 17);
	EXPECT_EQ(ev.seen.state.rip, raise_ac_at);
	EXPECT_EQ(ev.seen.state.qual[0], 0);
}

/* Unmasked SSE exceptions: CR4.OSXMMEXCPT. */
static void sse_exception(void)
{
	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS);
	resume_at = raise_xm_next;
	ASSERT_OK(event_raise(raise_xm, resume));
	if (!ev.count)
		SKIP("this machine has no SSE exceptions");
	EXPECT_EQ(ev.vector, 19);
	EXPECT_EQ(ev.seen.state.rip, raise_xm_at);
	EXPECT_EQ(ev.seen.state.qual[0], 0);
}

/* Page faults: address and error code. */

static unsigned long fault_va;
static void do_read(void)
{
	(void)*(volatile uint8_t *)fault_va;
}
static void do_write(void)
{
	*(volatile uint8_t *)fault_va = 1;
}
static void do_exec(void)
{
	((void (*)(void))fault_va)();
}

static void skip_access(struct utcb *u)
{
	u->state.mtd = MTD_RIP_LEN | MTD_RSP;
	if (u->state.rip == fault_va) { /* a call: back to the caller */
		u->state.rip = *(uint64_t *)u->state.rsp;
		u->state.rsp += 8;
		return;
	}
	u->state.rip = *(uint64_t *)u->state.rsp; /* out of the leaf function */
	u->state.rsp += 8;
}

static void expect_pf(void (*code)(void), unsigned long va, unsigned long error, int line)
{
	fault_va = va;
	if (event_raise(code, skip_access) != SUCCESS || ev.count != 1 || ev.vector != 14 ||
	    ev.seen.state.qual[0] != error || ev.seen.state.qual[1] != va)
		test_fail(__FILE__, line, "at %#lx: vector %u, error %#lx (want %#lx), cr2 %#lx", va, ev.vector,
			  ev.seen.state.qual[0], error, ev.seen.state.qual[1]);
}
#define EXPECT_PF(code, va, error) expect_pf(code, va, error, __LINE__)

static void page_faults(void)
{
	unsigned long nothing = rt_va(2, 1), image = (unsigned long)raise_ud_at;

	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS | MTD_RSP);
	EXPECT_PF(do_read, nothing + 0x123, 4);
	EXPECT_PF(do_write, nothing + 0xfff, 6);
	EXPECT_PF(do_write, image, 7);                       /* text is read-only */
	EXPECT_PF(do_exec, (unsigned long)rt_hip + 8, 0x15); /* the HIP is not executable */
	EXPECT_PF(do_write, (unsigned long)rt_hip + 8, 7);   /* and read-only */
	EXPECT_PF(do_read, 0, 4);
	EXPECT_PF(do_read, HEDRON_USER_END, 4); /* the page below the canonical limit is nobody's */
}

/* The kernel's half looks the same to user code, mapped or not: bit 0 may be set, but there is no access. */
static void kernel_half(void)
{
	static const unsigned long addresses[] = {0xffff800000000000, 0xffffc00000000000, 0xffffc0001e000000,
						  0xfffffe0000000000, 0xfffffe2000000000, 0xffffffff80000000,
						  0xffffffffc0000000, 0xfffffffffffff000};

	event_prepare();
	event_handle_all(MTD_RIP_LEN | MTD_QUAL | MTD_RFLAGS | MTD_RSP);
	for (unsigned i = 0; i < RT_ARRAY(addresses); i++) {
		fault_va = addresses[i];
		ASSERT_OK(event_raise(do_read, skip_access));
		EXPECT_EQ(ev.vector, 14);
		EXPECT_EQ(ev.seen.state.qual[0] & ~1ul, 4);
		ASSERT_OK(event_raise(do_write, skip_access));
		EXPECT_EQ(ev.vector, 14);
		EXPECT_EQ(ev.seen.state.qual[0] & ~1ul, 6);
		ASSERT_OK(event_raise(do_exec, skip_access));
		EXPECT_EQ(ev.vector, 14);
		EXPECT_EQ(ev.seen.state.qual[0] & ~1ul, 0x14);
	}
}

const struct test event_vector_tests[] = {
	TEST(vectors),     TEST(software_interrupts), TEST(sse_exception),
	TEST(sysenter),    TEST(iret_to_kernel),      TEST(alignment_check),
	TEST(page_faults), TEST(kernel_half),         {},
};
