/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/tlb.h"

#include "arch_switch.h"
#include "core/vcpu.h"
#include "lib/bits.h"
#include "trace/trace.h"

#define WORDS (HEDRON_CPU_MAX / 64)

/* PCIDs in use, changed by single atomic operations; 0 belongs to the kernel and to PDs that found none. */
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
		pd->guest_stale[i] = TLB_GUEST_STALE; /* the nested table's page may have been another one's */
	}
	for (unsigned w = 0; w < WORDS; w++)
		pd->tlb_users[w] = 0;
	pd->tlb_lock = (struct spinlock){0};
}

void tlb_free_pd(struct pd *pd)
{
	unsigned pcid = pcid_of(pd);
	if (pcid)
		pcid_free(pcid);
}

/*
 * Who uses a tag, so that a flush need not look at all CPUs. A CPU whose tag is not stale is among the users, but for
 * the moment between the first two steps below, in which it flushes anyway. It leaves them when somebody marks it
 * stale and finds that it does not run the PD; if it comes back just then, one of the two sees the other. Modelled in
 * tests/model/tlb.pml.
 */
static always_inline void become_user(struct pd *pd, unsigned n)
{
	__atomic_fetch_or(&pd->tlb_users[n / 64], bit(n % 64), __ATOMIC_SEQ_CST);
}

static always_inline void forget_user_locked(struct pd *pd, unsigned n)
{
	__atomic_fetch_and(&pd->tlb_users[n / 64], ~bit(n % 64), __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&pd->tlb_stale[n], __ATOMIC_SEQ_CST))
		become_user(pd, n);
}

/* The mark goes first: one that is set again while the flush is under way makes another round. */
void tlb_refresh(struct cpu *cpu, struct pd *pd)
{
	u8 *stale = &pd->tlb_stale[cpu->id];
	while (__atomic_exchange_n(stale, 0, __ATOMIC_SEQ_CST)) {
		become_user(pd, cpu->id);
		cr3_write(pd->cr3[cpu->id] & ~CR3_NOFLUSH);
	}
}

/*
 * Flushes what CR3 says, be it the PD that was meant or not: a CPU that has left that PD will find the mark. Global
 * entries are the kernel's and never change.
 */
void tlb_answer(struct cpu *cpu)
{
	u32 asked = __atomic_load_n(&cpu->tlb_asked, __ATOMIC_ACQUIRE);
	if (asked == cpu->tlb_done)
		return;
	cr3_write(cr3_read() & ~CR3_NOFLUSH);
	__atomic_store_n(&cpu->tlb_done, asked, __ATOMIC_RELEASE);
}

/* Below this many pages one by one is cheaper than all. */
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

/* From the moment it decides to enter the PD until it has left its tables. */
static always_inline bool runs(const struct cpu *cpu, const struct pd *pd)
{
	const struct ec *ec = __atomic_load_n(&cpu->ec, __ATOMIC_RELAXED);
	if (__atomic_load_n(&cpu->space, __ATOMIC_RELAXED) == pd)
		return true;
	return ec->pd == pd; /* the EC's memory is there: we are in the kernel, so no grace period ends */
}

/* A vCPU of the PD, or about to do so: the one that was loaded last. */
static bool runs_guest(const struct cpu *cpu, const struct pd *pd)
{
	const struct vcpu *v = __atomic_load_n(&cpu->vcpu, __ATOMIC_RELAXED);
	return v && v->pd == pd; /* its memory is there, as above */
}

/* A flush by others: who was asked, and how far each has to come. */
struct round {
	u64 asked[WORDS];
	u32 until[HEDRON_CPU_MAX];
};

static always_inline void ask(struct round *r, unsigned n)
{
	r->until[n] = __atomic_add_fetch(&arch_cpu(n)->tlb_asked, 1, __ATOMIC_SEQ_CST);
	r->asked[n / 64] |= bit(n % 64);
	arch_kick(arch_cpu(n));
}

static void wait_for(const struct round *r)
{
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = r->asked[w]; left; left &= left - 1) {
			unsigned n = w * 64 + bit_lowest(left);
			while ((s32)(__atomic_load_n(&arch_cpu(n)->tlb_done, __ATOMIC_ACQUIRE) - r->until[n]) < 0)
				arch_relax();
		}
}

static always_inline u64 other_users_locked(const struct pd *pd, unsigned w)
{
	unsigned self = cpu_current()->id;
	u64 users = __atomic_load_n(&pd->tlb_users[w], __ATOMIC_RELAXED);

	return self / 64 == w ? users & ~bit(self % 64) : users;
}

/* All users are marked; those that run the PD are asked, the others are users no more. */
static always_inline void flush_users_locked(struct pd *pd, unsigned w, struct round *r)
{
	for (u64 left = other_users_locked(pd, w); left; left &= left - 1) {
		unsigned n = w * 64 + bit_lowest(left);
		__atomic_exchange_n(&pd->tlb_stale[n], 1, __ATOMIC_SEQ_CST); /* a barrier, too */
		if (runs(arch_cpu(n), pd))
			ask(r, n);
		else
			forget_user_locked(pd, n);
	}
}

static unsigned asked_count(const struct round *r)
{
	unsigned n = 0;
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = r->asked[w]; left; left &= left - 1)
			n++;
	return n;
}

static always_inline void flush_round_and_unlock(struct pd *pd, struct round *r)
{
	for (unsigned w = 0; w < WORDS; w++) {
		r->asked[w] = 0;
		flush_users_locked(pd, w, r);
	}
	spin_unlock(&pd->tlb_lock);
	wait_for(r);
}

static noinline void flush_traced_and_unlock(struct pd *pd)
{
	struct trace_span s;
	struct round r;

	trace_begin(&s);
	flush_round_and_unlock(pd, &r);
	trace_end(TRACE_PATH_SHOOTDOWN, &s);
	trace_record(TRACE_SHOOTDOWN, asked_count(&r), (u64)pd, 0);
}

static noinline void flush_all_users_and_unlock(struct pd *pd)
{
	struct round r;

	if (trace_point(TRACE_BIT(SHOOTDOWN), TRACE_PATH_BIT(SHOOTDOWN)))
		flush_traced_and_unlock(pd);
	else
		flush_round_and_unlock(pd, &r);
}

/* Taking the lock is a barrier: whoever becomes a user from now on sees the new tables. */
static noinline void flush_hosts(struct pd *pd)
{
	u64 users = 0;

	spin_lock(&pd->tlb_lock);
	for (unsigned w = 0; w < WORDS; w++)
		users |= other_users_locked(pd, w);
	if (unlikely(users))
		flush_all_users_and_unlock(pd);
	else
		spin_unlock(&pd->tlb_lock);
}

/* True if that CPU may be in a guest, and has not seen the mark. The owner may clear the mark, or say "out", in
 * between: then it is set, or asked for, once more than needed. */
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
	struct round r;

	for (unsigned w = 0; w < WORDS; w++)
		r.asked[w] = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the change comes before the look at marks */
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != self && mark_guest(pd, n))
			marked[n / 64] |= bit(n % 64);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* and marks before the look at what runs */
	for (unsigned w = 0; w < WORDS; w++)
		for (u64 left = marked[w]; left; left &= left - 1) {
			unsigned n = w * 64 + bit_lowest(left);
			if (cpu_online(n) && runs_guest(arch_cpu(n), pd))
				ask(&r, n);
		}
	wait_for(&r);
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

/* On this CPU no guest runs. */
void arch_guests_stop(struct pd *pd)
{
	if (cpu_count > 1)
		flush_guests(pd);
}
