/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "smp.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/event.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

#define TURNS_MAX 150000000ul /* turns without any progress: many seconds everywhere */

static struct worker {
	struct rt_ec ec;
	unsigned cpu;
	sel_t go;
	unsigned long rounds; /* written by the worker only */
} __attribute__((aligned(64))) workers[SMP_MAX];

static struct {
	smp_fn *fn;
	unsigned n;
	bool asleep;
	sel_t done;
	unsigned long finished, arrived, generation;
} job;

unsigned smp_count;
static sel_t sel_next;

unsigned smp_cpu(unsigned worker)
{
	return workers[worker].cpu;
}

struct utcb *smp_utcb(unsigned self)
{
	return workers[self].ec.utcb;
}

unsigned long smp_rounds(unsigned long usual)
{
	unsigned long n = usual * rt_arg("effort", 100) / 100;

	return n ? n : 1;
}

/* ---- Waiting ---- */

void smp_progress(unsigned self)
{
	__atomic_store_n(&workers[self].rounds, workers[self].rounds + 1, __ATOMIC_RELAXED);
}

static unsigned long all_rounds(void)
{
	unsigned long sum = job.finished;

	for (unsigned i = 0; i < smp_count; i++)
		sum += __atomic_load_n(&workers[i].rounds, __ATOMIC_RELAXED);
	return sum;
}

static bool wait_turn(struct smp_wait *p)
{
	unsigned long rounds = all_rounds();

	rt_pause();
	if (p->rounds != rounds)
		*p = (struct smp_wait){rounds, 0};
	if (++p->turns > TURNS_MAX) {
		for (unsigned i = 0; i < smp_count; i++)
			rt_printf("CPU %u: %lu rounds\n", workers[i].cpu, workers[i].rounds);
		rt_panic("nobody makes progress; %lu of %u workers have finished", job.finished, job.n);
	}
	return true;
}

bool smp_keep_waiting(struct smp_wait *p)
{
	return wait_turn(p) && !test_failed();
}

bool smp_barrier(void)
{
	unsigned long now = smp_load(&job.generation);

	if (smp_inc(&job.arrived) + 1 == job.n) {
		smp_set(&job.arrived, 0);
		smp_set(&job.generation, now + 1);
		return !test_failed();
	}
	return SMP_WAIT(smp_load(&job.generation) != now);
}

uint64_t smp_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1d;
}

uint64_t smp_seed(uint64_t usual)
{
	uint64_t seed = usual ^ rt_arg("seed", 0) * 0x9e3779b97f4a7c15;

	return seed ? seed : 1;
}

void smp_delay(uint64_t *seed, unsigned most)
{
	for (uint64_t n = smp_random(seed) % (most + 1); n; n--)
		rt_pause();
}

/* ---- Workers ---- */

static void work(void *arg)
{
	unsigned self = (unsigned)(unsigned long)arg;

	while (hc_sm_down(workers[self].go) == SUCCESS) {
		job.fn(self);
		if (smp_inc(&job.finished) + 1 == job.n && job.asleep)
			RT_MUST(hc_sm_up(job.done));
	}
}

static void start(unsigned n, smp_fn *fn, bool asleep)
{
	job.fn = fn;
	job.n = n;
	job.asleep = asleep;
	job.finished = job.arrived = 0;
	while (n--) /* worker 0 last: it runs at once and keeps us away */
		RT_MUST(hc_sm_up(workers[n].go));
}

void smp_run(unsigned n, smp_fn *fn)
{
	struct smp_wait p = {0};

	start(n, fn, false);
	while (smp_load(&job.finished) != n)
		wait_turn(&p);
}

void smp_run_asleep(unsigned n, smp_fn *fn)
{
	start(n, fn, true);
	RT_MUST(hc_sm_down(job.done));
}

/* ---- Faults ---- */

extern const uint8_t smp_store_at[], smp_load_at[], smp_access_failed[];

__asm__(".pushsection .text\n"
	".global smp_try_store, smp_try_load\n"
	"smp_try_store:\n"
	"smp_store_at:\n"
	"	mov %rsi, (%rdi)\n"
	"	mov $1, %eax\n"
	"	ret\n"
	"smp_try_load:\n"
	"smp_load_at:\n"
	"	mov (%rdi), %rax\n"
	"	mov %rax, (%rsi)\n"
	"	mov $1, %eax\n"
	"	ret\n"
	"smp_access_failed:\n"
	"	xor %eax, %eax\n"
	"	ret\n"
	".popsection\n");

static void page_fault(struct utcb *utcb, void *arg)
{
	struct utcb_state *s = &utcb->state;

	if (s->rip != (uint64_t)smp_store_at && s->rip != (uint64_t)smp_load_at)
		rt_panic("unexpected page fault on CPU %u: rip %#lx, error %#lx, address %#lx",
			 (unsigned)(unsigned long)arg, s->rip, s->qual[0], s->qual[1]);
	s->rip = (uint64_t)smp_access_failed;
	s->mtd = MTD_RIP_LEN;
}

