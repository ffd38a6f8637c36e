/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/space.h"
#include "arch/switch.h"

#include "platform/panic.h"

#include <setjmp.h>
#include <string.h>

struct host_state host_state[HEDRON_CPU_MAX];
struct host_calls host_calls[HEDRON_CPU_MAX];
u32 host_idle_mode;

/* ---- switching ---- */

static const u64 fpu_initial = HOST_FPU_INITIAL;

void arch_clear_residue(struct cpu *cpu)
{
	cpu->residue = 0;
}

void arch_fpu_init(struct ec *ec)
{
	memcpy(ec->fpu, &fpu_initial, sizeof(fpu_initial));
	ec->fpu_load = &fpu_initial;
}

static void fpu_save(struct cpu *cpu, struct ec *ec)
{
	memcpy(ec->fpu, &host_state[cpu->id].fpu, sizeof(u64));
	ec->fpu_load = ec->fpu;
}

static void fpu_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	if (host_state[cpu->id].fpu != HOST_FPU_INITIAL)
		fpu_save(cpu, from);
	memcpy(&host_state[cpu->id].fpu, to->fpu_load, sizeof(u64));
	to->fpu_load = &fpu_initial;
}

static void switch_rest(struct cpu *cpu, struct ec *from, struct ec *to)
{
	struct host_state *s = &host_state[cpu->id];

	kassert(cpu == host_cpu && from == cpu->ec && to->cpu_id == cpu->id);
	cpu->ec = to;
	from->fs_base = s->fs_base;
	from->gs_base = s->gs_base;
	s->fs_base = to->fs_base;
	s->gs_base = to->gs_base;
	host_set_pd(to->pd);
	host_calls[cpu->id].switches++;
}

struct ec *host_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	switch_rest(cpu, from, to);
	fpu_switch(cpu, from, to);
	return to;
}

void host_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	switch_rest(cpu, from, to);
	fpu_save(cpu, from);
	to->fpu_load = &fpu_initial;
}

void host_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	kassert(self == cpu->ec);
	fpu_save(cpu, to);
}

/* ---- other CPUs ---- */

void (*host_on_kick)(struct cpu *cpu);

void arch_kick(struct cpu *cpu)
{
	__atomic_fetch_add(&host_calls[cpu->id].kicks, 1, __ATOMIC_RELAXED);
	if (host_on_kick)
		host_on_kick(cpu);
}

/* The rule is that of arch/x86_64/apic/lapic.c. */
void arch_signal(struct cpu *cpu)
{
	__atomic_fetch_add(&host_calls[cpu->id].signals, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&cpu->sleeping, __ATOMIC_SEQ_CST) != SLEEPING_MWAIT)
		arch_kick(cpu);
}

/* ---- the ways out ---- */

static __thread struct {
	jmp_buf *back;
	struct host_exit exit;
} way_out;

struct host_exit host_leave(void (*fn)(void *arg), void *arg)
{
	jmp_buf here, *outer = way_out.back;

	way_out.exit = (struct host_exit){.way = HOST_RETURNED};
	way_out.back = &here;
	if (!setjmp(here))
		fn(arg);
	way_out.back = outer;
	return way_out.exit;
}

__attribute__((noreturn)) static void leave(enum host_way way, struct ec *ec, u32 sleeping)
{
	if (!way_out.back)
		panic("a way out of the kernel without host_leave()");
	way_out.exit = (struct host_exit){way, ec, sleeping};
	longjmp(*way_out.back, 1);
}

void arch_return_syscall(struct ec *ec)
{
	kassert(ec == host_cpu->ec);
	leave(HOST_SYSCALL, ec, 0);
}

void arch_return_trap(struct ec *ec)
{
	kassert(ec == host_cpu->ec);
	leave(HOST_TRAP, ec, 0);
}

void arch_dispatch(void)
{
	leave(HOST_DISPATCH, host_cpu->ec, 0);
}

void arch_idle(struct cpu *cpu, u32 sleeping)
{
	kassert(cpu == host_cpu && cpu->ec == cpu->idle_ec);
	__atomic_store_n(&cpu->sleeping, sleeping, __ATOMIC_SEQ_CST);
	leave(HOST_IDLE, cpu->ec, sleeping);
}

const char *arch_event_name(unsigned event)
{
	(void)event;
	return "event";
}

/* ---- address spaces ---- */

u64 host_pds;

void arch_pd_init(struct pd *pd)
{
	for (unsigned n = 0; n < HEDRON_CPU_MAX; n++)
		pd->cr3[n] = (u64)pd->mem.host.root;
	host_pds++;
}

void arch_pd_free(struct pd *pd)
{
	kassert(pd->cr3[0] == (u64)pd->mem.host.root && host_pds);
	host_pds--;
}

void host_reset_switch(void)
{
	memset(host_state, 0, sizeof(host_state));
	memset(host_calls, 0, sizeof(host_calls));
	host_idle_mode = SLEEPING_MWAIT;
	host_pds = 0;
	host_on_kick = NULL;
}
