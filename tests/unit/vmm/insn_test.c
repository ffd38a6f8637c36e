/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against the assembler: what it made of a text is decoded to what the text says, and is as long. */
#include "unit.h"

#include "vmm/insn.h"

struct code {
	const uint8_t *start, *end;
	unsigned bits;
	struct insn want;
};

/* One instruction for code of `width` bits, and what is expected of it. */
#define CODE(name, width, text)                                                            \
	__asm__(".pushsection .rodata\n.code" #width "\n" #name "_start: " text "\n" #name \
		"_end:\n.code64\n.popsection");                                            \
	extern const uint8_t name##_start[], name##_end[]

#define IS(name, width, ...)                     \
	{                                        \
		name##_start, name##_end, width, \
		{                                \
			__VA_ARGS__              \
		}                                \
	}

enum { A, C, D, B, SP, BP, SI, DI };

CODE(store, 64, "movl %ecx, 0x12345678(%rbx)");
CODE(store_r9, 64, "movq %r9, (%r12)");
CODE(store_sib, 64, "movw %dx, 0x10(%rax,%r15,8)");
CODE(store_sil, 64, "movb %sil, (%rdi)");
CODE(store_dh, 64, "movb %dh, (%rdi)");
CODE(load, 64, "movq 8(%rsp), %rdi");
CODE(load_abs, 64, "movl 0x7ee00020, %r10d");
CODE(load_rip, 64, "movl 0x1000(%rip), %eax");
CODE(load_fs, 64, "movl %fs:0x30(%rax), %eax");
CODE(load_addr32, 64, "movl (%eax), %ebx");
CODE(imm8, 64, "movb $0x80, 0x10(%rax)");
CODE(imm16, 64, "movw $0x8000, (%rax)");
CODE(imm32, 64, "movq $-2, (%rax)");
CODE(moffs, 64, "movabs %eax, 0x123456789abcdef0");
CODE(moffs_load, 64, "movabs 0x123456789abcdef0, %al");
CODE(movzx, 64, "movzbl (%rdx), %ecx");
CODE(movzx16, 64, "movzwq (%rdx), %r8");
CODE(movsx, 64, "movsbw (%rdx), %cx");
CODE(movsxd, 64, "movslq (%rdx), %rcx");
CODE(movnti, 64, "movnti %rax, (%rbx)");
CODE(or_imm8, 64, "orl $-128, 0x40(%rdi)");
CODE(and_imm32, 64, "andl $0x7fffffff, (%rdi)");
CODE(add_to, 64, "addq %rax, (%rdi)");
CODE(sub_from, 64, "subl (%rdi), %r11d");
CODE(cmp_byte, 64, "cmpb $1, (%rdi)");
CODE(xor_lock, 64, "lock xorl %eax, (%rdi)");
CODE(test_reg, 64, "testl %eax, (%rdi)");
CODE(test_imm, 64, "testb $4, (%rdi)");
CODE(test_imm32, 64, "testq $0x1000, (%rdi)");
CODE(xchg, 64, "xchgl %ebp, (%rdi)");
CODE(movs, 64, "rep movsb");
CODE(movsq, 64, "rep movsq");
CODE(movs_fs, 64, "rep movsl %fs:(%rsi), %es:(%rdi)");
CODE(stos, 64, "rep stosl");
CODE(lods, 64, "lodsw");
CODE(ins, 64, "rep insw");
CODE(outs, 64, "rep outsb");
CODE(store_32, 32, "movl %ecx, 0x12345678(%ebx,%esi,4)");
CODE(store_32_16, 32, "movw %cx, (%bx,%si)");
CODE(load_32_abs, 32, "movl 0xfee00020, %edx");
CODE(load_32_a, 32, "movl 0xfee00020, %eax");
CODE(inc_32_prefix, 32, "movb %ah, %es:(%edi)");
CODE(store_16, 16, "movw %ax, 0x1234");
CODE(store_16_bp, 16, "movb %bl, 0x12(%bp,%di)");
CODE(store_16_32, 16, "movl %eax, (%ebx)");
CODE(imm_16, 16, "movw $0x1234, 0x5678(%bx)");
CODE(stos_16, 16, "rep stosw");

