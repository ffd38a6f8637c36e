/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the explored machine and the kernel's code on it: the ways in and out, and what the fake registers do. */
#pragma once

#include "arch/switch.h"

/* Of arch/arch.c, which is instrumented. The handler of NMIs, and the parts of arch_idle(): */
void interleave_nmi(void);
void interleave_idle_begin(struct cpu *cpu, u32 sleeping);
bool interleave_idle_may_sleep(struct cpu *cpu);
void interleave_idle_end(struct cpu *cpu);

/* The machine sleeps and comes back, but for CPU `lost`. */
void interleave_suspend(unsigned lost);

/* Of arch/console.c: a message that no device takes at once; nothing is left to be written. */
void interleave_log(void);
void interleave_reset_console(void);

/* Of kernel_side.c, for the files in arch/. */
void interleave_send_nmi(unsigned cpu);
/* The guest runs until a hazard is set. */
void interleave_guest(struct cpu *cpu);
/* The running CPU is lost in sleep: it does nothing any more. */
__attribute__((noreturn)) void interleave_vanish(void);
/* Time goes by. */
void interleave_tsc_add(u64 ticks);
u64 interleave_cr3_read(void);
void interleave_cr3_write(u64 v);
void interleave_invlpg(u64 va);

/* Makes memory and the first `cpus` CPUs as they are before any object exists. */
void kernel_side_reset(unsigned cpus);
/* Outside of a run: what is called from now on runs on CPU n. */
void kernel_side_set_cpu(unsigned n);

/* How the kernel was left: to user mode or to sleep. */
enum way { WAY_USER, WAY_IDLE };
/* fn(arg) on the current CPU, and then the dispatcher until no hazard is left. */
enum way kernel_side_enter(void (*fn)(void *), void *arg);
enum way kernel_side_dispatch(void);
/* Called in user mode or asleep, after an NMI: goes into the kernel if the handler has set a hazard. */
enum way kernel_side_after_nmi(void);

/* A load from user mode through the TLB, whose entry may be stale: whether this CPU finds the page present. */
bool kernel_side_touch(u64 page);
