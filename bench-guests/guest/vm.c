/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/vm.h"

#include "rt/message.h"
#include "rt/pool.h"
#include "rt/string.h"

enum {
	CR0_PE = 1 << 0,
	CR0_ET = 1 << 4,
	CR0_NE = 1 << 5,
	CR4_PAE = 1 << 5,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_OSXSAVE = 1 << 18,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	XCR0_X87_SSE = 3,
	PTE_PRESENT_WRITE_USER = 7,
	PTE_LARGE = 1 << 7,
	TABLE_ENTRIES = 512,
	VECTORS = 256,
};
#define CR0_PG 0x80000000u
#define PAT_RESET 0x0007040600070406ul
#define RFLAGS_RESET 2
#define DR7_RESET 0x400
#define LARGE_PAGE 0x200000ul
#define TSS_LIMIT 103

const char *vm_mode_name(enum vm_mode mode)
{
	static const char *const names[] = {"16", "32", "64"};

	return names[mode];
}

static void *at(struct vm *vm, uint64_t gpa)
{
	return vm->ram + gpa;
}

/* ---- Memory ---- */

static void write_tables(struct vm *vm)
{
	uint64_t *top = at(vm, VM_TABLES), *next = top + TABLE_ENTRIES, *large = next + TABLE_ENTRIES;

	top[0] = (VM_TABLES + RT_PAGE) | PTE_PRESENT_WRITE_USER;
	next[0] = (VM_TABLES + 2 * RT_PAGE) | PTE_PRESENT_WRITE_USER;
	for (unsigned long i = 0; i < TABLE_ENTRIES; i++)
		large[i] = i * LARGE_PAGE | PTE_PRESENT_WRITE_USER | PTE_LARGE;
}

