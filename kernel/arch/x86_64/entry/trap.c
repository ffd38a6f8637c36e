/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traps in C: from user mode they become events, from the kernel they are expected faults or the end. */
#include "arch_switch.h"
#include "cpu/desc.h"
#include "cpu/mca.h"
#include "entry/redirect.h"
#include "entry/frame.h"
#include "entry/nmi.h"
#include "lib/panic.h"
#include "platform/console.h"

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

/* True if the instruction was known to be able to fault. Few entries: no order needed. */
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

/* DR6 is a guest's, which is not to find what a user's step left in it. */
static void dr6_clear_step(void)
{
	u64 v;
	__asm__ volatile("mov %%db6, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%db6" : : "r"(v & ~DR6_STEP));
}

/*
 * A step of user code is an event. One that is reported in the kernel belongs to the SYSCALL before it (some CPUs and
 * emulators do that although SYSCALL clears TF), with the user's stack pointer still in RSP: it is dropped.
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

/* A port was refused to this EC only because TR is short. */
__attribute__((noreturn)) void trap_reload_tr(struct ec *ec);
void trap_reload_tr(struct ec *ec)
{
	struct cpu *cpu = cpu_current();
	cpu->tr_short = false;
	desc_load_tr(cpu->id);
	arch_return_trap(ec);
}

/* The first instructions of SYSCALL's entry: the stack pointer is still the user's. */
static bool before_own_stack(const struct trap_frame *f)
{
	u64 offset = f->rip - (u64)entry_syscall_stubs;
	return !(f->cs & 3) && offset < HEDRON_CPU_MAX * ENTRY_SYSCALL_STUB_SIZE;
}

/* The handler of another one had let the next one come, and was not gone yet: its frame is lost. */
static bool hit_own_handler(const struct trap_frame *f)
{
	u64 offset = f->rsp - (u64)cpu_current();
	return !(f->cs & 3) && offset >= CPU_MC_BASE && offset <= CPU_MC_TOP;
}

/*
 * NMIs come in at any time and set hazards, also after a look at them here. So whatever was interrupted looks again.
 * Where the stack is not ours yet nobody has looked at a hazard, and NMIs are not blocked: IRET will do.
 */
static cold void machine_check(struct trap_frame *f)
{
	bool early = before_own_stack(f);
	enum mca_outcome o = mca_take(cpu_current(), f->cs & 3 ? MCA_IN_USER : MCA_IN_KERNEL);

	if (o == MCA_OUTCOME_PANIC || (!early && hit_own_handler(f)))
		trap_fatal(f);
	if (early)
		return;
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
