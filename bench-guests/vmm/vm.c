/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/vm.h"

#include "vmm/clock.h"
#include "vmm/exit.h"
#include "vmm/scale.h"

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/sel.h"
#include "rt/string.h"

enum { FAST_STRINGS = 1, KHZ = 1000, SLICE_NS = 10000000 };
#define PAT_RESET 0x0007040600070406ul

/* ---- Time ---- */

uint64_t vm_now(const struct guest_vm *vm)
{
	return scale(rt_rdtsc() - vm->start, NS_PER_S / KHZ, rt_hip->freq_tsc);
}

static uint64_t ticks(uint64_t ns)
{
	return scale_up(ns, rt_hip->freq_tsc, NS_PER_S / KHZ);
}

/* ---- Console ---- */

static void flush(struct vm_console *c)
{
	if (c->length)
		rt_printf("%s| %.*s\n", c->name, (int)c->length, c->line);
	c->length = 0;
}

void vm_console_flush(struct guest_vm *vm)
{
	flush(&vm->serial);
	flush(&vm->virtio);
}

/* Whole lines, so that those of several VMs and the monitor's own are told apart. Control characters are left out. */
void vm_console_send(void *arg, uint8_t byte)
{
	struct vm_console *c = arg;

	if (byte >= ' ' || byte == '\t')
		c->line[c->length++] = (char)byte;
	if (byte == '\n' || c->length == sizeof(c->line))
		flush(c);
}

void vm_fail(struct guest_cpu *cpu, const char *what)
{
	const struct utcb_state *s = cpu->s;

	vm_console_flush(cpu->vm);
	rt_printf("%s: %s: processor %u, exit %#x (%#lx, %#lx) at %#lx\n", cpu->vm->name, what, cpu->number,
		  s->exit_reason, s->qual[0], s->qual[1], s->rip);
	cpu->vm->end = VM_FAULT;
}

/* ---- Creation ---- */

