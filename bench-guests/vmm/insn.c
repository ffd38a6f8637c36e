/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/insn.h"

enum { REX_W = 8, REX_R = 4, REX_PREFIX = 0x40 };

struct stream {
	const uint8_t *bytes;
	unsigned count, at, bits;
	bool failed;
	bool operand_prefix, address_prefix;
	uint8_t rex;
};

static uint8_t next(struct stream *s)
{
	if (s->at >= s->count || s->at >= INSN_MAX) {
		s->failed = true;
		return 0;
	}
	return s->bytes[s->at++];
}

static void skip(struct stream *s, unsigned size)
{
	while (size--)
		next(s);
}

/* The next `size` bytes, 1 to 8, sign-extended. */
static uint64_t immediate(struct stream *s, unsigned size)
{
	uint64_t value = 0;
	unsigned unused = 64 - 8 * size;

	for (unsigned n = 0; n < size; n++)
		value |= (uint64_t)next(s) << 8 * n;
	return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* Prefixes in any order; a REX that is not the last one does not count. Returns the first byte of the opcode. */
static uint8_t read_prefixes(struct stream *s, struct insn *i)
{
	static const struct {
		uint8_t byte, segment;
	} segments[] = {{0x26, INSN_ES}, {0x2e, INSN_CS}, {0x36, INSN_SS},
			{0x3e, INSN_DS}, {0x64, INSN_FS}, {0x65, INSN_GS}};

	while (!s->failed) {
		uint8_t byte = next(s);
		bool is_prefix = false;

		if (s->bits == 64 && (byte & 0xf0) == REX_PREFIX) {
			s->rex = byte;
			continue;
		}
		for (unsigned n = 0; n < sizeof(segments) / sizeof(*segments); n++)
			if (byte == segments[n].byte) {
				/* In 64-bit code only FS and GS have a base. */
				if (s->bits != 64 || segments[n].segment >= INSN_FS)
					i->segment = segments[n].segment;
				is_prefix = true;
			}
		if (byte == 0x66)
			s->operand_prefix = is_prefix = true;
		else if (byte == 0x67)
			s->address_prefix = is_prefix = true;
		else if (byte == 0xf2 || byte == 0xf3)
			i->repeated = is_prefix = true;
		else if (byte == 0xf0)
			is_prefix = true; /* LOCK: nobody else is there */
		if (!is_prefix)
			return byte;
		s->rex = 0;
	}
	return 0;
}

static uint8_t operand_size(const struct stream *s)
{
	if (s->rex & REX_W)
		return 8;
	return (s->bits == 16) == s->operand_prefix ? 4 : 2;
}

static uint8_t address_size(const struct stream *s)
{
	if (s->bits == 64)
		return s->address_prefix ? 4 : 8;
	return (s->bits == 16) == s->address_prefix ? 4 : 2;
}

/* Length of the operand's address behind ModRM. SDM volume 2, tables 2-1 to 2-3. */
static void skip_address(struct stream *s, uint8_t modrm, unsigned size)
{
	unsigned mod = modrm >> 6, rm = modrm & 7, displacement = mod == 1 ? 1 : mod == 2 ? (size == 2 ? 2 : 4) : 0;

	if (size == 2) {
		if (mod == 0 && rm == 6)
			displacement = 2;
	} else {
		if (rm == 4 && (next(s) & 7) == 5 && mod == 0)
			displacement = 4;
		if (mod == 0 && rm == 5)
			displacement = 4;
	}
	skip(s, displacement);
}

static void set_register(const struct stream *s, struct insn *i, uint8_t number)
{
	i->reg = number | (s->rex & REX_R ? 8 : 0);
	/* Without REX, numbers 4 to 7 of byte registers are the second bytes of 0 to 3. */
	i->high = i->reg_size == 1 && !s->rex && number >= 4;
	if (i->high)
		i->reg = number - 4;
}

/* Reads ModRM, whose operand must be in memory, and returns its middle field. */
static unsigned read_modrm(struct stream *s, struct insn *i)
{
	uint8_t modrm = next(s);

	if (modrm >> 6 == 3)
		s->failed = true;
	set_register(s, i, modrm >> 3 & 7);
	skip_address(s, modrm, i->address_size);
	return modrm >> 3 & 7;
}

static void read_immediate(struct stream *s, struct insn *i, unsigned size)
{
	i->imm = immediate(s, size);
	i->has_imm = true;
}

static void set_size(struct stream *s, struct insn *i, bool wide)
{
	i->size = i->reg_size = wide ? operand_size(s) : 1;
}

/* Numbers of arithmetic in opcodes and ModRM: ADC and SBB are left out, they need a flag from before. */
static bool set_arithmetic(struct insn *i, unsigned number)
{
	static const int ops[] = {INSN_ADD, INSN_OR, -1, -1, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP};

	if (ops[number] < 0)
		return false;
	i->op = (enum insn_op)ops[number];
	return true;
}

static bool is_string(uint8_t opcode, enum insn_op *op)
{
	switch (opcode & 0xfe) {
	case 0x6c:
		*op = INSN_INS;
		return true;
	case 0x6e:
		*op = INSN_OUTS;
		return true;
	case 0xa4:
		*op = INSN_MOVS;
		return true;
	case 0xaa:
		*op = INSN_STOS;
		return true;
	case 0xac:
		*op = INSN_LODS;
		return true;
	default:
		return false;
	}
}

static bool decode_two_bytes(struct stream *s, struct insn *i)
{
	uint8_t opcode = next(s);

	switch (opcode) {
	case 0xb6: /* MOVZX and MOVSX */
	case 0xb7:
	case 0xbe:
	case 0xbf:
		i->reg_size = operand_size(s);
		read_modrm(s, i);
		i->size = opcode & 1 ? 2 : 1;
		i->sign = opcode & 8;
		return true;
	case 0xc3: /* MOVNTI */
		set_size(s, i, true);
		i->to_memory = true;
		read_modrm(s, i);
		return true;
	default:
		return false;
	}
}

/* Opcodes whose ModRM says more: 80 to 83, C6, C7, F6, F7. */
static bool decode_group(struct stream *s, struct insn *i, uint8_t opcode)
{
	unsigned number, size;

	set_size(s, i, opcode & 1);
	number = read_modrm(s, i);
	size = i->size > 4 ? 4 : i->size;
	i->to_memory = true;
	if (opcode >= 0xf6)
		i->op = INSN_TEST;
	if (opcode <= 0x83 ? !set_arithmetic(i, number) : number > (opcode >= 0xf6 ? 1 : 0))
		return false;
	read_immediate(s, i, opcode == 0x83 ? 1 : size);
	return true;
}

static bool decode_string(struct stream *s, struct insn *i, uint8_t opcode)
{
	set_size(s, i, opcode & 1);
	if ((i->op == INSN_INS || i->op == INSN_OUTS) && i->size == 8)
		i->size = i->reg_size = 4;
	i->to_memory = i->op == INSN_MOVS || i->op == INSN_STOS || i->op == INSN_INS;
	return true;
}

static bool decode_one_byte(struct stream *s, struct insn *i, uint8_t opcode)
{
	if (is_string(opcode, &i->op))
		return decode_string(s, i, opcode);
	if (opcode < 0x40 && (opcode & 7) < 4) {
		set_size(s, i, opcode & 1);
		i->to_memory = !(opcode & 2);
		read_modrm(s, i);
		return set_arithmetic(i, opcode >> 3);
	}
	switch (opcode) {
	case 0x63: /* MOVSXD */
		if (s->bits != 64)
			return false;
		i->reg_size = operand_size(s);
		read_modrm(s, i);
		i->size = i->reg_size < 4 ? i->reg_size : 4;
		i->sign = true;
		return true;
	case 0x80:
	case 0x81:
	case 0x83:
	case 0xc6:
	case 0xc7:
	case 0xf6:
	case 0xf7:
		return decode_group(s, i, opcode);
	case 0x84:
	case 0x85:
	case 0x86:
	case 0x87:
		i->op = opcode & 2 ? INSN_XCHG : INSN_TEST;
		i->to_memory = true;
		set_size(s, i, opcode & 1);
		read_modrm(s, i);
		return true;
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
		set_size(s, i, opcode & 1);
		i->to_memory = !(opcode & 2);
		read_modrm(s, i);
		return true;
	case 0xa0: /* MOV of the accumulator, with an address in the instruction */
	case 0xa1:
	case 0xa2:
	case 0xa3:
		set_size(s, i, opcode & 1);
		i->to_memory = opcode & 2;
		skip(s, i->address_size);
		return true;
	default:
		return false;
	}
}

bool insn_decode(struct insn *i, const uint8_t *bytes, unsigned count, unsigned bits)
{
	struct stream s = {.bytes = bytes, .count = count, .bits = bits};
	uint8_t opcode;
	bool known;

	*i = (struct insn){.op = INSN_MOV, .segment = INSN_DS};
	opcode = read_prefixes(&s, i);
	i->address_size = address_size(&s);
	known = opcode == 0x0f ? decode_two_bytes(&s, i) : decode_one_byte(&s, i, opcode);
	i->length = (uint8_t)s.at;
	return known && !s.failed;
}
