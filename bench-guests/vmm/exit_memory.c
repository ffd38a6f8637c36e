/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/exit_memory.h"

#include "vmm/exit_cr.h"
#include "vmm/insn.h"
#include "vmm/walk.h"

#include "rt/size.h"
#include "rt/string.h"

enum { PF = 14, RFLAGS_DF = 1 << 10, STRING_BATCH = 1024 };
#define RFLAGS_STATUS 0x8d5ul /* OF, SF, ZF, AF, PF, CF */

/* ---- Guest memory by linear address ---- */

static void *memory(const void *arg, uint64_t gpa, uint64_t size)
{
	return vm_memory(arg, gpa, size);
}

/* 3 for user code, also of virtual-8086 mode: the privilege level is that of the stack segment. */
static unsigned privilege(const struct utcb_state *s)
{
	return s->ss.ar >> 5 & 3;
}

static bool translate(struct guest_vm *vm, uint64_t linear, unsigned access, uint64_t *gpa, unsigned *error)
{
	const struct utcb_state *s = vm->s;
	struct walk_paging paging = {s->cr0, s->cr3, s->cr4, s->efer, s->rflags};

	return walk(&paging, linear, access | (privilege(s) == 3 ? WALK_USER : 0), memory, vm, gpa, error);
}

/*
 * Reads or writes up to eight bytes. Where no memory is, reads give ones and writes are lost, as on the bus of a PC.
 * False: the guest gets a page fault.
 */
static bool access_guest(struct guest_vm *vm, uint64_t linear, void *data, unsigned size, bool write)
{
	uint8_t *bytes = data;

	for (unsigned n = 0; n < size; n++) {
		uint64_t gpa;
		unsigned error;
		uint8_t *at;

		if (!translate(vm, linear + n, write ? WALK_WRITE : WALK_READ, &gpa, &error)) {
			vm->s->cr2 = linear + n;
			vm->changed |= MTD_CR;
			exit_raise(vm, PF, true);
			vm->error = error;
			return false;
		}
		at = vm_memory(vm, gpa, 1);
		if (!write)
			bytes[n] = at ? *at : 0xff;
		else if (at)
			*at = bytes[n];
	}
	return true;
}

static unsigned code_bits(const struct utcb_state *s)
{
	enum { AR_LONG = 1 << 9, AR_DEFAULT = 1 << 10, EFER_LMA = 1 << 10 };

	if (s->efer & EFER_LMA && s->cs.ar & AR_LONG)
		return 64;
	return s->cs.ar & AR_DEFAULT ? 32 : 16;
}

/* The instruction at the guest's RIP. What is not mapped any more is not there: the rest decides. */
static bool fetch(struct guest_vm *vm, struct insn *i)
{
	const struct utcb_state *s = vm->s;
	uint64_t linear = code_bits(s) == 64 ? s->rip : (uint32_t)(s->cs.base + s->rip);
	uint8_t bytes[INSN_MAX];
	unsigned count = 0, error;

	for (uint64_t gpa; count < INSN_MAX && translate(vm, linear + count, WALK_READ, &gpa, &error); count++) {
		const uint8_t *byte = vm_memory(vm, gpa, 1);

		if (!byte)
			break;
		bytes[count] = *byte;
	}
	return insn_decode(i, bytes, count, code_bits(s));
}

/* ---- Registers ---- */

static uint64_t mask(unsigned size)
{
	return size == 8 ? ~0ul : (1ul << 8 * size) - 1;
}

static uint64_t read_register(const struct utcb_state *s, const struct insn *i)
{
	return ((&s->rax)[i->reg] >> (i->high ? 8 : 0)) & mask(i->reg_size);
}

/* Writes to four bytes clear the upper half of the register. */
static void write_register(struct guest_vm *vm, const struct insn *i, uint64_t value)
{
	uint64_t *reg = &(&vm->s->rax)[i->reg];
	unsigned shift = i->high ? 8 : 0;
	uint64_t m = i->reg_size == 4 ? ~0ul : mask(i->reg_size);

	*reg = (*reg & ~(m << shift)) | (value & mask(i->reg_size)) << shift;
	vm->changed |= MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP;
}

/* Adds to RCX, RSI or RDI within the address size. */
static void advance(struct guest_vm *vm, uint64_t *reg, const struct insn *i, int64_t by)
{
	uint64_t m = mask(i->address_size);

	*reg = i->address_size == 2 ? (*reg & ~m) | ((*reg + (uint64_t)by) & m) : (*reg + (uint64_t)by) & m;
	vm->changed |= MTD_GPR_ACDB | MTD_GPR_BSD;
}

