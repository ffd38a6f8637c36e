/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work items from many CPUs to one that works, is in user mode, or sleeps in either way, as entry.S does it. Each
 * sender's work items arrive in order, none is lost, and the owner never waits with a work item in its mailbox that
 * nobody told it of.
 */
#include "core/remote.h"

#include "core/ec.h"
#include "stress.h"

#define SENDERS 3
#define OWNER 0
#define ITEMS (60000 * STRESS_SCALE) /* of each sender */
#define POOL 64                      /* under way at a time */

struct item {
	struct work work;
	unsigned sender, n;
	u32 arrived; /* atomic: the sender may use it again */
};

static struct item items[SENDERS][POOL];
static struct ec threads[1 + SENDERS]; /* current on their CPUs; nobody waits for room here */
static unsigned next[SENDERS];         /* number of the next work item; the owner's */
static u64 received;
static u32 nmi; /* atomic: one is pending */
static bool done;
static u32 mode; /* enum sleeping: how the owner sleeps */

static void on_kick(struct cpu *cpu)
{
	must(cpu->id == OWNER);
	__atomic_store_n(&nmi, 1, __ATOMIC_SEQ_CST);
}

/* ---- the owner ---- */

static void take_item(struct work *w)
{
	struct item *l = container_of(w, struct item, work);

	must(l->n == next[l->sender]);
	next[l->sender]++;
	received++;
	done = received == (u64)SENDERS * ITEMS;
	__atomic_store_n(&l->arrived, 1, __ATOMIC_RELEASE);
}

static bool has_work(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED);
}

static bool take_nmi(void)
{
	return __atomic_load_n(&nmi, __ATOMIC_RELAXED) && __atomic_exchange_n(&nmi, 0, __ATOMIC_SEQ_CST);
}

/* arch_idle() of entry.S: HLT sees NMIs only, MWAIT writes to the mailbox, too. */
static void sleep_until_work(struct cpu *cpu)
{
	struct stress_wait wait = {0};

	__atomic_store_n(&cpu->sleeping, mode, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!has_work(cpu))
		while (!take_nmi() && !(mode == SLEEPING_MWAIT && has_work(cpu)))
			stress_wait(&wait, mode == SLEEPING_MWAIT ? "in MWAIT" : "in HLT");
	__atomic_store_n(&cpu->sleeping, SLEEPING_NOT, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Nothing but an NMI gets the owner out. */
static void stay_in_user_mode(void)
{
	struct stress_wait wait = {0};

	while (!take_nmi())
		stress_wait(&wait, "in user mode");
}

static void own(unsigned n, struct stress_random *r)
{
	struct cpu *cpu = &host_cpus[n];

	for (;;) {
		take_nmi();
		remote_take(cpu);
		if (done)
			return;
		/* The way out: an NMI since then is a hazard, and means another look. */
		if (__atomic_load_n(&nmi, __ATOMIC_SEQ_CST))
			continue;
		if (stress_random(r, 2))
			sleep_until_work(cpu);
		else
			stay_in_user_mode();
	}
}

/* ---- a sender ---- */

static void send(unsigned n, struct stress_random *r)
{
	unsigned sender = n - 1;

	for (unsigned i = 0; i < ITEMS; i++) {
		struct item *l = &items[sender][i % POOL];
		struct stress_wait wait = {0};
		while (!__atomic_load_n(&l->arrived, __ATOMIC_ACQUIRE))
			stress_wait(&wait, "for a work item to arrive");
		l->arrived = 0;
		l->sender = sender;
		l->n = i;
		remote_call(OWNER, &l->work, take_item);
		for (unsigned pause = stress_random(r, 40); pause; pause--)
			arch_relax();
	}
}

static void round_of(u32 sleep_mode)
{
	host_reset(MiB);
	host_set_cpus(1 + SENDERS);
	host_on_kick = on_kick;
	mode = sleep_mode;
	done = false;
	received = nmi = 0;
	for (unsigned n = 0; n < array_size(threads); n++)
		host_cpus[n].ec = &threads[n];
	for (unsigned s = 0; s < SENDERS; s++) {
		next[s] = 0;
		for (unsigned i = 0; i < POOL; i++)
			items[s][i].arrived = 1;
	}
	stress_run((void (*const[])(unsigned, struct stress_random *)){own, send, send, send, NULL});
	must(received == (u64)SENDERS * ITEMS && !has_work(&host_cpus[OWNER]));
	must(host_calls[OWNER].signals <= received && host_calls[OWNER].kicks <= host_calls[OWNER].signals);
	printf("%s: %lu work items, %u signals, %u kicks\n", mode == SLEEPING_MWAIT ? "MWAIT" : "HLT", received,
	       host_calls[OWNER].signals, host_calls[OWNER].kicks);
}

int main(void)
{
	round_of(SLEEPING_MWAIT);
	round_of(SLEEPING_HALTED);
	return 0;
}
