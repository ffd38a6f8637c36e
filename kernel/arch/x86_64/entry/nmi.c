/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs are how CPUs signal each other: ordinary interrupts belong to user land and its guests. An NMI may hit
 * anything, so its handler takes no locks, prints nothing and only sets hazards; what they ask for is done on the way
 * out of the kernel. Two kinds of code must be told, by a redirected frame: user code, which comes into the kernel,
 * and the restart ranges (restart.h), in which the test of the hazards is over. An NMI that hits a guest is a VM
 * exit, and comes to nmi_take() from vmx/.
 */
#include "entry/nmi.h"

#include "apic/lapic.h"
#include "arch/switch.h"
#include "core/vcpu.h"
#include "entry/frame.h"
#include "entry/nmi_origin.h"
#include "entry/redirect.h"
#include "entry/restart.h"
#include "entry/stop_machine.h"
#include "mmu/tlb.h"
#include "trace/pmu.h"
#include "trace/trace.h"

extern const u8 restart_vm_entry[], restart_vm_entry_end[];

static noinline void redirect_exit(struct trap_frame *f, struct cpu *cpu)
{
	if (f->cs & 3) {
		redirect_user(f, REDIRECT_NO_EVENT);
		return;
	}
	const struct restart_range *r = restart_range_of(f->rip);
	if (!r)
		return; /* the kernel comes to a test of the hazards by itself */
	if (r->cont != RESTART_CONT_KEPT)
		cpu->ec->cont = (u8)r->cont;
	redirect_frame(f, (const void *)r->goes_on);
}

void nmi_redirect(struct trap_frame *f)
{
	redirect_exit(f, cpu_current());
}

/*
 * It is counted as a kick (nmi_origin.h). `kicking` is not needed, and may be in use by what the NMI has hit: this
 * CPU does not look whether the NMI has been sent before it has.
 */
void nmi_follow(void)
{
	struct cpu *cpu = cpu_current();

	__atomic_fetch_add(&cpu->kicks, 1, __ATOMIC_SEQ_CST);
	lapic_send_nmi(cpu->apic_id);
}

static u32 orders; /* enum nmi_order; atomic */

void nmi_order(u32 order, bool on)
{
	if (on)
		__atomic_fetch_or(&orders, order, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&orders, ~order, __ATOMIC_SEQ_CST);
}

unsigned nmi_kick_others(void)
{
	unsigned others = 0;

	for (unsigned n = 0; n < cpu_count; n++)
		if (cpu_online(n) && arch_cpu(n) != cpu_current()) {
			others++;
			arch_kick(arch_cpu(n));
		}
	return others;
}

/*
 * Each other CPU gets an NMI and stays in its handler, where no other NMI comes in. If several CPUs panic, the first
 * one goes on and the others halt; a second panic of the first one goes on, too.
 */
void arch_halt_others(void)
{
	static struct cpu *winner;
	if (__atomic_fetch_or(&orders, NMI_ORDER_HALT, __ATOMIC_SEQ_CST) & NMI_ORDER_HALT) {
		while (winner != cpu_current())
			arch_halt();
		return;
	}
	winner = cpu_current();
	nmi_kick_others();
}

bool nmi_requested(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->mailbox.newest, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->rcu_asked, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->tlb_requested, __ATOMIC_SEQ_CST) != cpu->tlb_done ||
	       __atomic_load_n(&orders, __ATOMIC_SEQ_CST) & (NMI_ORDER_HALT | NMI_ORDER_STOP_MACHINE);
}

void nmi_halt_if_ordered(void)
{
	while (unlikely(__atomic_load_n(&orders, __ATOMIC_RELAXED) & NMI_ORDER_HALT))
		arch_halt();
}

/* True if the NMI was that of a performance counter which has overflowed. */
static noinline bool follow_orders(struct cpu *cpu)
{
	nmi_halt_if_ordered();
	stop_machine_answer();
	if (!pmu_take_overflow())
		return false;
	__atomic_store_n(&cpu->trace.sample_asked, true, __ATOMIC_RELAXED);
	return true;
}

