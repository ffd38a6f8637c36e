/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/tlb.h"

#include "arch/cpu.h"
#include "arch/space.h"
#include "arch/switch.h"
#include "core/vcpu.h"
#include "lib/bits.h"
#include "trace/trace.h"

#define WORDS (HEDRON_CPU_MAX / 64)

/* A bit for each PCID in use; atomic. PCID 0 belongs to the kernel, and to PDs for which none was free. */
static u64 pcids[PCID_COUNT / 64] = {1};

static unsigned pcid_of(const struct pd *pd)
{
	return pd->cr3[0] & (PCID_COUNT - 1);
}

static unsigned pcid_alloc(void)
{
	for (unsigned i = 0; i < array_size(pcids); i++)
		for (u64 used = __atomic_load_n(&pcids[i], __ATOMIC_RELAXED); ~used;) {
			u64 free = ~used & -~used;
			used = __atomic_fetch_or(&pcids[i], free, __ATOMIC_RELAXED);
			if (!(used & free))
				return i * 64 + bit_lowest(free);
		}
	return 0;
}

static void pcid_free(unsigned pcid)
{
	__atomic_fetch_and(&pcids[pcid / 64], ~bit(pcid % 64), __ATOMIC_RELAXED);
}

void tlb_init_pd(struct pd *pd)
{
	unsigned pcid = cpu_features.pcid && pd != &pd_kernel ? pcid_alloc() : 0;
	u64 cr3 = heap_phys(pd->mem.host.root).v | pcid | (pcid ? CR3_NOFLUSH : 0);
	for (unsigned i = 0; i < cpu_count; i++) {
		pd->cr3[i] = cr3;
		pd->tlb_stale[i] = 1;
		pd->guest_stale[i] = TLB_GUEST_STALE; /* the nested table's root may have been another PD's before */
	}
	for (unsigned w = 0; w < WORDS; w++)
		pd->tlb_active[w] = 0;
	pd->tlb_lock = (struct spinlock){0};
}

void tlb_free_pd(struct pd *pd)
{
	unsigned pcid = pcid_of(pd);
	if (pcid)
		pcid_free(pcid);
}

/*
 * The active mask of a PD: the CPUs that a shootdown has to look at. A CPU whose tag is not stale is in it, except
 * between the first two steps of tlb_refresh(), after which it flushes anyway. A CPU is taken out by a shootdown that
 * marks it stale and finds that it does not run the PD. If it comes back just then, one of the two sees the other:
 * tlb_refresh() clears the mark and then enters the mask, deactivate_locked() clears the mask and then looks at the
 * mark. Modelled in tests/model/tlb.pml.
 */
static always_inline void activate(struct pd *pd, unsigned n)
{
	__atomic_fetch_or(&pd->tlb_active[n / 64], bit(n % 64), __ATOMIC_SEQ_CST);
}

static always_inline void deactivate_locked(struct pd *pd, unsigned n)
{
	__atomic_fetch_and(&pd->tlb_active[n / 64], ~bit(n % 64), __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&pd->tlb_stale[n], __ATOMIC_SEQ_CST))
		activate(pd, n);
}

/* The mark is cleared before the flush, and looked at again after it: if another CPU has set it meanwhile, the flush
 * may have come too early for that one's change. */
void tlb_refresh(struct cpu *cpu, struct pd *pd)
{
	u8 *stale = &pd->tlb_stale[cpu->id];
	while (__atomic_exchange_n(stale, 0, __ATOMIC_SEQ_CST)) {
		activate(pd, cpu->id);
		cr3_write(pd->cr3[cpu->id] & ~CR3_NOFLUSH);
	}
}

/*
 * Flushes the tag that is in CR3. That may be another PD's than was meant: then this CPU has left the PD, and finds
 * the stale mark when it comes back. Global entries, which stay, are the kernel's, and never change.
 */
void tlb_answer(struct cpu *cpu)
{
	u32 requested = __atomic_load_n(&cpu->tlb_requested, __ATOMIC_ACQUIRE);
	if (requested == cpu->tlb_done)
		return;
	cr3_write(cr3_read() & ~CR3_NOFLUSH);
	__atomic_store_n(&cpu->tlb_done, requested, __ATOMIC_RELEASE);
}

/* Up to 2^3 pages INVLPG for each is cheaper than a flush of the whole tag, which has to be filled again. */
#define FLUSH_ORDER_MAX 3

static void flush_here(struct pd *pd, u64 va, unsigned order)
{
	u64 current = cr3_read();

	if ((current & PTE_ADDR) != (pd->cr3[0] & PTE_ADDR))
		pd->tlb_stale[cpu_current()->id] |= pcid_of(pd) != 0;
	else if (order <= FLUSH_ORDER_MAX)
		for (u64 i = 0; i < 1ul << order; i++)
			invlpg(va + i * PAGE_SIZE);
	else
		cr3_write(current & ~CR3_NOFLUSH);
}

/* Whether that CPU may be using the PD's tag: from when it has decided to enter the PD until it has left its tables.
 */
static always_inline bool runs(const struct cpu *cpu, const struct pd *pd)
{
	const struct ec *ec = __atomic_load_n(&cpu->ec, __ATOMIC_RELAXED);
	if (__atomic_load_n(&cpu->space, __ATOMIC_RELAXED) == pd)
		return true;
	return ec->pd == pd; /* the EC's memory is there: we are in the kernel, so no grace period ends */
}

/* Whether that CPU may be in a guest of the PD, or about to enter one: its loaded vCPU is one of the PD's. */
static bool runs_guest(const struct cpu *cpu, const struct pd *pd)
{
	const struct vcpu *v = __atomic_load_n(&cpu->vcpu, __ATOMIC_RELAXED);
	return v && v->pd == pd; /* its memory is there, as above */
}

