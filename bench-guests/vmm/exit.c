/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/exit.h"

#include "vmm/exit_cr.h"
#include "vmm/exit_memory.h"
#include "vmm/msr.h"
#include "vmm/scale.h"

#include "rt/size.h"

enum { UD = 6, GP = 13 };
#define EVENT (VMX_EVENT_VALID | VMX_EVENT_ERROR | 0x7ffu) /* the event of an interruption information */

void exit_raise(struct guest_vm *vm, unsigned vector, bool has_error)
{
	vm->event = VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | (has_error ? VMX_EVENT_ERROR : 0) | vector;
	vm->error = 0;
}

/* SDM volume 3, 25.3: behind the instruction STI and MOV SS block nothing any more. */
void exit_skip(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;

	s->rip += s->inst_len;
	vm->changed |= MTD_RIP_LEN;
	if (s->intr_state & (VMX_BLOCKED_STI | VMX_BLOCKED_SS)) {
		s->intr_state &= ~(uint32_t)(VMX_BLOCKED_STI | VMX_BLOCKED_SS);
		vm->changed |= MTD_STA;
	}
}

/*
 * Is the whole state in the page? If not, the guest runs the instruction once more, and its exit brings everything:
 * what is rare may cost two exits, so that those which are not bring little.
 */
static bool exit_has_state(struct guest_vm *vm)
{
	vm->whole = !vm->has_whole;
	return vm->has_whole;
}

struct cpuid_regs exit_machine_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static void do_cpuid(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;
	struct cpuid_regs r;

	vm->cpuid.cr4 = s->cr4;
	vm->cpuid.xcr0 = s->xcr0;
	vm->cpuid.has_apic = lapic_is_on(&vm->machine.lapic);
	r = cpuid_answer(exit_machine_cpuid, &vm->cpuid, (uint32_t)s->rax, (uint32_t)s->rcx);
	s->rax = r.eax;
	s->rbx = r.ebx;
	s->rcx = r.ecx;
	s->rdx = r.edx;
	vm->changed |= MTD_GPR_ACDB;
	exit_skip(vm);
}

/*
 * Waits for the next interrupt. A guest that has switched them off waits for ever, and so does one for which no
 * device will ever have one.
 */
static void do_hlt(struct guest_vm *vm)
{
	exit_skip(vm);
	if (!(vm->s->rflags & 1 << 9)) {
		vm->end = VM_HALTED;
		return;
	}
	vm_console_flush(vm);
	for (;;) {
		uint64_t now = vm_now(vm);

		machine_run(&vm->machine, now);
		if (machine_wants(&vm->machine))
			return;
		if (machine_next(&vm->machine, now) == NEVER && !pci_listens(&vm->machine.pci)) {
			vm->end = VM_HALTED;
			return;
		}
		vm_yield();
	}
}

/* Qualification: bits 2:0 size less 1, 3 input, 4 string, 31:16 port. */
static void do_io(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;
	unsigned size = (unsigned)(s->qual[0] & 7) + 1, bits = 8 * size;
	uint16_t port = (uint16_t)(s->qual[0] >> 16);
	uint64_t now = vm_now(vm);

	if (s->qual[0] & 1 << 4) {
		if (exit_has_state(vm))
			exit_strings(vm);
		return;
	}
	if (!(s->qual[0] & 1 << 3)) {
		machine_out(&vm->machine, port, size, (uint32_t)s->rax, now);
	} else {
		uint64_t mask =
			size == 4 ? ~0ul : (1ul << bits) - 1; /* a write to EAX clears the upper half of RAX */

		s->rax = (s->rax & ~mask) | machine_in(&vm->machine, port, size, now);
		vm->changed |= MTD_GPR_ACDB;
	}
	exit_skip(vm);
}

static void do_rdmsr(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;
	uint64_t value;

	if (!msr_read(vm, (uint32_t)s->rcx, &value)) {
		exit_raise(vm, GP, true);
		return;
	}
	s->rax = (uint32_t)value;
	s->rdx = value >> 32;
	vm->changed |= MTD_GPR_ACDB;
	exit_skip(vm);
}

static void do_wrmsr(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;

	if (msr_write(vm, (uint32_t)s->rcx, s->rdx << 32 | (uint32_t)s->rax))
		exit_skip(vm);
	else
		exit_raise(vm, GP, true);
}

