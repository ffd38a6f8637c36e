/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svm/svm_insn.h"

/* The bytes that are left. What lies behind them reads as 0, and `short_of` says so. */
struct reader {
	const u8 *code;
	unsigned at, end;
	bool short_of;
};

static u8 next(struct reader *r)
{
	if (r->at < r->end)
		return r->code[r->at++];
	r->short_of = true;
	return 0;
}

struct prefixes {
	bool operand_size, address_size, segment;
	u8 segment_number, rex;
};

#define REX_B 1
#define REX_X 2
#define REX_R 4

/* True if the byte is a legacy prefix. LOCK, REPNE and REP are skipped like the others. */
static bool legacy_prefix(struct prefixes *p, u8 byte)
{
	static const u8 segments[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

	for (unsigned i = 0; i < array_size(segments); i++)
		if (byte == segments[i]) {
			p->segment = true;
			p->segment_number = (u8)i;
			return true;
		}
	p->operand_size |= byte == 0x66;
	p->address_size |= byte == 0x67;
	return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3;
}

/* The byte behind all prefixes. REX counts only if it is the last of them. */
static u8 skip_prefixes(struct reader *r, struct prefixes *p, enum svm_insn_mode mode)
{
	for (;;) {
		u8 byte = next(r);

		if (mode == SVM_INSN_64 && (byte & 0xf0) == 0x40)
			p->rex = byte;
		else if (!r->short_of && legacy_prefix(p, byte))
			p->rex = 0;
		else
			return byte;
	}
}

static void pass_over(struct reader *r, unsigned size)
{
	while (size--)
		(void)next(r);
}

static s32 displacement(struct reader *r, unsigned size)
{
	u32 value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (u32)next(r) << i * 8;
	if (size == 1)
		return (signed char)value;
	return size == 2 ? (short)value : (s32)value;
}

#define REG_SP 4
#define REG_BP 5

/* ModRM with 16-bit addresses: fixed pairs of registers. APM vol. 3, table A-33. */
static void address16(struct reader *r, struct svm_insn *i)
{
	enum { BX = 3, SI = 6, DI = 7, NONE = SVM_INSN_NONE };
	static const u8 bases[] = {BX, BX, REG_BP, REG_BP, SI, DI, REG_BP, BX};
	static const u8 indices[] = {SI, DI, SI, DI, NONE, NONE, NONE, NONE};
	u8 mod = i->modrm >> 6, rm = i->modrm & 7;
	bool direct = !mod && rm == 6;

	i->base = direct ? NONE : bases[rm];
	i->index = indices[rm];
	if (i->base == REG_BP)
		i->segment = SVM_INSN_SS;
	i->displacement = displacement(r, direct ? 2 : mod);
}

static void sib(struct reader *r, struct svm_insn *i, const struct prefixes *p, bool *absolute)
{
	u8 byte = next(r), index = (byte >> 3 & 7) | (p->rex & REX_X ? 8 : 0);

	i->scale = byte >> 6;
	i->index = index == REG_SP ? SVM_INSN_NONE : index;
	i->base = (byte & 7) | (p->rex & REX_B ? 8 : 0);
	*absolute = (byte & 7) == REG_BP && !(i->modrm >> 6);
	if (*absolute)
		i->base = SVM_INSN_NONE;
}

/* ModRM with 32-bit and 64-bit addresses. APM vol. 3, 1.4.1. */
static void address32(struct reader *r, struct svm_insn *i, const struct prefixes *p, enum svm_insn_mode mode)
{
	u8 mod = i->modrm >> 6, rm = i->modrm & 7;
	bool absolute = false;

	if (rm == REG_SP) {
		sib(r, i, p, &absolute);
	} else if (rm == REG_BP && !mod) {
		absolute = true;
		i->ip_relative = mode == SVM_INSN_64;
	} else {
		i->base = i->rm;
	}
	if (i->base == REG_SP || i->base == REG_BP)
		i->segment = SVM_INSN_SS;
	i->displacement = displacement(r, absolute ? 4 : mod == 2 ? 4 : mod);
}

static unsigned address_size(const struct prefixes *p, enum svm_insn_mode mode)
{
	if (mode == SVM_INSN_64)
		return p->address_size ? 4 : 8;
	return p->address_size == (mode == SVM_INSN_16) ? 4 : 2;
}

static void modrm(struct reader *r, struct svm_insn *i, const struct prefixes *p, enum svm_insn_mode mode)
{
	i->modrm = next(r);
	i->reg = (i->modrm >> 3 & 7) | (p->rex & REX_R ? 8 : 0);
	i->rm = (i->modrm & 7) | (p->rex & REX_B ? 8 : 0);
	i->memory =
		i->modrm < 0xc0 && !(i->two_bytes && (i->opcode & 0xfc) == 0x20); /* MOV CR and DR have no memory */
	if (!i->memory)
		return;
	if (i->address_size == 2)
		address16(r, i);
	else
		address32(r, i, p, mode);
	if (p->segment && (mode != SVM_INSN_64 || p->segment_number >= SVM_INSN_FS))
		i->segment = p->segment_number;
}

enum shape { UNKNOWN, PLAIN, MODRM, IMMEDIATE8, FAR_POINTER };

static enum shape shape_of_one(u8 opcode, enum svm_insn_mode mode)
{
	switch (opcode) {
	case 0x6c ... 0x6f: /* INS, OUTS */
	case 0x90:          /* PAUSE */
	case 0xcc:          /* INT3 */
	case 0xcf:          /* IRET */
	case 0xec ... 0xef: /* IN, OUT */
	case 0xf1:          /* INT1 */
	case 0xf4:          /* HLT */
		return PLAIN;
	case 0xcd:          /* INT */
	case 0xe4 ... 0xe7: /* IN, OUT */
		return IMMEDIATE8;
	case 0xce: /* INTO */
		return mode == SVM_INSN_64 ? UNKNOWN : PLAIN;
	case 0x9a: /* CALL and JMP to another segment, maybe a task */
	case 0xea:
		return mode == SVM_INSN_64 ? UNKNOWN : FAR_POINTER;
	case 0xff:
		return MODRM;
	default:
		return UNKNOWN;
	}
}

static enum shape shape_of_two(u8 opcode)
{
	switch (opcode) {
	case 0x06:          /* CLTS */
	case 0x08:          /* INVD */
	case 0x09:          /* WBINVD */
	case 0x30 ... 0x33: /* WRMSR, RDTSC, RDMSR, RDPMC */
	case 0xa2:          /* CPUID */
	case 0xaa:          /* RSM */
		return PLAIN;
	case 0x01:          /* VMMCALL, XSETBV, LMSW, INVLPG and others */
	case 0x20 ... 0x23: /* MOV CR, MOV DR */
		return MODRM;
	default:
		return UNKNOWN;
	}
}

struct svm_insn svm_insn_decode(const u8 *code, unsigned count, enum svm_insn_mode mode)
{
	struct reader r = {code, 0, count < SVM_INSN_MAX ? count : SVM_INSN_MAX, false};
	struct svm_insn i = {.segment = SVM_INSN_DS, .base = SVM_INSN_NONE, .index = SVM_INSN_NONE};
	struct prefixes p = {0};
	enum shape shape;

	i.opcode = skip_prefixes(&r, &p, mode);
	i.two_bytes = i.opcode == 0x0f;
	if (i.two_bytes)
		i.opcode = next(&r);
	i.address_size = (u8)address_size(&p, mode);
	shape = i.two_bytes ? shape_of_two(i.opcode) : shape_of_one(i.opcode, mode);
	if (shape == MODRM)
		modrm(&r, &i, &p, mode);
	else if (shape == IMMEDIATE8)
		i.immediate = next(&r);
	else if (shape == FAR_POINTER)
		pass_over(&r, p.operand_size == (mode == SVM_INSN_16) ? 6 : 4);
	if (shape != UNKNOWN && !r.short_of)
		i.length = (u8)r.at;
	return i;
}
