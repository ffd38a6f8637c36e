/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths and operands of the instructions that exit, in all modes; and that nothing is read that is not there. */
#include "unit.h"

#include "svm/svm_insn.c"

#include <stdlib.h>

#ifdef HEDRON_CAPSTONE
#include <capstone/capstone.h>
#endif

static const enum svm_insn_mode modes[] = {SVM_INSN_16, SVM_INSN_32, SVM_INSN_64};

#define CODE(...) {__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})

struct sample {
	u8 code[8];
	unsigned size;
	u8 length[3]; /* with 16, 32 and 64 bits; 0: none of the instructions that are known */
};

static void assert_length(const struct sample *s, unsigned mode)
{
	u8 padded[SVM_INSN_MAX + 5] = {0};

	memcpy(padded, s->code, s->size);
	assert_int_equal(svm_insn_decode(padded, sizeof(padded), modes[mode]).length, s->length[mode]);
}

UNIT_TEST(lengths)
{
	static const struct sample samples[] = {
		{CODE(0x0f, 0xa2), {2, 2, 2}},                         /* CPUID */
		{CODE(0x66, 0xf3, 0x0f, 0xa2), {4, 4, 4}},             /* with prefixes */
		{CODE(0x48, 0x0f, 0xa2), {0, 0, 3}},                   /* REX: DEC in other modes */
		{CODE(0x48, 0x66, 0x0f, 0xa2), {0, 0, 4}},             /* REX in the wrong place */
		{CODE(0xf4), {1, 1, 1}},                               /* HLT */
		{CODE(0x0f, 0x01, 0xd9), {3, 3, 3}},                   /* VMMCALL */
		{CODE(0x0f, 0x01, 0xc1), {3, 3, 3}},                   /* VMCALL */
		{CODE(0xf3, 0x90), {2, 2, 2}},                         /* PAUSE */
		{CODE(0xe4, 0x60), {2, 2, 2}},                         /* IN */
		{CODE(0x66, 0xef), {2, 2, 2}},                         /* OUT */
		{CODE(0xf3, 0x6e), {2, 2, 2}},                         /* REP OUTS */
		{CODE(0xcd, 0x80), {2, 2, 2}},                         /* INT */
		{CODE(0xce), {1, 1, 0}},                               /* INTO */
		{CODE(0xea, 0, 0, 0, 0, 0x28, 0), {5, 7, 0}},          /* JMP */
		{CODE(0x66, 0x9a, 0, 0, 0, 0, 0x28, 0), {8, 6, 0}},    /* CALL */
		{CODE(0x0f, 0x22, 0xc3), {3, 3, 3}},                   /* MOV to CR0 */
		{CODE(0x0f, 0x20, 0x04), {3, 3, 3}},                   /* MOV from CR0: no memory */
		{CODE(0x0f, 0x01, 0x3d, 0, 0, 0, 0), {3, 7, 7}},       /* INVLPG */
		{CODE(0x0f, 0x01, 0x7c, 0x24, 8), {4, 5, 5}},          /* with SIB */
		{CODE(0x0f, 0x01, 0x3c, 0x25, 0, 0, 0, 0), {3, 8, 8}}, /* with SIB, without a base */
		{CODE(0x67, 0x0f, 0x01, 0x3e, 0, 0), {4, 6, 4}},       /* with the other address size */
		{CODE(0x0f, 0x01, 0xbe, 0, 0, 0, 0), {5, 7, 7}},       /* with a long displacement */
		{CODE(0x90), {1, 1, 1}},                               /* NOP, which is PAUSE without its prefix */
		{CODE(0x89, 0xd8), {0, 0, 0}},                         /* MOV */
		{CODE(0x0f, 0x05), {0, 0, 0}},                         /* SYSCALL */
	};

	for (unsigned i = 0; i < array_size(samples); i++)
		for (unsigned mode = 0; mode < array_size(modes); mode++)
			assert_length(&samples[i], mode);
}

/* Fifteen prefixes are an instruction that no processor takes. */
UNIT_TEST(too_long)
{
	u8 code[SVM_INSN_MAX + 2];

	memset(code, 0x66, sizeof(code));
	code[SVM_INSN_MAX - 1] = 0xf4;
	assert_int_equal(svm_insn_decode(code, sizeof(code), SVM_INSN_64).length, SVM_INSN_MAX);
	code[SVM_INSN_MAX - 1] = 0x66;
	code[SVM_INSN_MAX] = 0xf4;
	assert_int_equal(svm_insn_decode(code, sizeof(code), SVM_INSN_64).length, 0);
}

UNIT_TEST(registers)
{
	struct svm_insn i = svm_insn_decode((const u8[]){0x41, 0x0f, 0x22, 0xe3}, 4, SVM_INSN_64);

	assert_int_equal(i.length, 4);
	assert_int_equal(i.reg, 4);
	assert_int_equal(i.rm, 11);
	assert_false(i.memory);
	i = svm_insn_decode((const u8[]){0x44, 0x0f, 0x20, 0xc0}, 4, SVM_INSN_64);
	assert_int_equal(i.reg, 8); /* CR8 */
	assert_int_equal(i.rm, 0);
}

struct operand {
	u8 code[9];
	unsigned size;
	enum svm_insn_mode mode;
	u8 base, index, scale, segment, address_size;
	s32 displacement;
	bool ip_relative;
};

