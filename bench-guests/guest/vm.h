/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small virtual machine to run a few instructions in: RAM, a vCPU, and everything a processor needs to be in 16-bit
 * real, 32-bit protected or 64-bit mode, and to take interrupts there.
 *
 * Guest code is written once and assembled for each mode:
 *
 *	VM_CODE(leaf_0, "xor %eax, %eax\n cpuid\n");
 *	vm_start(vm, VM_64, &leaf_0[VM_64]);
 *	st = vm_run(vm);
 *
 * Behind the code the guest finds VMCALLs. Segments are flat (real mode: 64 KiB from 0), paging is on in 64-bit mode
 * only: the first GiB, at its physical addresses, for user and supervisor.
 */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"
#include "rt/vcpu.h"

#include <stdint.h>

enum vm_mode { VM_16, VM_32, VM_64, VM_MODES };

/* Guest-physical addresses; guest code may use them, too. */
#define VM_CODE_AT 0x1000
#define VM_GDT 0x2000
#define VM_IDT 0x3000   /* in real mode at 0 */
#define VM_STUBS 0x4000 /* of each vector: VMCALL, then IRET */
#define VM_STUB_SIZE 8
#define VM_TSS 0x5000
#define VM_DATA 0x6000 /* of the guest's own, two pages */
#define VM_STACK 0x9000
#define VM_HOLE 0xe000 /* two pages that are not there */
#define VM_TABLES 0x10000
#define VM_RAM_PAGES 64

/* Ticks after which vm_start() lets a guest end that does not exit. Where SVM is, the TSC may be the host's. */
#define VM_TIMEOUT (rt_has_svm() ? 0xe0000000ul : 20000000ul)

/* Selectors of its GDT. */
enum { VM_SEL_CODE = 0x08, VM_SEL_DATA = 0x10, VM_SEL_TSS = 0x18, VM_SEL_TASK = 0x28, VM_SEL_LDT = 0x30 };

struct vm {
	struct rt_vcpu vcpu;
	struct utcb_state *s; /* its state page */
	uint8_t *ram;         /* as the roottask sees it */
	uint64_t mtd;         /* what the next run has to take from the page */
	enum vm_mode mode;
};

struct vm_code {
	const uint8_t *start, *end;
};

/* The register of the mode's width: VM_REG("ax") is %eax or %rax. Within the text of VM_CODE only. */
#define VM_REG(name) "%\\r\\()" name
#define VM_TEXT_(x) #x
#define VM_TEXT(x) VM_TEXT_(x)

#define VM_CODE(name, text)                                                                \
	__asm__(".macro " #name "_body r\n" text "\n.endm\n"                               \
		".pushsection .rodata\n"                                                   \
		".code16\n" #name "_in_16: " #name "_body e\n"                             \
		".code32\n" #name "_in_32: " #name "_body e\n"                             \
		".code64\n" #name "_in_64: " #name "_body r\n" #name "_end:\n"             \
		".popsection\n");                                                          \
	extern const uint8_t name##_in_16[], name##_in_32[], name##_in_64[], name##_end[]; \
	static const struct vm_code name[VM_MODES] = {                                     \
		{name##_in_16, name##_in_32},                                              \
		{name##_in_32, name##_in_64},                                              \
		{name##_in_64, name##_end},                                                \
	}

/* The same for one mode, with directive ".code16", ".code32" or ".code64". */
#define VM_CODE_ONE(name, directive, text)                                                                    \
	__asm__(".pushsection .rodata\n" directive "\n" #name "_one: " text "\n.code64\n" #name "_one_end:\n" \
		".popsection\n");                                                                             \
	extern const uint8_t name##_one[], name##_one_end[];                                                  \
	static const struct vm_code name = {name##_one, name##_one_end}

/*
 * Makes it from vm->vcpu; its RAM, if it has none yet, comes from the pool. The PD may have several VMs only if they
 * share the RAM.
 */
enum status vm_make(struct vm *vm) RT_MUST_CHECK;

/* The whole state, as if just switched on in that mode; RAM but for the guest's own pages is written anew. */
void vm_start(struct vm *vm, enum vm_mode mode, const struct vm_code *code);

/* One run. It takes what vm->mtd says, which is 0 then. */
enum status vm_run(struct vm *vm);

/* To the instruction behind the one that exited. */
static inline void vm_skip(struct vm *vm)
{
	vm->s->rip += vm->s->inst_len;
	vm->mtd |= MTD_RIP_LEN;
}

/* The word or byte at a guest-physical address of its RAM. */
static inline volatile uint32_t *vm_u32(struct vm *vm, uint64_t gpa)
{
	return (volatile uint32_t *)(vm->ram + gpa);
}
static inline volatile uint64_t *vm_u64(struct vm *vm, uint64_t gpa)
{
	return (volatile uint64_t *)(vm->ram + gpa);
}

static inline uint64_t vm_stub(unsigned vector)
{
	return VM_STUBS + vector * VM_STUB_SIZE;
}
const char *vm_mode_name(enum vm_mode mode);
