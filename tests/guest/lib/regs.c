/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making up and comparing register contents. */
#include "regs.h"

#include "gpr.h"

#include "rt/cpu.h"
#include "rt/string.h"

#define XCR0_PKRU (1ul << 9)
#define XCR0_MPX (3ul << 3)
#define LEGACY_SIZE 512
#define HEADER 512 /* XSTATE_BV, XCOMP_BV */
#define COMPONENTS 10

GPR_ASSERT(struct regs);

struct regs regs_in, regs_out, regs_seen, regs_answer;
struct xarea regs_xin, regs_xout, regs_xseen, regs_xanswer;
unsigned long regs_extended;

const char *gpr_name(unsigned n)
{
	static const char *const names[R_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
						   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

	return names[n];
}

void regs_random(struct regs *r)
{
	for (unsigned i = 0; i < R_COUNT; i++)
		r->gpr[i] = guest_random();
	r->fs = guest_random() & 0x7fffffffffff;
	r->gs = guest_random() | 0xffff800000000000;
	r->rflags = 0x202;
}

unsigned long xarea_features(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (unsigned long)hi << 32 | lo;
}

static void put(struct xarea *x, unsigned at, unsigned size, uint64_t v)
{
	memcpy(&x->byte[at], &v, size);
}

/* Offset and size of a component in the standard format. */
static struct rt_cpuid component(unsigned n)
{
	return rt_cpuid(0xd, n);
}

static void random_bytes(struct xarea *x, unsigned at, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		x->byte[at + i] = (uint8_t)guest_random();
}

void xarea_initial(struct xarea *x)
{
	memset(x, 0, sizeof(*x));
	put(x, 0, 2, 0x37f);
	put(x, 24, 4, 0x1f80);
}

/* x87 registers are 10 of 16 bytes. PKRU stays as it is: it decides about memory. */
void xarea_random(struct xarea *x)
{
	unsigned long features = xarea_features() & ~(XCR0_PKRU | XCR0_MPX);

	xarea_initial(x);
	put(x, 0, 2, 0x27f | (guest_random() & 0xc00)); /* FCW: precision and rounding */
	put(x, 2, 2, (guest_random() & 7) << 11);       /* FSW: top of stack */
	put(x, 4, 1, 0xff);                             /* FTW: all valid */
	put(x, 24, 4, 0x1f80 | (guest_random() & 0x6000) | (guest_random() & 0x3f));
	for (unsigned i = 0; i < 8; i++)
		random_bytes(x, 32 + 16 * i, 10);
	random_bytes(x, 160, 256);
	for (unsigned n = 2; n < COMPONENTS; n++)
		if (features >> n & 1)
			random_bytes(x, component(n).ebx, component(n).eax);
	put(x, HEADER, 8, features);
}

static bool same(const struct xarea *a, const struct xarea *b, unsigned at, unsigned size)
{
	return !memcmp(&a->byte[at], &b->byte[at], size);
}

/* Last x87 instruction and operand are left out: AMD's XSAVE writes them only with an exception pending. */
const char *xarea_difference(const struct xarea *a, const struct xarea *b)
{
	static const char *const names[COMPONENTS] = {"x87",    "sse",    "upper halves of YMM", "bndregs",
						      "bndcsr", "opmask", "upper halves of ZMM", "ZMM16-31",
						      "pt",     "pkru"};
	unsigned long features = xarea_features() & ~(XCR0_MPX);

	if (!same(a, b, 0, 2))
		return "FCW";
	if (!same(a, b, 2, 3))
		return "FSW or FTW";
	if (!same(a, b, 24, 4))
		return "MXCSR";
	for (unsigned i = 0; i < 8; i++)
		if (!same(a, b, 32 + 16 * i, 10))
			return "an x87 register";
	if (!same(a, b, 160, 256))
		return "an XMM register";
	for (unsigned n = 2; n < COMPONENTS; n++)
		if (features >> n & 1 && !same(a, b, component(n).ebx, component(n).eax))
			return names[n];
	return NULL;
}

bool regs_same(const struct regs *got, const struct regs *want, unsigned mask, const char *what)
{
	for (unsigned i = 0; i < R_COUNT; i++) {
		if (!(mask >> i & 1) || got->gpr[i] == want->gpr[i])
			continue;
		test_fail(what, 0, "%s: expected %#lx, got %#lx", gpr_name(i), want->gpr[i], got->gpr[i]);
		return false;
	}
	return true;
}
