/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs are how CPUs signal each other: ordinary interrupts belong to user land and its guests. An NMI may hit anything, so this takes
 * no locks, prints nothing and only sets hazards; what they ask for is done on the way out of the kernel. Three places need help to
 * notice: user code (it comes in), the exits after their test (they start over or go to the dispatcher), and sleep (it ends).
 */
#include "entry/nmi.h"

#include "arch_switch.h"
#include "entry/frame.h"
#include "mmu/tlb.h"

extern const u8 window_syscall[], window_syscall_end[], window_ipc[], window_ipc_end[];
extern const u8 window_trap[], window_trap_end[], window_idle[], window_idle_end[];
extern const u8 idle_wake[];

static bool within(u64 rip, const u8 *start, const u8 *end) { return rip >= (u64)start && rip < (u64)end; }

/* Returns to `rip` in the kernel instead, on an empty main stack. */
static void divert(struct trap_frame *f, struct cpu *cpu, const void *rip)
{
	f->rip = (u64)rip;
	f->cs = SEL_KERNEL_CODE;
	f->ss = SEL_KERNEL_DATA;
	f->rsp = (u64)cpu + CPU_STACK_TOP;
	f->rflags = RFLAGS_FIXED;
}

/* User code comes into the kernel as if by a trap. */
static void come_in(struct trap_frame *f, struct cpu *cpu)
{
	struct ec *ec = cpu->ec;
	ec->regs = (struct regs){
		.rax = f->rax, .rcx = f->rcx, .rdx = f->rdx, .rbx = f->rbx, .rsp = f->rsp, .rbp = f->rbp, .rsi = f->rsi, .rdi = f->rdi,
		.r8 = f->r8, .r9 = f->r9, .r10 = f->r10, .r11 = f->r11, .r12 = f->r12, .r13 = f->r13, .r14 = f->r14, .r15 = f->r15,
		.rip = f->rip, .rflags = f->rflags, .error = ec->regs.error, .cr2 = ec->regs.cr2,
	};
	ec->cont = CONT_IRET;
	divert(f, cpu, arch_dispatch);
}

static void divert_exit(struct trap_frame *f, struct cpu *cpu)
{
	if (f->cs & 3) {
		come_in(f, cpu);
	} else if (within(f->rip, window_syscall, window_syscall_end)) {
		divert(f, cpu, window_syscall);
	} else if (within(f->rip, window_ipc, window_ipc_end)) {
		cpu->ec->cont = CONT_SYSRET;
		divert(f, cpu, arch_dispatch);
	} else if (within(f->rip, window_trap, window_trap_end)) {
		cpu->ec->cont = CONT_IRET;
		divert(f, cpu, arch_dispatch);
	} else if (within(f->rip, window_idle, window_idle_end)) {
		divert(f, cpu, idle_wake);
	}
}

void nmi_handle(struct trap_frame *f)
{
	struct cpu *cpu = cpu_current();

	tlb_answer(cpu);
	if (__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_REMOTE);
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_RCU);
	if (cpu->hazard)
		divert_exit(f, cpu);
}
