/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S, NMIs and sleep do with the dispatcher: the ways in and out, as far as they decide who runs. */
#include "arch/switch.h"

#include "core/dispatch.h"
#include "platform/panic.h"

#define ROUNDS_MAX 1000 /* an exit that never gets out is a bug, not a long test */

static void dispatch(void *arg)
{
	(void)arg;
	arch_return_syscall(dispatch_run(host_cpu));
}

/* The exits test the hazards once more. */
static bool wants_dispatcher(const struct host_exit *e)
{
	if (e->way == HOST_SYSCALL || e->way == HOST_TRAP) {
		if (!host_cpu->attention)
			return false;
		e->ec->cont = e->way == HOST_TRAP ? CONT_IRET : CONT_SYSRET;
		return true;
	}
	return e->way == HOST_DISPATCH;
}

struct host_exit host_run(void (*fn)(void *arg), void *arg)
{
	struct host_exit e = host_leave(fn, arg);

	for (unsigned i = 0; wants_dispatcher(&e); i++) {
		kassert(i < ROUNDS_MAX);
		e = host_leave(dispatch, NULL);
	}
	return e;
}

struct host_exit host_dispatch(void)
{
	return host_run(dispatch, NULL);
}

struct host_exit host_nmi(void)
{
	struct cpu *cpu = host_cpu;
	bool idle = cpu->ec == cpu->idle_ec;

	if (__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_REMOTE);
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_RCU);
	if (idle) {
		__atomic_store_n(&cpu->sleeping, SLEEPING_NOT, __ATOMIC_SEQ_CST);
		hazard_set(cpu, HAZARD_REMOTE);
	} else if (cpu->hazard) {
		cpu->ec->cont = CONT_IRET;
	} else {
		return (struct host_exit){HOST_TRAP, cpu->ec, 0};
	}
	return host_dispatch();
}