/* ---- Memory that is not there ---- */

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* The processor's own instruction knows the flags: operands are moved up, so that their sign is the register's. */
static uint64_t flags_of(enum insn_op op, uint64_t a, uint64_t b, unsigned size)
{
	unsigned shift = 64 - 8 * size;
	uint64_t flags, x = a << shift, y = b << shift;

	if (op == INSN_ADD)
		__asm__("addq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags), "+r"(x) : "r"(y) : "cc");
	else if (op == INSN_SUB || op == INSN_CMP)
		__asm__("subq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags), "+r"(x) : "r"(y) : "cc");
	else if (op == INSN_OR)
		__asm__("orq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags), "+r"(x) : "r"(y) : "cc");
	else if (op == INSN_XOR)
		__asm__("xorq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags), "+r"(x) : "r"(y) : "cc");
	else
		__asm__("andq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags), "+r"(x) : "r"(y) : "cc");
	return flags & RFLAGS_STATUS;
}

static uint64_t result_of(enum insn_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case INSN_ADD:
		return a + b;
	case INSN_SUB:
		return a - b;
	case INSN_OR:
		return a | b;
	case INSN_XOR:
		return a ^ b;
	default:
		return a & b;
	}
}

/* What is there reads as ones, and what is written to it is lost. */
static void do_nowhere(struct guest_vm *vm, const struct insn *i)
{
	uint64_t there = mask(i->size), other = i->has_imm ? i->imm & mask(i->size) : read_register(vm->s, i);

	switch (i->op) {
	case INSN_MOV:
		if (!i->to_memory)
			write_register(vm, i, i->sign ? sign_extend(there, i->size) : there);
		return;
	case INSN_XCHG:
		write_register(vm, i, there);
		return;
	default:
		break;
	}
	vm->s->rflags &= ~RFLAGS_STATUS;
	if (i->to_memory)
		vm->s->rflags |= flags_of(i->op, there, other, i->size);
	else
		vm->s->rflags |= flags_of(i->op, other, there, i->size);
	vm->changed |= MTD_RFLAGS;
	if (!i->to_memory && i->op != INSN_CMP)
		write_register(vm, i, result_of(i->op, other, there));
}

/* ---- Strings ---- */

static uint64_t linear_address(const struct utcb_state *s, unsigned segment, uint64_t offset, const struct insn *i)
{
	const struct utcb_seg *segments = &s->es; /* in the order of enum insn_segment */

	offset &= mask(i->address_size);
	if (code_bits(s) == 64)
		return offset + (segment >= INSN_FS ? segments[segment].base : 0);
	return (uint32_t)(segments[segment].base + offset);
}

/* One element; false: a page fault. `port` is that of INS and OUTS. */
static bool do_element(struct guest_vm *vm, const struct insn *i, uint16_t port)
{
	struct utcb_state *s = vm->s;
	uint64_t from = linear_address(s, i->segment, s->rsi, i), to = linear_address(s, INSN_ES, s->rdi, i),
		 value = s->rax;
	int64_t step = s->rflags & RFLAGS_DF ? -(int64_t)i->size : i->size;
	bool reads = i->op == INSN_MOVS || i->op == INSN_LODS || i->op == INSN_OUTS;

	if (reads && !access_guest(vm, from, &value, i->size, false))
		return false;
	if (i->op == INSN_OUTS)
		machine_out(&vm->machine, port, i->size, (uint32_t)value, vm_now(vm));
	if (i->op == INSN_INS)
		value = machine_in(&vm->machine, port, i->size, vm_now(vm));
	if (i->to_memory && !access_guest(vm, to, &value, i->size, true))
		return false;
	if (i->op == INSN_LODS)
		write_register(vm, i, value);
	if (reads)
		advance(vm, &s->rsi, i, step);
	if (i->to_memory)
		advance(vm, &s->rdi, i, step);
	return true;
}

/* As many elements as there are, but not so many that an interrupt has to wait: the guest comes back for the rest. */
static void do_string(struct guest_vm *vm, const struct insn *i, uint16_t port)
{
	struct utcb_state *s = vm->s;

	if (!i->repeated) {
		if (do_element(vm, i, port))
			exit_skip(vm);
		return;
	}
	for (unsigned n = 0; n < STRING_BATCH && s->rcx & mask(i->address_size); n++) {
		if (!do_element(vm, i, port))
			return;
		advance(vm, &s->rcx, i, -1);
	}
	if (!(s->rcx & mask(i->address_size)))
		exit_skip(vm);
}

/* ---- Exits ---- */

void exit_memory(struct guest_vm *vm)
{
	struct insn i;

	if (!fetch(vm, &i)) {
		vm_fail(vm, "an instruction that this monitor does not know, on memory that is not there");
		return;
	}
	vm->s->inst_len = i.length; /* the processor does not tell it for this exit */
	if (i.op >= INSN_MOVS) {
		do_string(vm, &i, 0);
		return;
	}
	do_nowhere(vm, &i);
	exit_skip(vm);
}

/* Qualification: bits 31:16 port. */
void exit_strings(struct guest_vm *vm)
{
	struct insn i;

	if (fetch(vm, &i) && (i.op == INSN_INS || i.op == INSN_OUTS))
		do_string(vm, &i, (uint16_t)(vm->s->qual[0] >> 16));
	else
		vm_fail(vm, "a string of ports whose instruction is gone");
}

_Static_assert(offsetof(struct utcb_state, gs) == offsetof(struct utcb_state, es) + INSN_GS * sizeof(struct utcb_seg),
	       "segments are in the order of enum insn_segment");
