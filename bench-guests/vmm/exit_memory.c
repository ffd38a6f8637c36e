/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/exit_memory.h"

#include "vmm/arith.h"
#include "vmm/exit_cr.h"
#include "vmm/insn.h"
#include "vmm/walk.h"

#include "rt/size.h"
#include "rt/string.h"

enum { PF = 14, RFLAGS_DF = 1 << 10, STRING_BATCH = 1024 };

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

static bool translate(struct guest_cpu *cpu, uint64_t linear, unsigned access, uint64_t *gpa, unsigned *error)
{
	const struct utcb_state *s = cpu->s;
	struct walk_paging paging = {s->cr0, s->cr3, s->cr4, s->efer, s->rflags};

	return walk(&paging, linear, access | (privilege(s) == 3 ? WALK_USER : 0), memory, cpu->vm, gpa, error);
}

/*
 * The guest-physical addresses of up to eight bytes. False: the guest gets a page fault, and nothing else may have
 * happened.
 */
static bool reach(struct guest_cpu *cpu, uint64_t linear, unsigned size, bool write, uint64_t at[8])
{
	for (unsigned n = 0; n < size; n++) {
		unsigned error;

		if (!translate(cpu, linear + n, write ? WALK_WRITE : WALK_READ, &at[n], &error)) {
			cpu->s->cr2 = linear + n;
			cpu->changed |= MTD_CR;
			exit_raise(cpu, PF, true);
			cpu->error = error;
			return false;
		}
	}
	return true;
}

/* What begins where no memory is is one access to the board. What only ends there is one for each byte. */
static uint64_t get(struct guest_cpu *cpu, const uint64_t at[8], unsigned size)
{
	uint64_t value = 0;

	if (!vm_memory(cpu->vm, at[0], 1))
		return machine_load(&cpu->vm->machine, cpu->number, at[0], size, vm_now(cpu->vm));
	for (unsigned n = 0; n < size; n++) {
		const uint8_t *byte = vm_memory(cpu->vm, at[n], 1);

		value |= (byte ? *byte : machine_load(&cpu->vm->machine, cpu->number, at[n], 1, vm_now(cpu->vm)))
			 << 8 * n;
	}
	return value;
}

static void put(struct guest_cpu *cpu, const uint64_t at[8], unsigned size, uint64_t value)
{
	if (!vm_memory(cpu->vm, at[0], 1))
		machine_store(&cpu->vm->machine, cpu->number, at[0], size, value, vm_now(cpu->vm));
	for (unsigned n = 0; n < size; n++) {
		uint8_t *byte = vm_memory(cpu->vm, at[n], 1);

		if (byte)
			*byte = (uint8_t)(value >> 8 * n);
	}
}

static unsigned code_bits(const struct utcb_state *s)
{
	enum { AR_DEFAULT = 1 << 10 };

	if (exit_in_64(s))
		return 64;
	return s->cs.ar & AR_DEFAULT ? 32 : 16;
}

/* The instruction at the guest's RIP. What is not mapped any more is not there: the rest decides. */
static bool fetch(struct guest_cpu *cpu, struct insn *i)
{
	const struct utcb_state *s = cpu->s;
	uint64_t linear = code_bits(s) == 64 ? s->rip : (uint32_t)(s->cs.base + s->rip);
	uint8_t bytes[INSN_MAX];
	unsigned count = 0, error;

	for (uint64_t gpa; count < INSN_MAX && translate(cpu, linear + count, WALK_READ, &gpa, &error); count++) {
		const uint8_t *byte = vm_memory(cpu->vm, gpa, 1);

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
static void write_register(struct guest_cpu *cpu, const struct insn *i, uint64_t value)
{
	uint64_t *reg = &(&cpu->s->rax)[i->reg];
	unsigned shift = i->high ? 8 : 0;
	uint64_t m = i->reg_size == 4 ? ~0ul : mask(i->reg_size);

	*reg = (*reg & ~(m << shift)) | (value & mask(i->reg_size)) << shift;
	cpu->changed |= MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP;
}

/* Adds to RCX, RSI or RDI within the address size. */
static void advance(struct guest_cpu *cpu, uint64_t *reg, const struct insn *i, int64_t by)
{
	uint64_t m = mask(i->address_size);

	*reg = i->address_size == 2 ? (*reg & ~m) | ((*reg + (uint64_t)by) & m) : (*reg + (uint64_t)by) & m;
	cpu->changed |= MTD_GPR_ACDB | MTD_GPR_BSD;
}

/* ---- Where no memory is ---- */

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << unused) >> unused);
}

static void set_flags(struct guest_cpu *cpu, uint64_t flags)
{
	cpu->s->rflags = (cpu->s->rflags & ~ARITH_FLAGS) | flags;
	cpu->changed |= MTD_RFLAGS;
}

static bool only_compares(const struct insn *i)
{
	return i->op == INSN_CMP || i->op == INSN_TEST;
}

static void do_arithmetic(struct guest_cpu *cpu, const struct insn *i, uint64_t at, uint64_t there, uint64_t other)
{
	uint64_t a = i->to_memory ? there : other, b = i->to_memory ? other : there;
	uint64_t result = arith_result(i->op, a, b, i->size);

	set_flags(cpu, arith_flags(i->op, a, b, i->size));
	if (only_compares(i))
		return;
	if (i->to_memory)
		machine_store(&cpu->vm->machine, cpu->number, at, i->size, result, vm_now(cpu->vm));
	else
		write_register(cpu, i, result);
}