/* A flush by other CPUs: those that it is requested from, and the count that tlb_done of each has to reach. */
struct shootdown {
	u64 requested[WORDS];
	u32 until[HEDRON_CPU_MAX];
};

static always_inline void request(struct shootdown *s, unsigned n)
{
	s->until[n] = __atomic_add_fetch(&arch_cpu(n)->tlb_requested, 1, __ATOMIC_SEQ_CST);
	s->requested[n / 64] |= bit(n % 64);
	arch_kick(arch_cpu(n));
}

static void wait_for(const struct shootdown *s)
{
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = s->requested[w]; left; left &= left - 1) {
			unsigned n = w * 64 + bit_lowest(left);
			while ((s32)(__atomic_load_n(&arch_cpu(n)->tlb_done, __ATOMIC_ACQUIRE) - s->until[n]) < 0)
				arch_relax();
		}
}

static always_inline u64 others_active_locked(const struct pd *pd, unsigned w)
{
	unsigned self = cpu_current()->id;
	u64 active = __atomic_load_n(&pd->tlb_active[w], __ATOMIC_RELAXED);

	return self / 64 == w ? active & ~bit(self % 64) : active;
}

/* Marks all active CPUs stale. Those that run the PD get a request, the others are taken out of the mask. */
static always_inline void request_active_locked(struct pd *pd, unsigned w, struct shootdown *s)
{
	for (u64 left = others_active_locked(pd, w); left; left &= left - 1) {
		unsigned n = w * 64 + bit_lowest(left);
		__atomic_exchange_n(&pd->tlb_stale[n], 1, __ATOMIC_SEQ_CST); /* a barrier, too */
		if (runs(arch_cpu(n), pd))
			request(s, n);
		else
			deactivate_locked(pd, n);
	}
}

static unsigned requested_count(const struct shootdown *s)
{
	unsigned n = 0;
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = s->requested[w]; left; left &= left - 1)
			n++;
	return n;
}

static always_inline void shootdown_and_unlock(struct pd *pd, struct shootdown *s)
{
	for (unsigned w = 0; w < WORDS; w++) {
		s->requested[w] = 0;
		request_active_locked(pd, w, s);
	}
	spin_unlock(&pd->tlb_lock);
	wait_for(s);
}

static noinline void shootdown_traced_and_unlock(struct pd *pd)
{
	struct trace_span span;
	struct shootdown s;

	trace_begin(&span);
	shootdown_and_unlock(pd, &s);
	trace_end(TRACE_PATH_SHOOTDOWN, &span);
	trace_record(TRACE_SHOOTDOWN, requested_count(&s), (u64)pd, 0);
}

static noinline void shootdown_all_and_unlock(struct pd *pd)
{
	struct shootdown s;

	if (trace_point(TRACE_BIT(SHOOTDOWN), TRACE_PATH_BIT(SHOOTDOWN)))
		shootdown_traced_and_unlock(pd);
	else
		shootdown_and_unlock(pd, &s);
}

/* Taking the lock is a barrier: a CPU that is not active yet when the mask is read sees the new tables when it
 * becomes active. */
static noinline void flush_hosts(struct pd *pd)
{
	u64 active = 0;

	spin_lock(&pd->tlb_lock);
	for (unsigned w = 0; w < WORDS; w++)
		active |= others_active_locked(pd, w);
	if (unlikely(active))
		shootdown_all_and_unlock(pd);
	else
		spin_unlock(&pd->tlb_lock);
}

/*
 * Marks CPU n as stale, unless it says that it is out of the PD's guests. True: it may be in one, and has to be
 * asked. Between the load and the store the CPU may clear the mark or say "out": then it flushes, or is asked, once
 * more than needed.
 */
static bool mark_guest(struct pd *pd, unsigned n)
{
	u8 *mark = &pd->guest_stale[n];

	if (__atomic_load_n(mark, __ATOMIC_RELAXED) == TLB_GUEST_OUT)
		return false;
	__atomic_store_n(mark, TLB_GUEST_STALE, __ATOMIC_RELAXED);
	return true;
}

/*
 * Guests: all others are marked, and those are asked that have one of the PD loaded and may have been in it since the
 * last flush. So a monitor that changes the memory of a guest that is not running disturbs whoever else runs on that
 * guest's CPU once, not with each change.
 */
static noinline void flush_guests(struct pd *pd)
{
	unsigned self = cpu_current()->id;
	u64 marked[WORDS] = {0};
	struct shootdown s;

	for (unsigned w = 0; w < WORDS; w++)
		s.requested[w] = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the change comes before the look at marks */
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != self && mark_guest(pd, n))
			marked[n / 64] |= bit(n % 64);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* and marks before the look at what runs */
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = marked[w]; left; left &= left - 1) {
			unsigned n = w * 64 + bit_lowest(left);
			if (cpu_online(n) && runs_guest(arch_cpu(n), pd))
				request(&s, n);
		}
	wait_for(&s);
}

void arch_tlb_flush(struct pd *pd, u64 va, unsigned order)
{
	flush_here(pd, va, order);
	if (cpu_count > 1)
		flush_hosts(pd);
}

/* A guest that is interrupted finds the mark before it goes on (vmx/vmx_run.c). */
void arch_tlb_flush_guest(struct pd *pd)
{
	pd->guest_stale[cpu_current()->id] = TLB_GUEST_STALE;
	if (cpu_count > 1)
		flush_guests(pd);
}

/* Guests of this CPU do not run now: it is in the kernel. */
void arch_guests_stop(struct pd *pd)
{
	if (cpu_count > 1)
		flush_guests(pd);
}