static void write_gdt(struct vm *vm)
{
	static const uint64_t code[] = {0x00009b000000ffff, 0x00cf9b000000ffff, 0x00af9b000000ffff};
	uint64_t *gdt = at(vm, VM_GDT);

	gdt[VM_SEL_CODE / 8] = code[vm->mode];
	gdt[VM_SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[VM_SEL_TSS / 8] = 0x00008b0000000000 | (uint64_t)VM_TSS << 16 | TSS_LIMIT;
	gdt[VM_SEL_TSS / 8 + 1] = 0; /* 64-bit mode: the upper half of the base */
	gdt[VM_SEL_TASK / 8] = 0x0000890000000000 | (uint64_t)(VM_TSS + 0x800) << 16 | TSS_LIMIT;
	gdt[VM_SEL_LDT / 8] = 0x0000820000000000 | (uint64_t)VM_GDT << 16 | TSS_LIMIT;
	gdt[VM_SEL_LDT / 8 + 1] = 0;
}

static void write_gate(struct vm *vm, unsigned vector)
{
	enum { INTERRUPT_GATE = 0x8e00 };
	uint32_t target = (uint32_t)vm_stub(vector);
	uint32_t low = VM_SEL_CODE << 16 | target, high = INTERRUPT_GATE;

	if (vm->mode == VM_16) {
		*vm_u32(vm, vector * 4) = target;
	} else {
		unsigned size = vm->mode == VM_64 ? 16 : 8;

		*vm_u32(vm, VM_IDT + vector * size) = low;
		*vm_u32(vm, VM_IDT + vector * size + 4) = high;
	}
}

static void write_stub(struct vm *vm, unsigned vector)
{
	static const uint8_t code[] = {0x0f, 0x01, 0xc1, 0xcf}, code64[] = {0x0f, 0x01, 0xc1, 0x48, 0xcf};

	if (vm->mode == VM_64)
		memcpy(at(vm, vm_stub(vector)), code64, sizeof(code64));
	else
		memcpy(at(vm, vm_stub(vector)), code, sizeof(code));
}

static void write_ram(struct vm *vm, const struct vm_code *code)
{
	size_t size = (size_t)(code->end - code->start);
	uint8_t *to = at(vm, VM_CODE_AT);

	memset(vm->ram, 0, VM_DATA);
	for (unsigned i = 0; i < VECTORS; i++) {
		write_gate(vm, i);
		write_stub(vm, i);
	}
	write_gdt(vm);
	write_tables(vm);
	memcpy(to, code->start, size);
	for (to += size; to < vm->ram + VM_GDT - 3; to += 3)
		memcpy(to, "\x0f\x01\xc1", 3);
}

/* ---- Registers ---- */

static struct utcb_seg segment(unsigned sel, unsigned ar, uint32_t limit, uint64_t base)
{
	return (struct utcb_seg){(uint16_t)sel, (uint16_t)ar, limit, base};
}

static void set_segments(struct utcb_state *s, enum vm_mode mode)
{
	static const uint16_t code[] = {VMX_AR_CODE16, VMX_AR_CODE32, VMX_AR_CODE64};
	bool real = mode == VM_16;
	uint32_t limit = real ? 0xffff : 0xffffffff;

	s->cs = segment(real ? 0 : VM_SEL_CODE, code[mode], limit, 0);
	s->ss = segment(real ? 0 : VM_SEL_DATA, real ? VMX_AR_DATA16 : VMX_AR_DATA32, limit, 0);
	s->ds = s->es = s->fs = s->gs = s->ss;
	s->ldtr = segment(0, VMX_AR_UNUSABLE, 0, 0);
	s->tr = segment(real ? 0 : VM_SEL_TSS, VMX_AR_TSS, TSS_LIMIT, real ? 0 : VM_TSS);
	s->gdtr = segment(0, 0, VM_SEL_LDT + 15, VM_GDT);
	s->idtr = segment(0, 0, real ? VECTORS * 4 - 1 : RT_PAGE - 1, real ? 0 : VM_IDT);
}

static void set_control(struct utcb_state *s, enum vm_mode mode)
{
	s->xcr0 = XCR0_X87_SSE;
	s->cr0 = CR0_ET | CR0_NE | (mode == VM_16 ? 0 : CR0_PE) | (mode == VM_64 ? CR0_PG : 0);
	s->cr3 = VM_TABLES;
	s->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | (mode == VM_64 ? CR4_PAE : 0);
	s->efer = mode == VM_64 ? EFER_LME | EFER_LMA : 0;
	s->pat = PAT_RESET;
	s->dr7 = DR7_RESET;
}

void vm_start(struct vm *vm, enum vm_mode mode, const struct vm_code *code)
{
	struct utcb_state *s = vm->s;

	vm->mode = mode;
	write_ram(vm, code);
	memset(s, 0, sizeof(*s));
	s->rip = VM_CODE_AT;
	s->rsp = VM_STACK;
	s->rflags = RFLAGS_RESET;
	s->tsc_timeout = VM_TIMEOUT;
	set_segments(s, mode);
	set_control(s, mode);
	vm->mtd = RT_VCPU_ALL | MTD_TLB;
}

enum status vm_make(struct vm *vm)
{
	uint64_t hole = VM_HOLE, above = VM_HOLE + 2 * RT_PAGE;
	enum status st = rt_vcpu(&vm->vcpu);

	vm->s = vm->vcpu.state;
	if (st == SUCCESS && !vm->ram)
		vm->ram = rt_pages_aligned(VM_RAM_PAGES, 1);
	if (!vm->ram)
		return OOM;
	if (st == SUCCESS)
		st = rt_guest_map(vm->vcpu.pd, 0, vm->ram, hole / RT_PAGE, RT_MEM_RWX);
	if (st == SUCCESS)
		st = rt_guest_map(vm->vcpu.pd, above, vm->ram + above, VM_RAM_PAGES - above / RT_PAGE, RT_MEM_RWX);
	return st;
}

enum status vm_run(struct vm *vm)
{
	enum status st = hc_vcpu_run(vm->vcpu.sel, vm->mtd);

	vm->mtd = 0;
	return st;
}
