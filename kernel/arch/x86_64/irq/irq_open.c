/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening: from then on user code runs with RFLAGS.IF set, and idle CPUs sleep with it. Until then not one
 * instruction knows of interrupts. So that none is longer for it afterwards, opening rewrites instructions: the flags
 * that SYSRET loads are an immediate, and the beginnings of the way back from traps and of the way to sleep become
 * jumps to others.
 *
 * The kernel runs with interrupts off, as ever. They come in user mode, in guests (as VM exits), in sleep, and where
 * arch_irq_window() lets them in.
 */
#include "irq/irq_open.h"

#include "apic/lapic.h"
#include "arch/irq.h"
#include "arch/ports.h"
#include "arch/switch.h"
#include "arch/trace.h"
#include "core/irq.h"
#include "cpu/code.h"
#include "cpu/desc.h"
#include "entry/frame.h"
#include "entry/redirect.h"
#include "irq/ioapic.h"
#include "irq/ioapic_entry.h"
#include "vmx/vmx_run.h"

extern u8 *const user_flags_sites_start[], *const user_flags_sites_end[];
extern const u8 return_trap_open[], idle_open[], idle_wake[];

/* ---- the contract ---- */

enum status arch_irq_supported(void)
{
	return lapic_mode() & LAPIC_MODE_ON ? SUCCESS : BAD_FTR;
}

/* Lines and messages name CPUs by eight bits, of which all ones are everybody. */
bool arch_irq_reaches(unsigned cpu_id)
{
	return arch_cpu(cpu_id)->apic_id < 0xff;
}

bool arch_irq_has_line(u32 number)
{
	return ioapic_has(number);
}

struct irq_line arch_irq_isa(unsigned isa)
{
	return ioapic_isa(isa);
}

void arch_irq_route(struct irq_line line, unsigned cpu_id, unsigned vector, bool masked)
{
	ioapic_write(line.number, ioapic_entry(line, arch_cpu(cpu_id)->apic_id, ENTRY_IRQ_FIRST + vector, masked));
}

void arch_irq_mask(u32 number, bool masked)
{
	ioapic_mask(number, masked);
}

/* Physical destination, fixed delivery, edge (SDM vol. 3, 11.11). */
#define MESSAGE_BASE 0xfee00000ull

struct arch_irq_message arch_irq_message(unsigned cpu_id, unsigned vector)
{
	return (struct arch_irq_message){MESSAGE_BASE | (u64)arch_cpu(cpu_id)->apic_id << 12,
					 ENTRY_IRQ_FIRST + vector};
}

void arch_irq_end(void)
{
	lapic_end_interrupt();
}

/* The instruction behind STI is still protected (SDM vol. 2, STI). */
void arch_irq_window(void)
{
	__asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

/* ---- interrupts ---- */

/* Somebody may also have a device send it. */
static void take_last(struct cpu *cpu)
{
	irq_take_spurious(cpu);
	if (lapic_in_service(ENTRY_IRQ_SPURIOUS))
		arch_irq_end();
}

/* A vector of the IDT. */
static void take(struct cpu *cpu, unsigned vector)
{
	if (likely(vector < ENTRY_IRQ_TIMER))
		irq_take(cpu, vector - ENTRY_IRQ_FIRST);
	else if (vector == ENTRY_IRQ_TIMER)
		arch_irq_end(); /* svm_timer.c has only wanted the guest to be left */
	else
		take_last(cpu);
}

/* From entry.S, in user mode: the EC has all of its registers. */
void irq_open_take(struct cpu *cpu, unsigned vector);
void irq_open_take(struct cpu *cpu, unsigned vector)
{
	take(cpu, vector);
}

/*
 * From entry.S, in the kernel: in arch_irq_window(), or in sleep. Who sleeps counts as one that uses nothing (rcu.h),
 * so that is over first, with a barrier, as of any CPU that wakes up.
 */
void irq_open_take_nested(struct trap_frame *f);
void irq_open_take_nested(struct trap_frame *f)
{
	struct cpu *cpu = cpu_current();
	bool slept = cpu->sleeping;

	if (slept)
		(void)__atomic_exchange_n(&cpu->sleeping, SLEEPING_NOT, __ATOMIC_SEQ_CST);
	take(cpu, (unsigned)f->vector);
	if (slept)
		redirect_frame(f, idle_wake);
}

/* ---- opening ---- */

#define PIC_1_MASK 0x21
#define PIC_2_MASK 0xa1

static void rewrite(void)
{
	u64 begun = code_begin();
	u32 flags = RFLAGS_FIXED | RFLAGS_IF;

	for (u8 *const *site = user_flags_sites_start; site < user_flags_sites_end; site++)
		code_write(*site, &flags, sizeof(flags));
	code_write_jump((u8 *)(u64)arch_return_trap, return_trap_open);
	code_write_jump((u8 *)(u64)arch_idle, idle_open);
	code_end(begun);
}

/* No line is on, and the old interrupt controllers are off. */
static void open_stopped(void *unused)
{
	(void)unused;
	ioapic_mask_all();
	arch_outb(PIC_1_MASK, 0xff);
	arch_outb(PIC_2_MASK, 0xff);
	desc_set_irqs();
	rewrite();
}

/* In the NMI handler, or in the hypercall. Code that was interrupted goes out through the dispatcher, and so over the
 * rewritten ways. */
static void open_cpu(void)
{
	lapic_open(ENTRY_IRQ_SPURIOUS);
	hazard_set(cpu_current(), HAZARD_REMOTE);
}

void arch_irq_open(void)
{
	arch_stop_machine(open_stopped, open_cpu, NULL);
	vmx_exit_take_interrupts(); /* svm_exit.c asks whether they are open */
}

/* ---- after sleep ---- */

void irq_open_restore_cpu(void)
{
	if (irq_is_open())
		lapic_open(ENTRY_IRQ_SPURIOUS);
}

void irq_open_restore_lines(void)
{
	if (!irq_is_open())
		return;
	arch_outb(PIC_1_MASK, 0xff);
	arch_outb(PIC_2_MASK, 0xff);
	ioapic_restore();
}
