/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traps in C: from user mode they become events, from the kernel they are expected faults or the end. */
#include "arch/switch.h"
#include "cpu/desc.h"
#include "cpu/mca.h"
#include "entry/redirect.h"
#include "entry/frame.h"
#include "entry/nmi.h"
#include "platform/console.h"
#include "platform/panic.h"

#define DR6_STEP (1ul << 14)

static const char *const names[TRAP_VECTORS] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"no FPU",
	"double fault",
	"coprocessor overrun",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"reserved",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"hypervisor injection",
	"VMM communication",
	"startup",
	"reserved",
};

const char *arch_event_name(unsigned event)
{
	return event < TRAP_VECTORS ? names[event] : "unknown";
}

struct ex_entry {
	u64 insn, landing;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

/* True if the instruction is in the exception table: it may fault. Few entries, so they need no order. */
static bool fix_up(struct trap_frame *f)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++)
		if (e->insn == f->rip) {
			f->rip = e->landing;
			return true;
		}
	return false;
}

#define REPORTS_MAX 4

/* A report that meets a fault itself must not go on for ever. */
static void limit_reports(void)
{
	static u32 reports;
	if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) >= REPORTS_MAX)
		for (;;)
			arch_halt();
}

/* The pages below the main stack are not there to be used. */
static bool is_stack_full(const struct trap_frame *f)
{
	u64 offset = cr2_read() - (u64)cpu_current();
	return f->vector == TRAP_DF && offset >= CPU_DATA_PAGES * PAGE_SIZE && offset < CPU_STACK_BASE;
}

__attribute__((noreturn)) static cold void trap_fatal(const struct trap_frame *f)
{
	limit_reports();
	arch_halt_others(); /* user code may write to the same line */
	console_seize();
	log_error("trap %lu (%s) in %s mode, error %#lx, cr2 %#lx, cr3 %#lx", f->vector,
		  arch_event_name((unsigned)f->vector), f->cs & 3 ? "user" : "kernel", f->error, cr2_read(),
		  cr3_read());
	if (f->vector == TRAP_MC)
		mca_show(cpu_current());
	log_error("rip %016lx cs %02lx rflags %08lx rsp %016lx", f->rip, f->cs, f->rflags, f->rsp);
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	log_error("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
	if (is_stack_full(f))
		log_error("the kernel stack of CPU %u is full", cpu_current()->id);
	panic("%s on CPU %u", arch_event_name((unsigned)f->vector), cpu_current()->id);
}

void trap_kernel(struct trap_frame *f);
void trap_kernel(struct trap_frame *f)
{
	if (!fix_up(f))
		trap_fatal(f);
}

/*
 * The debug registers may still be a guest's (vmx/vmx_switch.c). The guest must not find in DR6 what a single step of
 * user code has left there.
 */
static void dr6_clear_step(void)
{
	u64 v;
	__asm__ volatile("mov %%db6, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%db6" : : "r"(v & ~DR6_STEP));
}

/*
 * A single step of user code is an event for its EC. One that is reported in the kernel belongs to the SYSCALL before
 * it: some CPUs and emulators report it there although SYSCALL clears TF, with the user's stack pointer still in RSP.
 * It is dropped.
 */
static void debug_trap(struct trap_frame *f)
{
	if (cpu_current()->guest_regs)
		dr6_clear_step();
	if (f->cs & 3)
		redirect_user(f, TRAP_DB);
	else
		f->rflags &= ~RFLAGS_TF;
}

/*
 * A VM exit leaves TR with the limit of a TSS without I/O bitmap (SDM vol. 3, 28.5.2), so the next access to a port
 * faults whatever the bitmap says. TR is put right, and the instruction is tried again.
 */
__attribute__((noreturn)) void trap_reload_tr(struct ec *ec);
void trap_reload_tr(struct ec *ec)
{
	struct cpu *cpu = cpu_current();
	cpu->tr_short = false;
	desc_load_tr(cpu->id);
	arch_return_trap(ec);
}

/* True if the stubs of SYSCALL were hit, at whose first instructions the stack pointer is still the user's. */
static bool before_own_stack(const struct trap_frame *f)
{
	u64 offset = f->rip - (u64)entry_syscall_stubs;
	return !(f->cs & 3) && offset < HEDRON_CPU_MAX * ENTRY_SYSCALL_STUB_SIZE;
}

/* The kernel was hit while it used the part of this CPU's area between those offsets as its stack. */
static bool was_on_stack(const struct trap_frame *f, u64 base, u64 top)
{
	u64 offset = f->rsp - (u64)cpu_current();
	return !(f->cs & 3) && offset >= base && offset <= top;
}

/*
 * True if a machine check has hit the handler of another one, which had cleared MCIP but was not gone yet. Both use
 * the same stack, so the frame of the first is lost.
 */
static bool hit_own_handler(const struct trap_frame *f)
{
	return was_on_stack(f, CPU_MC_BASE, CPU_MC_TOP);
}

/*
 * An NMI may come in at any time and set a hazard, also at the end of this handler. So whatever was interrupted is
 * made to test the hazards again, whether there is one or not. IRET is avoided, because it would let NMIs into their
 * own handler if that was interrupted. That one may be past its test of the hazards, so another NMI is made to follow
 * it, which comes with its IRET. If the stubs of SYSCALL were hit, nobody has tested a hazard yet, and NMIs are
 * not blocked, so IRET will do.
 */
static cold void machine_check(struct trap_frame *f)
{
	bool early = before_own_stack(f);
	enum mca_outcome o = mca_take(cpu_current(), f->cs & 3 ? MCA_IN_USER : MCA_IN_KERNEL);

	if (o == MCA_OUTCOME_PANIC || (!early && hit_own_handler(f)))
		trap_fatal(f);
	if (early)
		return;
	if (was_on_stack(f, CPU_NMI_BASE, CPU_NMI_TOP))
		nmi_follow();
	nmi_redirect(f);
	entry_return(f);
}

void trap_own_stack(struct trap_frame *f);
void trap_own_stack(struct trap_frame *f)
{
	if (f->vector == TRAP_DB)
		debug_trap(f);
	else if (f->vector == TRAP_MC)
		machine_check(f);
	else
		trap_fatal(f);
}
