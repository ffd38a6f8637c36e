/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/exit.h"

#include "vmm/exit_cr.h"
#include "vmm/exit_memory.h"
#include "vmm/msr.h"
#include "vmm/scale.h"

#include "rt/size.h"

enum { UD = 6, GP = 13 };
#define EVENT (VMX_EVENT_VALID | VMX_EVENT_ERROR | 0x7ffu) /* the event of an interruption information */

void exit_raise(struct guest_cpu *cpu, unsigned vector, bool has_error)
{
	cpu->event = VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | (has_error ? VMX_EVENT_ERROR : 0) | vector;
	cpu->error = 0;
}

/* SDM volume 3, 25.3: behind the instruction STI and MOV SS block nothing any more. */
void exit_skip(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;

	s->rip += s->inst_len;
	cpu->changed |= MTD_RIP_LEN;
	if (s->intr_state & (VMX_BLOCKED_STI | VMX_BLOCKED_SS)) {
		s->intr_state &= ~(uint32_t)(VMX_BLOCKED_STI | VMX_BLOCKED_SS);
		cpu->changed |= MTD_STA;
	}
}

/*
 * Is the whole state in the page? If not, the guest runs the instruction once more, and its exit brings everything:
 * what is rare may cost two exits, so that those which are not bring little.
 */
static bool exit_has_state(struct guest_cpu *cpu)
{
	cpu->whole = !cpu->has_whole;
	return cpu->has_whole;
}

struct cpuid_regs exit_machine_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static void do_cpuid(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;
	struct cpuid_regs r;

	cpu->cpuid.cr4 = s->cr4;
	cpu->cpuid.xcr0 = s->xcr0;
	cpu->cpuid.has_apic = lapic_is_on(cpu->lapic);
	r = cpuid_answer(exit_machine_cpuid, &cpu->cpuid, (uint32_t)s->rax, (uint32_t)s->rcx);
	s->rax = r.eax;
	s->rbx = r.ebx;
	s->rcx = r.ecx;
	s->rdx = r.edx;
	cpu->changed |= MTD_GPR_ACDB;
	exit_skip(cpu);
}

/* ---- Waiting ---- */

static bool has_interrupts_on(const struct guest_cpu *cpu)
{
	return cpu->s->rflags & 1 << 9;
}

/* Nothing but another processor can make it do something. */
static bool is_idle(const struct guest_cpu *cpu, bool board_is_idle)
{
	if (cpu->lapic->waits)
		return true;
	if (!cpu->halted || !has_interrupts_on(cpu))
		return cpu->halted && !cpu->lapic->starts;
	return board_is_idle && !machine_wants(&cpu->vm->machine, cpu->number);
}

/*
 * Processors that have switched interrupts off wait for ever, and so do those for which no device will ever have one.
 */
static bool is_at_end(const struct guest_vm *vm, uint64_t now)
{
	bool board_is_idle = machine_next(&vm->machine, now) == NEVER && !pci_listens(&vm->machine.pci);

	for (unsigned n = 0; n < vm->machine.processors; n++)
		if (!is_idle(&vm->cpu[n], board_is_idle))
			return false;
	return true;
}

/* Has the processor nothing to do any more? */
static bool is_done(struct guest_cpu *cpu)
{
	struct guest_vm *vm = cpu->vm;
	uint64_t now = vm_now(vm);

	machine_run(&vm->machine, now);
	if (vm->end != VM_RUNS || cpu->lapic->waits || cpu->lapic->starts)
		return true;
	if (has_interrupts_on(cpu) && machine_wants(&vm->machine, cpu->number))
		return true;
	if (is_at_end(vm, now))
		vm->end = VM_HALTED;
	return vm->end != VM_RUNS;
}

/* If so, what the consoles have is all that comes for now. */
static bool all_wait(const struct guest_vm *vm)
{
	for (unsigned n = 0; n < vm->machine.processors; n++)
		if (!is_idle(&vm->cpu[n], true))
			return false;
	return true;
}

/* Until there is an interrupt, or another processor starts this one anew. */
static void do_hlt(struct guest_cpu *cpu)
{
	exit_skip(cpu);
	cpu->halted = true;
	while (!is_done(cpu)) {
		if (all_wait(cpu->vm))
			vm_console_flush(cpu->vm);
		vm_rest(cpu);
	}
	cpu->halted = false;
}

/* Qualification: bits 2:0 size less 1, 3 input, 4 string, 31:16 port. */
static void do_io(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;
	unsigned size = (unsigned)(s->qual[0] & 7) + 1, bits = 8 * size;
	uint16_t port = (uint16_t)(s->qual[0] >> 16);
	uint64_t now = vm_now(cpu->vm);

	if (s->qual[0] & 1 << 4) {
		if (exit_has_state(cpu))
			exit_strings(cpu);
		return;
	}
	if (!(s->qual[0] & 1 << 3)) {
		machine_out(&cpu->vm->machine, port, size, (uint32_t)s->rax, now);
	} else {
		uint64_t mask =
			size == 4 ? ~0ul : (1ul << bits) - 1; /* a write to EAX clears the upper half of RAX */

		s->rax = (s->rax & ~mask) | machine_in(&cpu->vm->machine, port, size, now);
		cpu->changed |= MTD_GPR_ACDB;
	}
	exit_skip(cpu);
}