/* One operand is on the board, at that address. A move to it does not read it. */
static void do_board(struct guest_cpu *cpu, const struct insn *i, uint64_t at)
{
	uint64_t other = i->has_imm ? i->imm & mask(i->size) : read_register(cpu->s, i), there;

	if (i->op == INSN_MOV && i->to_memory) {
		machine_store(&cpu->vm->machine, cpu->number, at, i->size, other, vm_now(cpu->vm));
		return;
	}
	there = machine_load(&cpu->vm->machine, cpu->number, at, i->size, vm_now(cpu->vm));
	if (i->op == INSN_MOV) {
		write_register(cpu, i, i->sign ? sign_extend(there, i->size) : there);
	} else if (i->op == INSN_XCHG) {
		machine_store(&cpu->vm->machine, cpu->number, at, i->size, other, vm_now(cpu->vm));
		write_register(cpu, i, there);
	} else {
		do_arithmetic(cpu, i, at, there, other);
	}
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

/* One element; false: a page fault, before which no device has been asked. `port` is that of INS and OUTS. */
static bool do_element(struct guest_cpu *cpu, const struct insn *i, uint16_t port)
{
	struct utcb_state *s = cpu->s;
	uint64_t from = linear_address(s, i->segment, s->rsi, i), to = linear_address(s, INSN_ES, s->rdi, i),
		 value = s->rax;
	int64_t step = s->rflags & RFLAGS_DF ? -(int64_t)i->size : i->size;
	bool reads = i->op == INSN_MOVS || i->op == INSN_LODS || i->op == INSN_OUTS;
	uint64_t source[8], target[8];

	if ((reads && !reach(cpu, from, i->size, false, source)) ||
	    (i->to_memory && !reach(cpu, to, i->size, true, target)))
		return false;
	if (reads)
		value = get(cpu, source, i->size);
	if (i->op == INSN_OUTS)
		machine_out(&cpu->vm->machine, port, i->size, (uint32_t)value, vm_now(cpu->vm));
	if (i->op == INSN_INS)
		value = machine_in(&cpu->vm->machine, port, i->size, vm_now(cpu->vm));
	if (i->op == INSN_LODS)
		write_register(cpu, i, value);
	if (i->to_memory)
		put(cpu, target, i->size, value);
	if (reads)
		advance(cpu, &s->rsi, i, step);
	if (i->to_memory)
		advance(cpu, &s->rdi, i, step);
	return true;
}

/* As many elements as there are, but not so many that an interrupt has to wait: the guest comes back for the rest. */
static void do_string(struct guest_cpu *cpu, const struct insn *i, uint16_t port)
{
	struct utcb_state *s = cpu->s;

	if (!i->repeated) {
		if (do_element(cpu, i, port))
			exit_skip(cpu);
		return;
	}
	for (unsigned n = 0; n < STRING_BATCH && s->rcx & mask(i->address_size); n++) {
		if (!do_element(cpu, i, port))
			return;
		advance(cpu, &s->rcx, i, -1);
	}
	if (!(s->rcx & mask(i->address_size)))
		exit_skip(cpu);
}

/* ---- Exits ---- */

/*
 * Qualification: bit 2 a fetch, bit 7 there is a linear address, bit 8 the access is to what is behind it, and not to
 * page tables. The delivery of an event is nobody's instruction, either.
 */
static bool is_operand(const struct utcb_state *s)
{
	enum { FETCH = 1 << 2, LINEAR = 1 << 7, BEHIND = 1 << 8 };

	return (s->qual[0] & (FETCH | LINEAR | BEHIND)) == (LINEAR | BEHIND) && !(s->vect_info & VMX_EVENT_VALID);
}

/* The second word of the qualification is the guest-physical address. */
void exit_memory(struct guest_cpu *cpu)
{
	struct insn i;

	if (!is_operand(cpu->s)) {
		vm_fail(cpu, "code, page tables, or a stack for interrupts where no memory is");
		return;
	}
	if (!fetch(cpu, &i)) {
		vm_fail(cpu, "an instruction that this monitor does not know, on memory that is not there");
		return;
	}
	cpu->s->inst_len = i.length; /* the processor does not tell it for this exit */
	if (i.op >= INSN_MOVS) {
		do_string(cpu, &i, 0);
		return;
	}
	do_board(cpu, &i, cpu->s->qual[1]);
	exit_skip(cpu);
}

/* Qualification: bits 31:16 port. */
void exit_strings(struct guest_cpu *cpu)
{
	struct insn i;

	if (fetch(cpu, &i) && (i.op == INSN_INS || i.op == INSN_OUTS))
		do_string(cpu, &i, (uint16_t)(cpu->s->qual[0] >> 16));
	else
		vm_fail(cpu, "a string of ports whose instruction is gone");
}

_Static_assert(offsetof(struct utcb_state, gs) == offsetof(struct utcb_state, es) + INSN_GS * sizeof(struct utcb_seg),
	       "segments are in the order of enum insn_segment");
