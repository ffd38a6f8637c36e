/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of a run: up to four CPUs, each a coroutine with a stack of its own, of which one runs at a time.
 * Another one takes over where memory that both use is accessed (memory.c), where one waits, sleeps or loops in user
 * mode, and nowhere else.
 *
 * NMIs: a CPU that is kicked takes it at once, at the next such point, or later; while its handler runs one more is
 * remembered.
 *
 * Outside of a run (machine_quiet), when a world is made and taken apart, there is one flow and no choices.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_CPUS 4

/* The running CPU, -1 outside of a run. */
extern int machine_running_cpu;
static inline int machine_running(void)
{
	return machine_running_cpu;
}
void machine_set_running(int cpu);
/* kernel_side.c: cpu_current() is this CPU from now on. */
void machine_set_running_cpu(int cpu);

/* A run: main(n) is what CPU n < cpus does, for ever. Returns when nothing can happen any more, or at a failure. */
void machine_run(unsigned cpus, void (*main)(unsigned n));

/* Before an access to shared memory: another CPU may run first. */
void machine_point(void);
/* At each access. Too many of them mean that the run does not end, which is a failure. */
void machine_count_access(void);
/* Before a test of what NMI handlers write: an NMI may be taken. True if one was. */
bool machine_nmi_point(void);
/* The same, and another CPU may run first and send one. */
void machine_hazard_point(void);
/* Something that others may wait for has changed. */
void machine_changed(void);

/* The running CPU spins: it goes on when something has changed (machine_changed()) or it has an NMI. */
void machine_spin(void);
/* It sleeps until an NMI comes, or (word != NULL) *word is not 0. */
void machine_sleep(const uint64_t *word);
/* It does the same in user mode for ever; returns when an NMI has been taken. */
void machine_user_loop(void);

/* The running CPU is switched off for the rest of the run; what is in its store buffer becomes visible. */
__attribute__((noreturn)) void machine_vanish(void);

/* CPU `to` gets an NMI. Outside of a run it is only remembered: machine_take_nmi() asks for it and forgets it. */
void machine_kick(unsigned to);
bool machine_take_nmi(unsigned cpu);
/* What its handler is. */
extern void (*machine_nmi_handler)(void);

bool machine_on_stack(uint64_t address);
/* After a run: whether the CPU waits in the kernel, although nothing can happen any more. */
bool machine_is_stuck(unsigned cpu);

/* Ends the run; does not return in a run. */
void machine_abort(void);
