/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against the processor's own instructions. */
#include "unit.h"

#include "vmm/arith.h"

#define AF 0x10ul

/* One instruction on operands of a type; what it leaves in the flags and in its destination. */
#define RUN(text, type)                                                                    \
	do {                                                                               \
		type x = (type)*a, y = (type)b;                                            \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" text " %2, %1\n\tpushfq\n\t" \
				 "popq %0\n\tlea 128(%%rsp), %%rsp"                        \
				 : "=&r"(flags), "+&r"(x)                                  \
				 : "r"(y)                                                  \
				 : "cc", "memory");                                        \
		*a = x;                                                                    \
	} while (0)

#define RUN_SIZED(name)                          \
	do {                                     \
		if (size == 1)                   \
			RUN(name "b", uint8_t);  \
		else if (size == 2)              \
			RUN(name "w", uint16_t); \
		else if (size == 4)              \
			RUN(name "l", uint32_t); \
		else                             \
			RUN(name "q", uint64_t); \
	} while (0)

static uint64_t processor(enum insn_op op, uint64_t *a, uint64_t b, unsigned size)
{
	uint64_t flags;

	if (op == INSN_ADD)
		RUN_SIZED("add");
	else if (op == INSN_SUB)
		RUN_SIZED("sub");
	else if (op == INSN_OR)
		RUN_SIZED("or");
	else if (op == INSN_XOR)
		RUN_SIZED("xor");
	else if (op == INSN_AND)
		RUN_SIZED("and");
	else if (op == INSN_CMP)
		RUN_SIZED("cmp");
	else
		RUN_SIZED("test");
	return flags & ARITH_FLAGS;
}

/* Numbers at the borders of sizes, and others. */
static uint64_t number(void)
{
	static const uint64_t borders[] = {0,    1,      0xf,    0x10,      0x7f,      0x80,
					   0xff, 0x7fff, 0xffff, 1ul << 31, 1ul << 63, ~0ul};

	if (unit_random(2))
		return borders[unit_random(sizeof(borders) / sizeof(*borders))];
	return (uint64_t)unit_random(~0u) << 32 | unit_random(~0u);
}

UNIT_TEST(test_processor)
{
	static const enum insn_op ops[] = {INSN_ADD, INSN_SUB, INSN_OR, INSN_XOR, INSN_AND, INSN_CMP, INSN_TEST};

	for (unsigned n = 0; n < 200000; n++) {
		enum insn_op op = ops[unit_random(7)];
		unsigned size = 1u << unit_random(4);
		uint64_t a = number(), b = number(), want = a, undefined, flags;

		flags = processor(op, &want, b, size);
		undefined = op == INSN_ADD || op == INSN_SUB || op == INSN_CMP ? 0 : AF;
		assert_int_equal(arith_flags(op, a, b, size) & ~undefined, flags & ~undefined);
		if (op != INSN_CMP && op != INSN_TEST)
			assert_true(arith_result(op, a, b, size) == want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
