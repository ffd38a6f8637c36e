/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/monitor.h"

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/entry.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/memory_ctrl.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/portal.h"
#include "rt/sel.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

static sel_t work_done;         /* a semaphore, up when a monitor has something for the roottask */
static struct monitor *entered; /* in a monitor's copy of the data: itself */

static size_t data_pages(void)
{
	return (size_t)(rt_image_end - rt_data_start) / RT_PAGE;
}

/* ---- Making ---- */

void monitor_begin(struct monitor *m, struct guest_vm *vm)
{
	*m = (struct monitor){.vm = vm, .memory = rt_pages(0)};
}

bool monitor_prepare(struct monitor *m, sel_t work)
{
	work_done = work;
	m->page = rt_pages_aligned(1, 1);
	for (unsigned n = 0; n < m->vm->machine.processors; n++)
		m->thread[n].stack = rt_pages_aligned(RT_STACK_PAGES, 1);
	m->data = rt_pages_aligned(data_pages(), 1);
	m->hip = rt_pages_aligned(1, 1);
	if (m->hip)
		return true;
	rt_printf("%s: not enough memory for its monitor\n", m->vm->name);
	return false;
}

/* ---- Events of its threads ---- */

static void startup(struct utcb *utcb, void *arg)
{
	(void)arg;
	utcb->state.mtd = MTD_RIP_LEN;
	utcb->state.rip = (uint64_t)rt_thread_entry;
}

/* There is no answer: the thread stays where it is until all that it belongs to is taken away. */
static void die(struct utcb *utcb, void *arg)
{
	struct monitor *m = arg;

	rt_printf("%s: its monitor has died: error %#lx, address %#lx, at %#lx\n", m->vm->name, utcb->state.qual[0],
		  utcb->state.qual[1], utcb->state.rip);
	__atomic_store_n(&m->died, true, __ATOMIC_RELEASE);
	RT_MUST(hc_sm_up(work_done));
	rt_block();
}

/* Portals for all events of a thread, at the same selectors in the roottask and in the domain. */
static enum status make_events(struct monitor *m, unsigned number)
{
	struct rt_ec *h = &m->handler[number];
	sel_t base = rt_sels(5);
	enum status st;

	h->cpu = m->vm->cpu[number].vcpu.cpu;
	st = rt_ec_local(h);
	for (unsigned v = 0; v < HEDRON_SEL_EXC && st == SUCCESS; v++)
		st = v == HEDRON_EXC_STARTUP ? rt_pt_at(base + v, h, 0, startup, m)
					     : rt_pt_at(base + v, h, MTD_RIP_LEN | MTD_QUAL, die, m);
	m->thread[number].events = base;
	return st == SUCCESS ? hc_delegate(RT_SEL_PD, m->vm->pd, rt_obj(base, 5, PERM_ALL), ITEM_DELEGATE,
					   rt_obj(base, 5, PERM_ALL), NULL)
			     : st;
}

/* ---- What it can reach ---- */

/* Whole pages, at the same address. */
static enum status give(struct monitor *m, const void *from, const void *to, unsigned rights)
{
	uint64_t begin = (uint64_t)from & -RT_PAGE, end = rt_align((uint64_t)to, RT_PAGE);

	return rt_mem_delegate(RT_SEL_PD, begin, m->vm->pd, begin, (end - begin) / RT_PAGE, rights, 0);
}

static enum status give_copy(struct monitor *m, uint8_t *copy, const void *of, size_t pages, unsigned rights)
{
	uint64_t to = (uint64_t)of & -RT_PAGE;

	memcpy(copy, (const void *)to, pages * RT_PAGE);
	return rt_mem_delegate(RT_SEL_PD, (uint64_t)copy, m->vm->pd, to, pages, rights, 0);
}

static enum status give_memory(struct monitor *m)
{
	enum status st = give(m, rt_image_start, rt_data_start, RT_MEM_RWX);

	if (st == SUCCESS)
		st = give_copy(m, m->hip, rt_hip, 1, PERM_MEM_R);
	if (st == SUCCESS)
		st = give(m, m->memory, m->data, RT_MEM_RW);
	if (st == SUCCESS && m->image)
		st = give(m, m->image, (const uint8_t *)m->image + m->image_size, PERM_MEM_R);
	return st == SUCCESS ? give_copy(m, m->data, rt_data_start, data_pages(), RT_MEM_RW) : st;
}

static enum status give_ring(struct monitor *m, const struct net_ring *ring)
{
	return ring ? give(m, ring, ring + 1, RT_MEM_RW) : SUCCESS;
}

static enum status give_network(struct monitor *m, const struct monitor *other)
{
	const struct virtio_net *a = &m->vm->devices.net, *b = &other->vm->devices.net;
	enum status st;

	if (!a->net || !b->net)
		return SUCCESS;
	st = give_ring(m, a->net->port[a->port].from[b->port]);
	if (st == SUCCESS)
		st = give_ring(m, b->net->port[b->port].from[a->port]);
	return st == SUCCESS
		       ? rt_delegate(other->vm->cpu[0].vcpu.sel, m->vm->pd, other->vm->cpu[0].vcpu.sel, PERM_ALL)
		       : st;
}

static enum status move_page(sel_t page, sel_t pd, const void *to)
{
	enum status st = hc_kp_unmap(page);

	return st == SUCCESS ? hc_kp_map(page, pd, (unsigned long)to & -RT_PAGE) : st;
}

