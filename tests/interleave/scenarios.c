/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenarios: small programs that meet. Each is searched exhaustively up to a number of preemptions, and at random
 * beyond. A thread that does not come to its last operation has lost a wake-up, unless it says that it may wait or
 * die.
 */
#include "world.h"

#define SM(count)                \
	{                        \
		OBJECT_SM, count \
	}
#define PT(thread)                \
	{                         \
		OBJECT_PT, thread \
	}
#define VCPU(cpu)                \
	{                        \
		OBJECT_VCPU, cpu \
	}
#define FREE                   \
	{                      \
		OBJECT_FREE, 0 \
	}
#define DO(kind, ...)                    \
	{                                \
		OP_##kind, ##__VA_ARGS__ \
	}

const struct scenario scenarios[] = {
	{
		.name = "sm.down_meets_up",
		.what = "a less important down of the waiter's CPU is under way while another CPU ups",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(END)}},
			    {.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0), DO(END)}, .may_wait = true},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(END)}}},
	},
	{
		.name = "sm.two_ups",
		.what = "the same with as many ups as downs: all come through",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(END)}},
			    {.cpu = 0, .prio = 5, .ops = {DO(ZERO, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(UP, 0), DO(END)}}},
		/* zero may take both units */
	},
	{
		.name = "sm.end_meets_up",
		.what = "an up that has returned is not lost when the semaphore ends",
		.no_up_at_the_end = true,
		.cpus = 2,
		.objects = {SM(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0, .expect = OK | GONE), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(REVOKE, WORLD_OBJECT(0)), DO(END)}}},
	},
	{
		.name = "sm.wake_idle",
		.what = "up for a CPU that goes to sleep, by MWAIT and by HLT, back and forth",
		.cpus = 2,
		.objects = {SM(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0), DO(UP, 1), DO(DOWN, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(DOWN, 1), DO(UP, 0), DO(END)}}},
	},
	{
		.name = "sm.preempt_loop",
		.what = "a wake-up from another CPU preempts user code that makes no calls",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(DOWN, 0), DO(END)}},
			    {.cpu = 0, .prio = 5, .ops = {DO(LOOP)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(UP, 0), DO(END)}}},
	},
	{
		.name = "sm.three_cpus",
		.what = "two CPUs up, two wait, one of them behind a more important one",
		.cpus = 3,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(END)}},
			    {.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(END)}},
			    {.cpu = 2, .prio = 5, .ops = {DO(UP, 0), DO(END)}}},
	},
	{
		.name = "sm.killed_while_upped",
		.what = "a waiter dies while an up is on its way to it: the unit goes to the next one",
		.cpus = 3,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(END)}, .may_die = true},
			    {.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(UP, 0), DO(END)}},
			    {.cpu = 2,
			     .prio = 5,
			     .ops = {DO(REVOKE, WORLD_SC(0)), DO(REVOKE, WORLD_EC(0)), DO(END)}}},
	},
	{
		.name = "sm.wake_then_loop",
		.what = "a CPU is woken for a thread that loops, while another one for a more important thread",
		.cpus = 3,
		.objects = {SM(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(DOWN, 0), DO(LOOP)}},
			    {.cpu = 0, .prio = 7, .ops = {DO(DOWN, 1), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(END)}},
			    {.cpu = 2, .prio = 5, .ops = {DO(UP, 1), DO(END)}}},
	},
	{
		.name = "sm.killed_waiter",
		.what = "a waiter is killed and freed, and leaves nothing in the queue",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0), DO(END)}, .may_die = true},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(REVOKE, WORLD_SC(0)), DO(REVOKE, WORLD_EC(0)), DO(END)}}},
	},
	{
		.name = "sm.end_with_waiters",
		.what = "waiters on two CPUs, one still on its way, when the semaphore ends",
		.cpus = 3,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 0, .expect = GONE), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(DOWN, 0, .expect = GONE), DO(END)}},
			    {.cpu = 2, .prio = 5, .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(END)}}},
	},
	{
		.name = "ipc.helped_server_upped",
		.what = "a busy server waits on a semaphore; somebody more important helps it; another CPU ups",
		.cpus = 2,
		.objects = {SM(0), PT(3), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(CALL, 1), DO(END)}},
			    {.cpu = 0, .prio = 7, .ops = {DO(DOWN, 2), DO(CALL, 1), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 2), DO(UP, 0), DO(UP, 0), DO(END)}},
			    {.cpu = 0, .local = true, .ops = {DO(DOWN, 0), DO(REPLY)}}},
	},
	{
		.name = "ipc.reply_down",
		.what = "a reply that puts its caller to sleep meets the up",
		.cpus = 2,
		.objects = {SM(0), PT(2)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(CALL, 1), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0), DO(END)}},
			    {.cpu = 0, .local = true, .ops = {DO(REPLY_DOWN, 0)}}},
	},
	{
		.name = "ipc.kill_server",
		.what = "the server dies in the middle of a call with a helper: both come back",
		.cpus = 2,
		.objects = {SM(0), PT(2), SM(0)},
		.threads = {{.cpu = 0,
			     .prio = 5,
			     .ops = {DO(CALL, 1, .expect = OK | ABORTED | TIMED_OUT | GONE), DO(END)}},
			    {.cpu = 0,
			     .prio = 6,
			     .ops = {DO(DOWN, 0), DO(CALL, 1, .expect = OK | ABORTED | TIMED_OUT | GONE), DO(END)}},
			    {.cpu = 0, .local = true, .ops = {DO(DOWN, 2), DO(REPLY)}, .may_die = true},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(UP, 0), DO(REVOKE, WORLD_OBJECT(1)), DO(REVOKE, WORLD_EC(2)), DO(END)}}},
	},
	{
		.name = "object.delegate_meets_revoke",
		.what = "a capability is passed on while what it came from is revoked, and the object is used",
		.cpus = 2,
		.objects = {SM(5), FREE, FREE},
		.threads = {{.cpu = 0,
			     .prio = 5,
			     .ops = {DO(TAKE, WORLD_OBJECT(0), 1), DO(UP, 1, .expect = OK | GONE), DO(END)}},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(UP, 1, .expect = OK | GONE), DO(END)}}},
	},
	{
		.name = "object.two_revoke",
		.what = "two CPUs revoke the same object while a third makes another at its place",
		.cpus = 3,
		.objects = {SM(1), FREE},
		.threads =
			{{.cpu = 0,
			  .prio = 5,
			  .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(CREATE_SM, 0, .expect = OK | GONE), DO(END)}},
			 {.cpu = 1, .prio = 5, .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(END)}},
			 {.cpu = 2, .prio = 5, .ops = {DO(DOWN, 0, .expect = OK | GONE), DO(END)}, .may_wait = true}},
	},
	{
		.name = "object.create_meets_revoke",
		.what = "two CPUs create at one selector, one revokes it",
		.cpus = 2,
		.objects = {FREE},
		.threads = {{.cpu = 0,
			     .prio = 5,
			     .ops = {DO(CREATE_SM, 0, 1, .expect = OK | GONE), DO(REVOKE, WORLD_OBJECT(0)), DO(END)}},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(CREATE_SM, 0, 1, .expect = OK | GONE), DO(UP, 0, .expect = OK | GONE),
				     DO(END)}}},
	},
	{
		.name = "object.thread_dies_elsewhere",
		.what = "a thread and its SC are revoked from another CPU while it is upped and runs",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0,
			     .prio = 5,
			     .ops = {DO(DOWN, 0), DO(UP, 0), DO(DOWN, 0), DO(LOOP)},
			     .may_die = true},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(UP, 0), DO(REVOKE, WORLD_EC(0)), DO(REVOKE, WORLD_SC(0)), DO(END)}}},
	},
	{
		.name = "rcu.looping_cpu",
		.what = "objects die while one CPU loops in user mode and one goes to sleep and comes back",
		.cpus = 3,
		.objects = {SM(0), SM(0), SM(0)},
		.threads = {{.cpu = 0,
			     .prio = 5,
			     .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(UP, 1), DO(REVOKE, WORLD_OBJECT(2)), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 0, .expect = OK | GONE), DO(LOOP)}},
			    {.cpu = 2, .prio = 5, .ops = {DO(DOWN, 1), DO(UP, 2, .expect = OK | GONE), DO(END)}}},
	},
	{
		.name = "tlb.unmap",
		.what = "a page is taken from a PD that is entered on another CPU, and used there afterwards",
		.cpus = 2,
		.objects = {SM(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(UNMAP, 0, 1), DO(SAY, 0, 1), DO(END)}},
			    {.cpu = 1,
			     .prio = 5,
			     .pd = 1,
			     .ops = {DO(TOUCH), DO(YIELD), DO(AWAIT, 0, 1), DO(TOUCH), DO(END)}},
			    {.cpu = 1, .prio = 5, .pd = 2, .ops = {DO(YIELD), DO(END)}}},
	},
	{
		.name = "tlb.unmap_twice",
		.what = "the same with another page before: the CPU is not forgotten as a user of the PD",
		.cpus = 2,
		.objects = {SM(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(UNMAP, 1, 1), DO(UNMAP, 0, 1), DO(SAY, 0, 1), DO(END)}},
			    {.cpu = 1,
			     .prio = 5,
			     .pd = 1,
			     .ops = {DO(YIELD), DO(TOUCH), DO(YIELD), DO(AWAIT, 0, 1), DO(TOUCH), DO(END)}},
			    {.cpu = 1, .prio = 5, .pd = 2, .ops = {DO(YIELD), DO(YIELD), DO(END)}}},
	},
	{
		.name = "tlb.two_unmap",
		.what = "two CPUs flush the same PD at once, each runs it",
		.cpus = 2,
		.objects = {SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .pd = 1, .ops = {DO(TOUCH), DO(UNMAP, 0, 1), DO(TOUCH), DO(END)}},
			    {.cpu = 1, .prio = 5, .pd = 1, .ops = {DO(TOUCH), DO(UNMAP, 0, 1), DO(TOUCH), DO(END)}}},
	},
	{
		.name = "port.give_meets_revoke",
		.what = "ports are passed on from PD to PD while they are revoked at the root",
		.cpus = 2,
		.ports_end = true,
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(GIVE_PORTS, 0, 1), DO(GIVE_PORTS, 1, 2), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(REVOKE_PORTS, 0), DO(END)}}},
	},
	{
		.name = "port.two_revoke",
		.what = "two CPUs revoke ports at different places while a third passes them on",
		.cpus = 3,
		.ports_end = true,
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(GIVE_PORTS, 0, 1), DO(REVOKE_PORTS, 1), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(REVOKE_PORTS, 0), DO(END)}},
			    {.cpu = 2, .prio = 5, .ops = {DO(GIVE_PORTS, 0, 2), DO(GIVE_PORTS, 2, 1), DO(END)}}},
	},
	{
		.name = "vcpu.poke",
		.what = "a run is poked from another CPU before, while and after it begins",
		.cpus = 2,
		.objects = {VCPU(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(RUN, 0), DO(UP, 1), DO(RUN, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(POKE, 0), DO(DOWN, 1), DO(POKE, 0), DO(END)}}},
	},
	{
		.name = "vcpu.preempted_guest",
		.what = "a guest runs; a more important thread of its CPU is upped, and then the guest is poked",
		.cpus = 2,
		.objects = {VCPU(0), SM(0)},
		.threads = {{.cpu = 0, .prio = 7, .ops = {DO(DOWN, 1), DO(DOWN, 1), DO(END)}},
			    {.cpu = 0, .prio = 5, .ops = {DO(RUN, 0), DO(END)}},
			    {.cpu = 1, .prio = 5, .ops = {DO(UP, 1), DO(UP, 1), DO(POKE, 0), DO(END)}}},
	},
	{
		.name = "vcpu.end",
		.what = "a vCPU is destroyed from another CPU while it runs",
		.cpus = 2,
		.objects = {VCPU(0)},
		.threads = {{.cpu = 0, .prio = 5, .ops = {DO(RUN, 0, .expect = OK | GONE), DO(END)}},
			    {.cpu = 1,
			     .prio = 5,
			     .ops = {DO(REVOKE, WORLD_OBJECT(0)), DO(POKE, 0, .expect = GONE), DO(END)}}},
	},
};

const unsigned scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