static void catch_faults(unsigned cpu)
{
	enum { PAGE_FAULT = 14 };
	struct rt_ec ec = {.cpu = cpu, .events = SMP_NOTHING};

	RT_MUST(rt_ec_local(&ec));
	RT_MUST(rt_event(rt_events(cpu), PAGE_FAULT, &ec, MTD_RIP_LEN | MTD_QUAL, page_fault,
			 (void *)(unsigned long)cpu));
}

/* ---- Objects ---- */

sel_t smp_sel(void)
{
	rt_assert(sel_next < SMP_SEL + (1ul << SMP_SEL_ORDER));
	return sel_next++;
}

sel_t smp_sm(unsigned long count)
{
	sel_t sm = smp_sel();

	RT_MUST(hc_create_sm(sm, RT_SEL_PD, count));
	return sm;
}

void smp_thread(struct rt_ec *ec, unsigned worker, unsigned prio, void (*fn)(void *), void *arg)
{
	ec->cpu = smp_cpu(worker);
	ec->sel = smp_sel();
	ec->sc = smp_sel();
	RT_MUST(rt_thread(ec, prio, fn, arg));
}

sel_t smp_server(struct rt_ec *ec, unsigned worker, rt_handler *fn, void *arg)
{
	sel_t pt = smp_sel();

	ec->cpu = smp_cpu(worker);
	ec->sel = smp_sel();
	RT_MUST(rt_ec_local(ec));
	RT_MUST(rt_pt_at(pt, ec, 0, fn, arg));
	return pt;
}

sel_t smp_pd(void)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t pd = smp_sel();

	RT_MUST(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	for (unsigned i = 0; i < smp_count; i++)
		RT_MUST(hc_delegate(RT_SEL_PD, pd, rt_obj(rt_events(smp_cpu(i)), 5, PERM_ALL), ITEM_DELEGATE,
				    rt_obj(SMP_PD_EVENTS * i, 5, PERM_ALL), NULL));
	RT_MUST(rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				RT_MEM_RWX, 0));
	return pd;
}

static void agent_handler(struct utcb *u, RT_UNUSED void *unused)
{
	smp_agent_fn *fn = (smp_agent_fn *)u->words[0];

	u->words[0] = fn(u->words[1], u->words[2]);
	rt_msg(u, 1, 0);
}

void smp_agent_make(struct smp_agent *a, unsigned n)
{
	a->pd = smp_pd();
	for (unsigned i = 0; i < n; i++) {
		a->ec[i].pd = a->pd;
		a->ec[i].events = SMP_PD_EVENTS * i;
		a->pt[i] = smp_server(&a->ec[i], i, agent_handler, NULL);
	}
}

unsigned long smp_agent_do(struct smp_agent *a, unsigned self, smp_agent_fn *fn, unsigned long x, unsigned long y)
{
	struct utcb *u = smp_utcb(self);

	u->words[0] = (uint64_t)fn;
	u->words[1] = x;
	u->words[2] = y;
	rt_msg(u, 3, 0);
	EXPECT_OK(hc_call(a->pt[self]));
	return u->words[0];
}

/* ---- The frame ---- */

void smp_clean(void)
{
	RT_MUST(hc_revoke(rt_obj(SMP_SEL, SMP_SEL_ORDER, PERM_ALL), REVOKE_SELF, 0));
	sel_next = SMP_SEL;
}

static void around(void (*fn)(void))
{
	fn();
	smp_clean();
}

static void add_worker(unsigned cpu)
{
	struct worker *w = &workers[smp_count];

	w->cpu = w->ec.cpu = cpu;
	catch_faults(cpu);
	RT_MUST(rt_sm(&w->go, 0));
	RT_MUST(rt_thread(&w->ec, SMP_PRIO, work, (void *)(unsigned long)smp_count));
	smp_count++;
}

bool smp_test_run(const char *suite, const struct test *tests, size_t n)
{
	unsigned most = (unsigned)rt_arg("cpus", SMP_MAX);

	RT_MUST(rt_sm(&job.done, 0));
	add_worker(rt_cpu);
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX && smp_count < most && smp_count < SMP_MAX; cpu++)
		if (cpu != rt_cpu && rt_cpu_enabled(cpu))
			add_worker(cpu);
	sel_next = SMP_SEL;
	test_around = around;
	if (rt_arg_text("seed"))
		rt_printf("seed %lu, effort %lu\n", rt_arg("seed", 0), rt_arg("effort", 100));
	return test_run(suite, tests, n);
}