static void do_rdmsr(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;
	uint64_t value;

	if (!msr_read(cpu, (uint32_t)s->rcx, &value)) {
		exit_raise(cpu, GP, true);
		return;
	}
	s->rax = (uint32_t)value;
	s->rdx = value >> 32;
	cpu->changed |= MTD_GPR_ACDB;
	exit_skip(cpu);
}

static void do_wrmsr(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;

	if (msr_write(cpu, (uint32_t)s->rcx, s->rdx << 32 | (uint32_t)s->rax))
		exit_skip(cpu);
	else
		exit_raise(cpu, GP, true);
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

static void do_xsetbv(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;
	uint64_t value = s->rdx << 32 | (uint32_t)s->rax;

	if ((uint32_t)s->rcx || !is_xcr0(value, cpu->cpuid.xcr0_allowed)) {
		exit_raise(cpu, GP, true);
		return;
	}
	s->xcr0 = value;
	cpu->changed |= MTD_CR;
	exit_skip(cpu);
}

/* An exception that the kernel wants to see, or one of the guest's: it is the guest's business. */
static void do_exception(struct guest_cpu *cpu)
{
	cpu->event = cpu->s->intr_info & EVENT;
	cpu->error = cpu->s->intr_error;
}

static void do_undefined(struct guest_cpu *cpu)
{
	exit_raise(cpu, UD, false);
}

static void do_rdpmc(struct guest_cpu *cpu)
{
	exit_raise(cpu, GP, true);
}

/* As processors do when there is nobody to handle a fault: the board resets the machine. */
static void do_triple_fault(struct guest_cpu *cpu)
{
	cpu->vm->machine.kbc.reset = true;
}

static void do_nothing(struct guest_cpu *cpu)
{
	(void)cpu;
}

#define STARTS_WITH                                                                                                 \
	(MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS | MTD_DS_ES | MTD_FS_GS | \
	 MTD_CS_SS | MTD_TR | MTD_LDTR | MTD_GDTR | MTD_IDTR | MTD_CR | MTD_DR | MTD_INJ | MTD_STA | MTD_EFER_PAT | \
	 MTD_TLB)

/* SDM volume 3, table 10-1, and the SIPI of 9.4.4. What these do not name stays as it is. */
void exit_start(struct guest_cpu *cpu, uint8_t page)
{
	enum { LIMIT = 0xffff, CR0_ET = 0x10, CR0_NE = 0x20, DR7_RESET = 0x400, RFLAGS_ONE = 2 };
	const struct utcb_seg data = {0, VMX_AR_DATA16, LIMIT, 0};
	struct utcb_state *s = cpu->s;

	for (unsigned n = 0; n < 16; n++)
		(&s->rax)[n] = 0;
	s->rdx = exit_machine_cpuid(1, 0).eax;
	s->rip = 0;
	s->rflags = RFLAGS_ONE;
	s->cr0 = CR0_ET | CR0_NE;
	s->cr2 = s->cr3 = s->cr4 = s->efer = 0;
	s->dr7 = DR7_RESET;
	s->cs = (struct utcb_seg){(uint16_t)(page << 8), VMX_AR_CODE16, LIMIT, (uint64_t)page << 12};
	s->ss = s->ds = s->es = s->fs = s->gs = data;
	s->tr = (struct utcb_seg){0, VMX_AR_TSS, LIMIT, 0};
	s->ldtr = (struct utcb_seg){0, VMX_AR_UNUSABLE, 0, 0};
	s->gdtr = s->idtr = (struct utcb_seg){0, 0, LIMIT, 0};
	s->intr_state = s->actv_state = s->intr_info = 0;
	cpu->event = 0;
	cpu->window = false;
	cpu->changed |= STARTS_WITH;
}

static void (*const handlers[])(struct guest_cpu *cpu) = {
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
void exit_handle(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;

	if (s->exit_reason != VMX_POKED && s->vect_info & VMX_EVENT_VALID) {
		cpu->event = s->vect_info & EVENT;
		cpu->error = s->vect_error;
		cpu->changed |= MTD_RIP_LEN;
	}
	if (s->exit_reason >= RT_ARRAY(handlers) || !handlers[s->exit_reason])
		vm_fail(cpu, "an exit that this monitor does not know");
	else if (s->exit_reason >= 64 || !(LOOK_AT_ALL >> s->exit_reason & 1) || exit_has_state(cpu))
		handlers[s->exit_reason](cpu);
}