static const struct code codes[] = {
	IS(store, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = C, .to_memory = true),
	IS(store_r9, 64, INSN_MOV, .size = 8, .reg_size = 8, .reg = 9, .to_memory = true),
	IS(store_sib, 64, INSN_MOV, .size = 2, .reg_size = 2, .reg = D, .to_memory = true),
	IS(store_sil, 64, INSN_MOV, .size = 1, .reg_size = 1, .reg = SI, .to_memory = true),
	IS(store_dh, 64, INSN_MOV, .size = 1, .reg_size = 1, .reg = D, .high = true, .to_memory = true),
	IS(load, 64, INSN_MOV, .size = 8, .reg_size = 8, .reg = DI),
	IS(load_abs, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = 10),
	IS(load_rip, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = A),
	IS(load_fs, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = A, .segment = INSN_FS),
	IS(load_addr32, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = B, .address_size = 4),
	IS(imm8, 64, INSN_MOV, .size = 1, .reg_size = 1, .to_memory = true, .has_imm = true, .imm = -128ul),
	IS(imm16, 64, INSN_MOV, .size = 2, .reg_size = 2, .to_memory = true, .has_imm = true, .imm = -0x8000ul),
	IS(imm32, 64, INSN_MOV, .size = 8, .reg_size = 8, .to_memory = true, .has_imm = true, .imm = -2ul),
	IS(moffs, 64, INSN_MOV, .size = 4, .reg_size = 4, .reg = A, .to_memory = true),
	IS(moffs_load, 64, INSN_MOV, .size = 1, .reg_size = 1, .reg = A),
	IS(movzx, 64, INSN_MOV, .size = 1, .reg_size = 4, .reg = C),
	IS(movzx16, 64, INSN_MOV, .size = 2, .reg_size = 8, .reg = 8),
	IS(movsx, 64, INSN_MOV, .size = 1, .reg_size = 2, .reg = C, .sign = true),
	IS(movsxd, 64, INSN_MOV, .size = 4, .reg_size = 8, .reg = C, .sign = true),
	IS(movnti, 64, INSN_MOV, .size = 8, .reg_size = 8, .reg = A, .to_memory = true),
	IS(or_imm8, 64, INSN_OR, .size = 4, .reg_size = 4, .to_memory = true, .has_imm = true, .imm = -128ul),
	IS(and_imm32, 64, INSN_AND, .size = 4, .reg_size = 4, .to_memory = true, .has_imm = true, .imm = 0x7fffffff),
	IS(add_to, 64, INSN_ADD, .size = 8, .reg_size = 8, .reg = A, .to_memory = true),
	IS(sub_from, 64, INSN_SUB, .size = 4, .reg_size = 4, .reg = 11),
	IS(cmp_byte, 64, INSN_CMP, .size = 1, .reg_size = 1, .to_memory = true, .has_imm = true, .imm = 1),
	IS(xor_lock, 64, INSN_XOR, .size = 4, .reg_size = 4, .reg = A, .to_memory = true),
	IS(test_reg, 64, INSN_TEST, .size = 4, .reg_size = 4, .reg = A, .to_memory = true),
	IS(test_imm, 64, INSN_TEST, .size = 1, .reg_size = 1, .to_memory = true, .has_imm = true, .imm = 4),
	IS(test_imm32, 64, INSN_TEST, .size = 8, .reg_size = 8, .to_memory = true, .has_imm = true, .imm = 0x1000),
	IS(xchg, 64, INSN_XCHG, .size = 4, .reg_size = 4, .reg = BP, .to_memory = true),
	IS(movs, 64, INSN_MOVS, .size = 1, .reg_size = 1, .to_memory = true, .repeated = true),
	IS(movsq, 64, INSN_MOVS, .size = 8, .reg_size = 8, .to_memory = true, .repeated = true),
	IS(movs_fs, 64, INSN_MOVS, .size = 4, .reg_size = 4, .to_memory = true, .repeated = true, .segment = INSN_FS),
	IS(stos, 64, INSN_STOS, .size = 4, .reg_size = 4, .to_memory = true, .repeated = true),
	IS(lods, 64, INSN_LODS, .size = 2, .reg_size = 2),
	IS(ins, 64, INSN_INS, .size = 2, .reg_size = 2, .to_memory = true, .repeated = true),
	IS(outs, 64, INSN_OUTS, .size = 1, .reg_size = 1, .repeated = true),
	IS(store_32, 32, INSN_MOV, .size = 4, .reg_size = 4, .reg = C, .to_memory = true),
	IS(store_32_16, 32, INSN_MOV, .size = 2, .reg_size = 2, .reg = C, .to_memory = true, .address_size = 2),
	IS(load_32_abs, 32, INSN_MOV, .size = 4, .reg_size = 4, .reg = D),
	IS(load_32_a, 32, INSN_MOV, .size = 4, .reg_size = 4, .reg = A),
	IS(inc_32_prefix, 32, INSN_MOV, .size = 1, .reg_size = 1, .reg = A, .high = true, .to_memory = true,
	   .segment = INSN_ES),
	IS(store_16, 16, INSN_MOV, .size = 2, .reg_size = 2, .reg = A, .to_memory = true),
	IS(store_16_bp, 16, INSN_MOV, .size = 1, .reg_size = 1, .reg = B, .to_memory = true),
	IS(store_16_32, 16, INSN_MOV, .size = 4, .reg_size = 4, .reg = A, .to_memory = true, .address_size = 4),
	IS(imm_16, 16, INSN_MOV, .size = 2, .reg_size = 2, .to_memory = true, .has_imm = true, .imm = 0x1234),
	IS(stos_16, 16, INSN_STOS, .size = 2, .reg_size = 2, .to_memory = true, .repeated = true),
};

