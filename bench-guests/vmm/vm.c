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

enum { XCR0_X87 = 1, FAST_STRINGS = 1, KHZ = 1000, SLICE_NS = 10000000 };
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

void vm_console_flush(struct guest_vm *vm)
{
	if (vm->line_len)
		rt_printf("%s| %.*s\n", vm->name, (int)vm->line_len, vm->line);
	vm->line_len = 0;
}

/* Whole lines, so that those of several VMs and the monitor's own are told apart. Control characters are left out. */
void vm_console_send(void *arg, uint8_t byte)
{
	struct guest_vm *vm = arg;

	if (byte >= ' ' || byte == '\t')
		vm->line[vm->line_len++] = (char)byte;
	if (byte == '\n' || vm->line_len == sizeof(vm->line))
		vm_console_flush(vm);
}

void vm_fail(struct guest_vm *vm, const char *what)
{
	const struct utcb_state *s = vm->s;

	vm_console_flush(vm);
	rt_printf("%s: %s: exit %#x (%#lx, %#lx) at %#lx\n", vm->name, what, s->exit_reason, s->qual[0], s->qual[1],
		  s->rip);
	vm->end = VM_FAULT;
}

/* ---- Creation ---- */

static uint64_t machine_xcr0(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Controls that the processor lacks are ignored, so that the others may be asked for without looking. */
static void set_controls(struct guest_vm *vm)
{
	enum {
		CR4_LA57 = 1 << 12,
		CR4_VMXE = 1 << 13,
		CR4_SMXE = 1 << 14,
		CR4_PKE = 1 << 22,
		CR4_CET = 1 << 23,
		CR4_PKS = 1 << 24
	};
	struct utcb_state *s = vm->s;
	uint32_t secondary = rt_vmx_ctrl1();

	s->ctrl[0] = VMX_CTRL0_TSC_OFFSET | VMX_CTRL0_HLT | VMX_CTRL0_MWAIT | VMX_CTRL0_MONITOR | VMX_CTRL0_RDPMC |
		     VMX_CTRL0_MSR_BITMAPS;
	s->ctrl[1] = secondary & (VMX_CTRL1_RDTSCP | VMX_CTRL1_INVPCID);
	s->cr4_mon = CR4_LA57 | CR4_VMXE | CR4_SMXE | CR4_PKE | CR4_CET | CR4_PKS; /* what its CPUID does not have */
	vm->cpuid = (struct cpuid_guest){
		.xcr0_allowed = machine_xcr0() & ~(1ul << 9), /* not the protection keys */
		.tsc_khz = rt_hip->freq_tsc,
		.has_rdtscp = secondary & VMX_CTRL1_RDTSCP,
		.has_invpcid = secondary & VMX_CTRL1_INVPCID,
	};
	vm->cr4_allowed = cpuid_cr4(exit_machine_cpuid, &vm->cpuid);
}

static bool make(struct guest_vm *vm, unsigned cpu)
{
	size_t pages = vm->ram_size / RT_PAGE;

	vm->vcpu = (struct rt_vcpu){.cpu = cpu, .pd = rt_sel()};
	vm->ram = rt_pages_aligned(pages, 512);
	return vm->ram && hc_create_pd(vm->vcpu.pd, RT_SEL_PD, 0, 0) == SUCCESS &&
	       rt_guest_map(vm->vcpu.pd, 0, vm->ram, pages, RT_MEM_RWX) == SUCCESS && rt_vcpu(&vm->vcpu) == SUCCESS;
}

bool vm_create(struct guest_vm *vm, const char *name, unsigned cpu, uint64_t ram_size)
{
	*vm = (struct guest_vm){.name = name, .ram_size = ram_size, .misc_enable = FAST_STRINGS};
	if (!ram_size || ram_size > VM_RAM_MAX) {
		rt_printf("%s: a VM has at least 2 MiB and at most %lu\n", name, VM_RAM_MAX >> 20);
		return false;
	}
	if (!make(vm, cpu)) {
		rt_printf("%s: not enough memory for a VM with %lu MiB\n", name, ram_size >> 20);
		return false;
	}
	vm->s = vm->vcpu.state;
	vm->machine.uart.send = vm_console_send;
	vm->machine.uart.arg = vm;
	machine_reset(&vm->machine, clock_seconds(), cpuid_crystal_hz(rt_hip->freq_tsc));
	set_controls(vm);
	vm->s->xcr0 = XCR0_X87;
	vm->s->pat = PAT_RESET;
	vm->start = rt_rdtsc();
	vm->s->tsc_off = -vm->start;
	vm->changed = RT_VCPU_ALL;
	return true;
}

/* ---- Running ---- */

/* SDM volume 3, 26.3.1.4: an interrupt can be delivered with RFLAGS.IF set, and not right behind STI or MOV SS. */
static bool takes_interrupts(const struct utcb_state *s)
{
	return s->rflags & 1 << 9 && !(s->intr_state & (VMX_BLOCKED_STI | VMX_BLOCKED_SS));
}

/* Gives the guest the interrupt that its board has for it, or asks for an exit as soon as it can take it. */
static void offer_interrupt(struct guest_vm *vm)
{
	bool wants = machine_wants(&vm->machine), window;

	if (wants && !vm->event && takes_interrupts(vm->s)) {
		vm->event = VMX_EVENT_VALID | VMX_EVENT_INTR | machine_acknowledge(&vm->machine);
		wants = machine_wants(&vm->machine);
	}
	window = wants;
	if (vm->event || window != vm->window) {
		vm->s->intr_info = vm->event | (window ? VMX_EVENT_WANT_INTR_WINDOW : 0);
		vm->s->intr_error = vm->error;
		vm->changed |= MTD_INJ;
	}
	vm->window = window;
	vm->event = 0;
}

static void set_timeout(struct guest_vm *vm, uint64_t now)
{
	uint64_t next = machine_next(&vm->machine, now);

	if (next > vm->slice_end)
		next = vm->slice_end;
	vm->s->tsc_timeout = next > now ? ticks(next - now) : 0;
	vm->changed |= MTD_TSC_TIMEOUT;
}

/* What every exit brings to the page. Those that look at more say so, and get it from the next run. */
#define BROUGHT (MTD_GPR_ACDB | MTD_RIP_LEN | MTD_RFLAGS | MTD_STA | MTD_INJ)

static enum status run(struct guest_vm *vm)
{
	uint64_t changed = vm->changed;

	vm->changed = 0;
	vm->exits++;
	vm->has_whole = vm->whole || !rt_has_vcpu_partial();
	vm->whole = false;
	return vm->has_whole ? hc_vcpu_run(vm->vcpu.sel, changed)
			     : hc_vcpu_run_partial(vm->vcpu.sel, changed, BROUGHT);
}

void vm_yield(void)
{
	RT_MUST(hc_yield());
}

void vm_wake(void *arg)
{
	const struct guest_vm *vm = arg;

	RT_MUST(hc_vcpu_poke(vm->vcpu.sel));
}

static void share_cpu(struct guest_vm *vm)
{
	if (vm_now(vm) < vm->slice_end)
		return;
	vm_yield();
	vm->slice_end = vm_now(vm) + SLICE_NS;
}

enum vm_end vm_run_to_end(struct guest_vm *vm)
{
	while (vm->end == VM_RUNS) {
		uint64_t now = vm_now(vm);

		machine_run(&vm->machine, now);
		offer_interrupt(vm);
		set_timeout(vm, now);
		RT_MUST(run(vm));
		exit_handle(vm);
		share_cpu(vm);
		if (machine_is_reset(&vm->machine))
			vm->end = VM_RESET;
		if (machine_is_off(&vm->machine))
			vm->end = VM_OFF;
	}
	vm_console_flush(vm);
	return vm->end;
}