/* A kernel page is mapped once. */
static enum status give_processor(struct monitor *m, const struct rt_vcpu *v)
{
	enum status st = rt_delegate(v->sel, m->vm->pd, v->sel, PERM_ALL);

	if (st == SUCCESS)
		st = move_page(v->sel + RT_VCPU_SEL_STATE, m->vm->pd, v->state);
	if (st == SUCCESS)
		st = move_page(v->sel + RT_VCPU_SEL_VLAPIC, m->vm->pd, v->vlapic);
	return st == SUCCESS ? move_page(v->sel + RT_VCPU_SEL_FPU, m->vm->pd, v->fpu) : st;
}

static enum status start_processor(struct monitor *m, unsigned number, void (*run)(void *cpu))
{
	struct guest_cpu *cpu = &m->vm->cpu[number];
	struct rt_ec *thread = &m->thread[number];
	enum status st = give_processor(m, &cpu->vcpu);

	if (st == SUCCESS)
		st = make_events(m, number);
	thread->pd = m->vm->pd;
	thread->cpu = cpu->vcpu.cpu;
	return st == SUCCESS ? rt_thread(thread, RT_PRIO, run, cpu) : st;
}

enum status monitor_start(struct monitor *m, struct monitor *all, unsigned count, void (*run)(void *cpu))
{
	enum status st = give_memory(m);

	for (unsigned n = 0; n < count && st == SUCCESS; n++)
		if (&all[n] != m)
			st = give_network(m, &all[n]);
	if (st == SUCCESS)
		st = rt_delegate(work_done, m->vm->pd, work_done, PERM_ALL);
	for (unsigned n = 0; n < m->vm->machine.processors && st == SUCCESS; n++)
		st = start_processor(m, n, run);
	return st;
}

/* ---- In the domain ---- */

/* The roottask's thread is more important than all monitors, so room is only a matter of time. */
static void say(const char *text, size_t length)
{
	struct monitor_page *p = entered->page;
	uint32_t at = p->written;

	while (sizeof(p->text) - (at - __atomic_load_n(&p->read, __ATOMIC_ACQUIRE)) < length)
		rt_pause();
	for (size_t n = 0; n < length; n++)
		p->text[at++ % sizeof(p->text)] = text[n];
	__atomic_store_n(&p->written, at, __ATOMIC_RELEASE);
	RT_MUST(hc_sm_up(work_done));
}

void monitor_enter(struct monitor *m)
{
	entered = m;
	rt_console_instead = say;
}

void monitor_leave(struct monitor *m)
{
	__atomic_store_n(&m->page->end, (uint32_t)m->vm->end, __ATOMIC_RELEASE);
	RT_MUST(hc_sm_up(work_done));
}

/* ---- In the roottask ---- */

static void show(struct monitor *m)
{
	const struct monitor_page *p = m->page;
	uint32_t count = __atomic_load_n(&p->written, __ATOMIC_ACQUIRE) - m->read;
	char text[sizeof(p->text)];

	if (count > sizeof(text))
		count = sizeof(text);
	for (uint32_t n = 0; n < count; n++)
		text[n] = p->text[m->read++ % sizeof(p->text)];
	rt_write(text, count);
	__atomic_store_n(&m->page->read, m->read, __ATOMIC_RELEASE);
}

bool monitor_serve(struct monitor *m)
{
	bool ended = __atomic_load_n(&m->died, __ATOMIC_ACQUIRE) ||
		     __atomic_load_n(&m->page->end, __ATOMIC_ACQUIRE) != VM_RUNS;

	if (m->gone)
		return false;
	show(m);
	m->gone = ended;
	return ended;
}

static void take_processor(const struct monitor *m, unsigned number)
{
	const struct rt_ec *thread = &m->thread[number], *handler = &m->handler[number];

	RT_MUST(rt_revoke(thread->sc));
	RT_MUST(rt_revoke(thread->sel));
	RT_MUST(hc_revoke(rt_obj(thread->events, 5, PERM_ALL), REVOKE_SELF, 0));
	RT_MUST(rt_revoke(handler->sel));
	for (unsigned n = RT_VCPU_SEL; n < RT_VCPU_SELS; n++)
		RT_MUST(rt_revoke(m->vm->cpu[number].vcpu.sel + n));
}

static unsigned long left(void)
{
	struct hc_memory memory;

	RT_MUST(hc_memory_look(RT_SEL_PD, &memory));
	return memory.left;
}

/*
 * The kernel gives memory back when no CPU can be at it any more, and threads that were ended have to get the CPU for
 * that once more.
 */
static bool comes_back(unsigned long wanted)
{
	uint64_t begin = rt_rdtsc(), patience = 60000ul * rt_hip->freq_tsc; /* 60 s */

	while (left() < wanted) {
		if (rt_rdtsc() - begin > patience)
			return false;
		RT_MUST(hc_yield());
	}
	return true;
}

bool monitor_end(struct monitor *m)
{
	struct hc_memory had;
	unsigned long wanted;
	bool back;

	RT_MUST(hc_memory_look(m->vm->pd, &had));
	wanted = left() + had.used;
	for (unsigned n = 0; n < m->vm->machine.processors; n++)
		take_processor(m, n);
	RT_MUST(rt_revoke(m->vm->pd));
	back = comes_back(wanted);
	rt_printf("%s: %lu KiB of kernel memory are %s\n", m->vm->name, had.used >> 10, back ? "back" : "NOT BACK");
	m->cleared = true;
	return back && !m->died && m->page->end != VM_FAULT;
}