/* SDM volume 1, 13.3: x87 always, AVX with SSE, the parts of AVX-512 together and with AVX, those of MPX together. */
static bool is_xcr0(uint64_t value, uint64_t allowed)
{
	enum { X87 = 1, SSE = 2, AVX = 4, MPX = 0x18, AVX512 = 0xe0 };

	if (value & ~allowed || !(value & X87) || (value & AVX && !(value & SSE)))
		return false;
	if (value & MPX && (value & MPX) != MPX)
		return false;
	return !(value & AVX512) || ((value & AVX512) == AVX512 && value & AVX);
}

static void do_xsetbv(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;
	uint64_t value = s->rdx << 32 | (uint32_t)s->rax;

	if ((uint32_t)s->rcx || !is_xcr0(value, vm->cpuid.xcr0_allowed)) {
		exit_raise(vm, GP, true);
		return;
	}
	s->xcr0 = value;
	vm->changed |= MTD_CR;
	exit_skip(vm);
}

/* An exception that the kernel wants to see, or one of the guest's: it is the guest's business. */
static void do_exception(struct guest_vm *vm)
{
	vm->event = vm->s->intr_info & EVENT;
	vm->error = vm->s->intr_error;
}

static void do_undefined(struct guest_vm *vm)
{
	exit_raise(vm, UD, false);
}

static void do_rdpmc(struct guest_vm *vm)
{
	exit_raise(vm, GP, true);
}

/* As processors do when there is nobody to handle a fault: the board resets the machine. */
static void do_triple_fault(struct guest_vm *vm)
{
	vm->machine.kbc.reset = true;
}

static void do_nothing(struct guest_vm *vm)
{
	(void)vm;
}

static void (*const handlers[])(struct guest_vm *vm) = {
	[VMX_EXCEPTION] = do_exception,
	[VMX_INTERRUPT] = do_nothing,
	[VMX_TRIPLE_FAULT] = do_triple_fault,
	[VMX_INTR_WINDOW] = do_nothing,
	[VMX_CPUID] = do_cpuid,
	[VMX_GETSEC] = do_undefined,
	[VMX_HLT] = do_hlt,
	[VMX_INVD] = exit_skip,
	[VMX_RDPMC] = do_rdpmc,
	[VMX_VMCALL] = do_undefined,
	[VMX_VMCLEAR] = do_undefined,
	[VMX_VMLAUNCH] = do_undefined,
	[VMX_VMPTRLD] = do_undefined,
	[VMX_VMPTRST] = do_undefined,
	[VMX_VMREAD] = do_undefined,
	[VMX_VMRESUME] = do_undefined,
	[VMX_VMWRITE] = do_undefined,
	[VMX_VMXOFF] = do_undefined,
	[VMX_VMXON] = do_undefined,
	[VMX_CR] = exit_cr,
	[VMX_IO] = do_io,
	[VMX_RDMSR] = do_rdmsr,
	[VMX_WRMSR] = do_wrmsr,
	[VMX_MWAIT] = do_undefined,
	[VMX_MONITOR] = do_undefined,
	[VMX_EPT_VIOLATION] = exit_memory,
	[VMX_INVEPT] = do_undefined,
	[VMX_TIMER] = do_nothing,
	[VMX_INVVPID] = do_undefined,
	[VMX_WBINVD] = exit_skip,
	[VMX_XSETBV] = do_xsetbv,
	[VMX_POKED] = do_nothing,
};

/* Those that look at more of the state than every exit brings (vm.c). */
#define LOOK_AT_ALL                                                                                          \
	(1ul << VMX_CPUID | 1ul << VMX_CR | 1ul << VMX_RDMSR | 1ul << VMX_WRMSR | 1ul << VMX_EPT_VIOLATION | \
	 1ul << VMX_XSETBV)

/*
 * An event whose delivery was interrupted is delivered again, unless the exit has something that comes before. Bits
 * 12 and 13 are undefined here (SDM volume 3, "Information for VM exits that occur during event delivery"), and on
 * entry they ask for exits. INT n needs its length again.
 */
void exit_handle(struct guest_vm *vm)
{
	struct utcb_state *s = vm->s;

	if (s->exit_reason != VMX_POKED && s->vect_info & VMX_EVENT_VALID) {
		vm->event = s->vect_info & EVENT;
		vm->error = s->vect_error;
		vm->changed |= MTD_RIP_LEN;
	}
	if (s->exit_reason >= RT_ARRAY(handlers) || !handlers[s->exit_reason])
		vm_fail(vm, "an exit that this monitor does not know");
	else if (s->exit_reason >= 64 || !(LOOK_AT_ALL >> s->exit_reason & 1) || exit_has_state(vm))
		handlers[s->exit_reason](vm);
}
