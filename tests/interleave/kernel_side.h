/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the explored machine and the kernel's code on it: the ways in and out, and what the fake registers do. */
#pragma once

#include "arch/switch.h"

/* arch/arch.c, instrumented */
void interleave_nmi(void);
void interleave_idle_begin(struct cpu *cpu, u32 sleeping);
bool interleave_idle_may_sleep(struct cpu *cpu);
void interleave_idle_end(struct cpu *cpu);

/* The machine sleeps and comes back, but for CPU `lost`. */
void interleave_log(void);
void interleave_reset_console(void);
void interleave_suspend(unsigned lost);

/* kernel_side.c */
void interleave_send_nmi(unsigned cpu);
/* In the guest until a hazard is set. */
void interleave_guest(struct cpu *cpu);
/* The running CPU is gone. */
__attribute__((noreturn)) void interleave_vanish(void);
u64 interleave_cr3_read(void);
void interleave_cr3_write(u64 v);
void interleave_invlpg(u64 va);

/* Makes the machine's memory and CPUs as they are before any object exists. */
void kernel_side_reset(unsigned cpus);
/* Outside of a run: the calling flow is CPU n. */
void kernel_side_set_cpu(unsigned n);

/* How the kernel was left. */
enum way { WAY_USER, WAY_IDLE };
/* fn(arg) on the current CPU, and then the dispatcher until no hazard is left. */
enum way kernel_side_enter(void (*fn)(void *), void *arg);
enum way kernel_side_dispatch(void);
/* In user mode or asleep: what an NMI has asked for is done. */
enum way kernel_side_after_nmi(void);

/* A load from user mode through the TLB: whether the page is there, as this CPU sees it. */
bool kernel_side_touch(u64 page);