static uint64_t machine_xcr0(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Controls that the processor lacks are ignored, so that the others may be asked for without looking. */
static void set_controls(struct guest_cpu *cpu)
{
	enum {
		CR4_LA57 = 1 << 12,
		CR4_VMXE = 1 << 13,
		CR4_SMXE = 1 << 14,
		CR4_PKE = 1 << 22,
		CR4_CET = 1 << 23,
		CR4_PKS = 1 << 24
	};
	struct utcb_state *s = cpu->s;
	uint32_t secondary = rt_vmx_ctrl1();

	s->ctrl[0] = VMX_CTRL0_TSC_OFFSET | VMX_CTRL0_HLT | VMX_CTRL0_MWAIT | VMX_CTRL0_MONITOR | VMX_CTRL0_RDPMC |
		     VMX_CTRL0_MSR_BITMAPS;
	s->ctrl[1] = secondary & (VMX_CTRL1_RDTSCP | VMX_CTRL1_INVPCID);
	s->cr4_mon = CR4_LA57 | CR4_VMXE | CR4_SMXE | CR4_PKE | CR4_CET | CR4_PKS; /* what its CPUID does not have */
	cpu->cpuid = (struct cpuid_guest){
		.xcr0_allowed = machine_xcr0() & ~(1ul << 9), /* not the protection keys */
		.tsc_khz = rt_hip->freq_tsc,
		.number = (uint8_t)cpu->number,
		.has_rdtscp = secondary & VMX_CTRL1_RDTSCP,
		.has_invpcid = secondary & VMX_CTRL1_INVPCID,
	};
	cpu->cr4_allowed = cpuid_cr4(exit_machine_cpuid, &cpu->cpuid);
}

static bool make_processor(struct guest_vm *vm, unsigned number, unsigned cpu)
{
	struct guest_cpu *c = &vm->cpu[number];

	*c = (struct guest_cpu){
		.vm = vm,
		.lapic = &vm->machine.lapic[number],
		.number = number,
		.vcpu = {.cpu = (cpu + number) % rt_cpu_count(), .pd = vm->pd},
		.misc_enable = FAST_STRINGS,
		.changed = RT_VCPU_ALL,
	};
	if (rt_vcpu(&c->vcpu) != SUCCESS)
		return false;
	c->s = c->vcpu.state;
	set_controls(c);
	/*
	 * As a firmware may leave it: all components that the guest can have. Where an emulator does not intercept
	 * XSETBV (QEMU 7.2 under SVM), nobody learns what a guest sets, and this is what most set.
	 */
	c->s->xcr0 = c->cpuid.xcr0_allowed;
	c->s->pat = PAT_RESET;
	c->s->tsc_off = -vm->start;
	return true;
}

static bool make(struct guest_vm *vm, unsigned cpu, unsigned processors)
{
	size_t pages = vm->ram_size / RT_PAGE;

	vm->pd = rt_sel();
	vm->ram = rt_pages_aligned(pages, 512);
	if (!vm->ram || hc_create_pd(vm->pd, RT_SEL_PD, 0, 0) != SUCCESS ||
	    rt_guest_map(vm->pd, 0, vm->ram, pages, RT_MEM_RWX) != SUCCESS)
		return false;
	vm->start = rt_rdtsc();
	for (unsigned n = 0; n < processors; n++)
		if (!make_processor(vm, n, cpu))
			return false;
	return true;
}

static bool is_possible(const char *name, unsigned processors, uint64_t ram_size)
{
	if (!ram_size || ram_size > VM_RAM_MAX) {
		rt_printf("%s: a VM has at least 2 MiB and at most %lu\n", name, VM_RAM_MAX >> 20);
		return false;
	}
	if (!processors || processors > MACHINE_PROCESSORS) {
		rt_printf("%s: a VM has at least one processor and at most %u\n", name, MACHINE_PROCESSORS);
		return false;
	}
	return true;
}

bool vm_create(struct guest_vm *vm, const char *name, unsigned cpu, unsigned processors, uint64_t ram_size)
{
	*vm = (struct guest_vm){.name = name, .ram_size = ram_size};
	vm->serial.name = vm->virtio.name = name;
	if (!is_possible(name, processors, ram_size))
		return false;
	if (!make(vm, cpu, processors)) {
		rt_printf("%s: not enough memory for a VM with %lu MiB\n", name, ram_size >> 20);
		return false;
	}
	vm->machine.uart.send = vm_console_send;
	vm->machine.uart.arg = &vm->serial;
	machine_reset(&vm->machine, processors, clock_seconds(), cpuid_crystal_hz(rt_hip->freq_tsc));
	return true;
}

/* ---- Its processors together ---- */

static void lock(struct guest_vm *vm)
{
	while (__atomic_exchange_n(&vm->locked, true, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&vm->locked, __ATOMIC_RELAXED))
			rt_pause();
}

static void unlock(struct guest_vm *vm)
{
	__atomic_store_n(&vm->locked, false, __ATOMIC_RELEASE);
}

static void stop(struct guest_cpu *cpu)
{
	if (cpu->runs)
		RT_MUST(hc_vcpu_poke(cpu->vcpu.sel));
	cpu->runs = false;
}

/* Another processor has something to do that it has not been told of: it stops the guest, or is given the CPU. */
static bool is_to_be_told(const struct guest_cpu *other)
{
	const struct guest_vm *vm = other->vm;

	return vm->end != VM_RUNS || other->lapic->waits ||
	       (!other->window && machine_wants(&vm->machine, other->number));
}

static void tell_others(struct guest_cpu *cpu)
{
	struct guest_vm *vm = cpu->vm;

	for (unsigned n = 0; n < vm->machine.processors; n++) {
		struct guest_cpu *other = &vm->cpu[n];

		if (other == cpu || !is_to_be_told(other))
			continue;
		stop(other);
		if (other->vcpu.cpu == cpu->vcpu.cpu && !other->lapic->waits)
			cpu->slice_end = 0;
	}
}

void vm_rest(struct guest_cpu *cpu)
{
	tell_others(cpu);
	unlock(cpu->vm);
	RT_MUST(hc_yield());
	lock(cpu->vm);
}

uint64_t vm_exits(const struct guest_vm *vm)
{
	uint64_t sum = 0;

	for (unsigned n = 0; n < vm->machine.processors; n++)
		sum += vm->cpu[n].exits;
	return sum;
}

/* ---- Running ---- */

/* SDM volume 3, 26.3.1.4: an interrupt can be delivered with RFLAGS.IF set, and not right behind STI or MOV SS. */
static bool takes_interrupts(const struct utcb_state *s)
{
	return s->rflags & 1 << 9 && !(s->intr_state & (VMX_BLOCKED_STI | VMX_BLOCKED_SS));
}

/* Gives the guest the interrupt that its board has for it, or asks for an exit as soon as it can take it. */
static void offer_interrupt(struct guest_cpu *cpu)
{
	struct machine *m = &cpu->vm->machine;
	bool wants = machine_wants(m, cpu->number);

	if (wants && !cpu->event && takes_interrupts(cpu->s)) {
		cpu->event = VMX_EVENT_VALID | VMX_EVENT_INTR | machine_acknowledge(m, cpu->number);
		wants = machine_wants(m, cpu->number);
	}
	if (cpu->event || wants != cpu->window) {
		cpu->s->intr_info = cpu->event | (wants ? VMX_EVENT_WANT_INTR_WINDOW : 0);
		cpu->s->intr_error = cpu->error;
		cpu->changed |= MTD_INJ;
	}
	cpu->window = wants;
	cpu->event = 0;
}

static void set_timeout(struct guest_cpu *cpu, uint64_t now)
{
	uint64_t next = machine_next_of(&cpu->vm->machine, cpu->number, now);

	if (next > cpu->slice_end)
		next = cpu->slice_end;
	cpu->s->tsc_timeout = next > now ? ticks(next - now) : 0;
	cpu->changed |= MTD_TSC_TIMEOUT;
}

/* What every exit brings to the page. Those that look at more say so, and get it from the next run. */
#define BROUGHT (MTD_GPR_ACDB | MTD_RIP_LEN | MTD_RFLAGS | MTD_STA | MTD_INJ)

/* The other processors have the board meanwhile. */
static void run(struct guest_cpu *cpu)
{
	uint64_t changed = cpu->changed;

	cpu->changed = 0;
	cpu->exits++;
	cpu->has_whole = cpu->whole || !rt_has_vcpu_partial();
	cpu->whole = false;
	cpu->runs = true;
	unlock(cpu->vm);
	RT_MUST(cpu->has_whole ? hc_vcpu_run(cpu->vcpu.sel, changed)
			       : hc_vcpu_run_partial(cpu->vcpu.sel, changed, BROUGHT));
	lock(cpu->vm);
	cpu->runs = false;
}

/* The first processor sees to the board's devices. A VM that has ended has none any more. */
void vm_wake(void *arg)
{
	const struct guest_vm *vm = arg;
	enum status st = hc_vcpu_poke(vm->cpu[0].vcpu.sel);

	rt_assert(st == SUCCESS || st == BAD_CAP);
}

static void share_cpu(struct guest_cpu *cpu)
{
	if (vm_now(cpu->vm) < cpu->slice_end)
		return;
	vm_rest(cpu);
	cpu->slice_end = vm_now(cpu->vm) + SLICE_NS;
}

/* Is it the guest's turn? What a processor that waits for its start has done before is forgotten. */
static bool is_started(struct guest_cpu *cpu)
{
	if (cpu->lapic->starts)
		exit_start(cpu, cpu->lapic->page);
	cpu->lapic->starts = false;
	return !cpu->lapic->waits;
}

static void run_once(struct guest_cpu *cpu)
{
	uint64_t now = vm_now(cpu->vm);

	machine_run(&cpu->vm->machine, now);
	offer_interrupt(cpu);
	set_timeout(cpu, now);
	tell_others(cpu);
	run(cpu);
	exit_handle(cpu);
}

bool vm_run_to_end(struct guest_cpu *cpu)
{
	struct guest_vm *vm = cpu->vm;
	bool is_last;

	lock(vm);
	while (vm->end == VM_RUNS) {
		if (!is_started(cpu)) {
			vm_rest(cpu);
			continue;
		}
		run_once(cpu);
		if (machine_is_reset(&vm->machine))
			vm->end = VM_RESET;
		if (machine_is_off(&vm->machine))
			vm->end = VM_OFF;
		tell_others(cpu);
		share_cpu(cpu);
	}
	tell_others(cpu);
	vm_console_flush(vm);
	is_last = ++vm->ended == vm->machine.processors;
	unlock(vm);
	return is_last;
}