/*
 * Kicks and NMIs do not match one to one. Flushes are answered between the two steps: their senders wait for the
 * answer, and nmi_origin_settle() waits for senders.
 */
static noinline bool identify(struct cpu *cpu, u64 rip)
{
	bool ours = nmi_origin_look(cpu, rip);

	tlb_answer(cpu);
	nmi_origin_settle(cpu);
	return ours;
}

/*
 * The order matters. What is asked of this CPU is looked for after the kicks have been counted, because the NMI of a
 * kick that was counted may be taken for nobody's when it comes. Orders, which may stop this CPU for a while, come
 * after nmi_origin_settle() has looked at the time.
 */
bool nmi_take(struct cpu *cpu, u64 rip)
{
	bool ours = true;

	if (likely(nmi_origin_is_plain(cpu)))
		tlb_answer(cpu);
	else
		ours = identify(cpu, rip);
	if (unlikely(__atomic_load_n(&orders, __ATOMIC_ACQUIRE)))
		ours |= follow_orders(cpu);
	if (__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_REMOTE);
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_RCU);
	if (unlikely(!ours))
		cpu->nmi_foreign = true;
	return ours;
}

/*
 * The NMI has not hit a guest. So v, which is loaded, is not running, and will not run without another look at its
 * mark; whoever has set the mark learns that it need not wait (mmu/tlb.h). True if the mark is set.
 */
static bool note_out(const struct vcpu *v)
{
	if (READ_ONCE(*v->arch.stale) == TLB_GUEST_FRESH)
		return false;
	WRITE_ONCE(*v->arch.stale, TLB_GUEST_OUT);
	return true;
}

/* Two constants instead of a search, because every NMI comes by here. Its row in the table says the same. */
static bool hit_vm_entry(const struct trap_frame *f)
{
	return f->rip >= (u64)restart_vm_entry && f->rip < (u64)restart_vm_entry_end && !(f->cs & 3);
}

static always_inline void handle(struct cpu *cpu, struct trap_frame *f)
{
	if (unlikely(!nmi_take(cpu, f->rip)))
		hazard_set(cpu, HAZARD_NMI); /* it is to be mentioned; one that hit a guest is not */
	/* The NMI may have hit between a look at the mark and the restart range that ends with the guest. */
	if (unlikely(cpu->vcpu != NULL) && note_out(cpu->vcpu))
		hazard_set(cpu, HAZARD_RCU);
	/* On the way into a guest it may have been about nested pages, which is no hazard. */
	if (hit_vm_entry(f) || cpu->hazard)
		redirect_exit(f, cpu);
	cpu->nmi.back = f->rip;
}

void nmi_trace(struct cpu *cpu, unsigned mode, u64 rip)
{
	trace_record(TRACE_NMI, mode, rip, cpu->hazard);
	if (__atomic_exchange_n(&cpu->trace.sample_asked, false, __ATOMIC_RELAXED))
		trace_record(TRACE_SAMPLE, mode, rip, (u64)cpu->ec);
}

static noinline void handle_traced(struct cpu *cpu, struct trap_frame *f)
{
	unsigned mode = f->cs & 3 ? TRACE_MODE_USER : TRACE_MODE_KERNEL;
	u64 rip = f->rip; /* handling it may change where it returns to */
	struct trace_span s;

	trace_begin(&s);
	handle(cpu, f);
	nmi_trace(cpu, mode, rip);
	trace_end(TRACE_PATH_NMI, &s);
}

void nmi_handle(struct trap_frame *f)
{
	struct cpu *cpu = cpu_current();

	if (trace_point(TRACE_BIT(NMI) | TRACE_BIT(SAMPLE), TRACE_PATH_BIT(NMI)))
		handle_traced(cpu, f);
	else
		handle(cpu, f);
}