UNIT_TEST(operands)
{
	enum { NONE = SVM_INSN_NONE, BX = 3, BP = 5, SI = 6, DI = 7 };
	static const struct operand operands[] = {
		{CODE(0x0f, 0x01, 0x38), SVM_INSN_16, BX, SI, 0, SVM_INSN_DS, 2, 0, false},
		{CODE(0x0f, 0x01, 0x7b, 0xff), SVM_INSN_16, BP, DI, 0, SVM_INSN_SS, 2, -1, false},
		{CODE(0x0f, 0x01, 0x3e, 0x34, 0x12), SVM_INSN_16, NONE, NONE, 0, SVM_INSN_DS, 2, 0x1234, false},
		{CODE(0x0f, 0x01, 0x7d, 0x10), SVM_INSN_32, BP, NONE, 0, SVM_INSN_SS, 4, 16, false},
		{CODE(0x64, 0x0f, 0x01, 0x3b), SVM_INSN_32, BX, NONE, 0, SVM_INSN_FS, 4, 0, false},
		{CODE(0x0f, 0x01, 0x3c, 0xbb), SVM_INSN_32, BX, DI, 2, SVM_INSN_DS, 4, 0, false},
		{CODE(0x2e, 0x0f, 0x01, 0x3b), SVM_INSN_64, BX, NONE, 0, SVM_INSN_DS, 8, 0, false},
		{CODE(0x43, 0x0f, 0x01, 0x3c, 0xe5, 0, 0, 0, 0), SVM_INSN_64, NONE, 12, 3, SVM_INSN_DS, 8, 0, false},
		{CODE(0x0f, 0x01, 0x3d, 0, 0, 0, 0x80), SVM_INSN_64, NONE, NONE, 0, SVM_INSN_DS, 8, INT32_MIN, true},
	};

	for (unsigned n = 0; n < array_size(operands); n++) {
		const struct operand *o = &operands[n];
		struct svm_insn i = svm_insn_decode(o->code, o->size, o->mode);

		assert_int_equal(i.length, o->size);
		assert_true(i.memory);
		assert_int_equal(i.base, o->base);
		assert_int_equal(i.index, o->index);
		assert_int_equal(i.scale, o->scale);
		assert_int_equal(i.segment, o->segment);
		assert_int_equal(i.address_size, o->address_size);
		assert_int_equal(i.displacement, o->displacement);
		assert_int_equal(i.ip_relative, o->ip_relative);
	}
}

/* Whatever the bytes: what is there is enough for the length, and each byte less makes it unknown. The buffer is as
 * long as what is in it, so that a sanitizer sees a byte too far. */
static void assert_bounded(const u8 *bytes, enum svm_insn_mode mode)
{
	u8 length = svm_insn_decode(bytes, SVM_INSN_MAX, mode).length;

	assert_true(length <= SVM_INSN_MAX);
	for (unsigned count = 0; count <= SVM_INSN_MAX; count++) {
		u8 *copy = malloc(count + 1);

		memcpy(copy, bytes, count);
		copy[count] = 0xf4;
		assert_int_equal(svm_insn_decode(copy, count, mode).length, length && count >= length ? length : 0);
		free(copy);
	}
}

/* Mostly prefixes and opcodes that are known, so that few inputs are wasted. */
static void random_code(u8 *code)
{
	static const u8 likely_bytes[] = {0x0f, 0x01, 0x20, 0x22, 0x23, 0x66, 0x67, 0xf3, 0x2e, 0x64, 0x48, 0x41,
					  0xa2, 0xf4, 0xcd, 0xe4, 0x6e, 0xff, 0xea, 0x9a, 0x06, 0x30, 0x31, 0xf0};

	for (unsigned i = 0; i < SVM_INSN_MAX; i++)
		code[i] =
			(u8)(unit_random(4) ? likely_bytes[unit_random(array_size(likely_bytes))] : unit_random(256));
}

UNIT_TEST(any_bytes)
{
	u8 code[SVM_INSN_MAX];

	for (unsigned i = 0; i < 20000; i++) {
		random_code(code);
		for (unsigned mode = 0; mode < array_size(modes); mode++)
			assert_bounded(code, modes[mode]);
	}
}

#ifdef HEDRON_CAPSTONE
/* Where both know the instruction, both know the same length. */
UNIT_TEST(as_capstone)
{
	static const cs_mode theirs[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
	unsigned compared = 0;

	for (unsigned mode = 0; mode < array_size(modes); mode++) {
		csh handle;

		assert_int_equal(cs_open(CS_ARCH_X86, theirs[mode], &handle), CS_ERR_OK);
		cs_insn *insn = cs_malloc(handle);
		for (unsigned i = 0; i < 200000; i++) {
			u8 code[SVM_INSN_MAX];
			size_t size = sizeof(code);
			const u8 *at = code;
			uint64_t address = 0;

			random_code(code);
			u8 length = svm_insn_decode(code, sizeof(code), modes[mode]).length;
			if (!length || !cs_disasm_iter(handle, &at, &size, &address, insn))
				continue;
			compared++;
			if (insn->size != length)
				fail_msg("mode %u, %02x %02x %02x %02x %02x %02x: %u instead of %u, %s %s",
					 modes[mode], code[0], code[1], code[2], code[3], code[4], code[5], length,
					 insn->size, insn->mnemonic, insn->op_str);
		}
		cs_free(insn, 1);
		cs_close(&handle);
	}
	assert_true(compared > 10000);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),     cmocka_unit_test(too_long),  cmocka_unit_test(registers),
		cmocka_unit_test(operands),    cmocka_unit_test(any_bytes),
#ifdef HEDRON_CAPSTONE
		cmocka_unit_test(as_capstone),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