#define CODES (sizeof(codes) / sizeof(*codes))

static unsigned length(const struct code *c)
{
	return (unsigned)(c->end - c->start);
}

UNIT_TEST(test_assembled)
{
	for (unsigned n = 0; n < CODES; n++) {
		const struct code *c = &codes[n];
		struct insn want = c->want, got;

		want.length = (uint8_t)length(c);
		if (!want.address_size)
			want.address_size = (uint8_t)(c->bits / 8);
		if (!want.segment) /* ES is number 0: named where it is meant */
			want.segment = c->start[0] == 0x26 ? INSN_ES : INSN_DS;
		assert_true(insn_decode(&got, c->start, length(c), c->bits));
		if (got.has_imm)
			got.reg = 0, got.high = false; /* the field is the operation's number */
		assert_int_equal(got.op, want.op);
		assert_int_equal(got.length, want.length);
		assert_int_equal(got.size, want.size);
		assert_int_equal(got.reg_size, want.reg_size);
		assert_int_equal(got.reg, want.reg);
		assert_int_equal(got.address_size, want.address_size);
		assert_int_equal(got.segment, want.segment);
		assert_int_equal(got.high, want.high);
		assert_int_equal(got.to_memory, want.to_memory);
		assert_int_equal(got.sign, want.sign);
		assert_int_equal(got.has_imm, want.has_imm);
		assert_int_equal(got.repeated, want.repeated);
		assert_true(got.imm == want.imm);
	}
}

/* A byte less is not enough, and what is behind does not matter. */
UNIT_TEST(test_cut)
{
	for (unsigned n = 0; n < CODES; n++) {
		const struct code *c = &codes[n];
		uint8_t bytes[INSN_MAX];
		struct insn i;

		for (unsigned count = 0; count < length(c); count++)
			assert_false(insn_decode(&i, c->start, count, c->bits));
		memset(bytes, 0xcc, sizeof(bytes));
		memcpy(bytes, c->start, length(c));
		assert_true(insn_decode(&i, bytes, sizeof(bytes), c->bits));
		assert_int_equal(i.length, length(c));
	}
}

UNIT_TEST(test_refused)
{
	static const struct {
		const char *bytes;
		unsigned count, bits;
	} refused[] = {
		{"\x89\xc8", 2, 64},                 /* registers only */
		{"\x8f\x00", 2, 64},                 /* POP */
		{"\x11\x00", 2, 64},                 /* ADC */
		{"\x80\x10\x00", 3, 64},             /* ADC, with an immediate */
		{"\xf7\x18", 2, 64},                 /* NEG */
		{"\xc7\x08\x00\x00\x00\x00", 6, 64}, /* not MOV */
		{"\x0f\x10\x00", 3, 64},             /* MOVUPS */
		{"\x63\x00", 2, 32},                 /* ARPL */
		{"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x89\x08", 16, 64}, /* 16 bytes */
		{"\xf4", 1, 64},
	};

	for (unsigned n = 0; n < sizeof(refused) / sizeof(*refused); n++) {
		struct insn i;

		assert_false(insn_decode(&i, (const uint8_t *)refused[n].bytes, refused[n].count, refused[n].bits));
	}
	/* A REX before another prefix counts for nothing. */
	struct insn i;

	assert_true(insn_decode(&i, (const uint8_t *)"\x48\x66\x89\x08", 4, 64));
	assert_int_equal(i.size, 2);
}

/* Nothing outside is read (the sanitizer sees to that), and what is decoded makes sense. */
UNIT_TEST(test_random)
{
	static const unsigned widths[] = {16, 32, 64};

	for (unsigned n = 0; n < 2000000; n++) {
		uint8_t bytes[INSN_MAX];
		unsigned count = unit_random(INSN_MAX + 1);
		uint8_t *exact = bytes + INSN_MAX - count;
		struct insn i;

		for (unsigned k = 0; k < count; k++)
			exact[k] = (uint8_t)unit_random(256);
		if (!insn_decode(&i, exact, count, widths[unit_random(3)]))
			continue;
		assert_in_range(i.length, 1, count);
		assert_true(i.size == 1 || i.size == 2 || i.size == 4 || i.size == 8);
		assert_true(i.reg_size >= i.size && i.reg_size <= 8 && i.reg < 16);
		assert_true(i.segment <= INSN_GS);
		assert_true(!i.high || (i.reg < 4 && i.reg_size == 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assembled),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
