/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the halves of the suite share: worker 1's guest is the victim; worker 0, on the boot CPU, does something to
 * it. */
#pragma once

#include "smp.h"

#include "guest/vm.h"

#include <hedron/trace.h>

enum { SPILL = VM_HOLE, COUNTER = VM_DATA }; /* where guests store to; SPILL is mapped by some tests */

extern struct vm vms[SMP_MAX];
extern unsigned long phase, over; /* the workers tell each other */

#define NEED_VCPUS                                 \
	do {                                       \
		if (!rt_has_vcpus())               \
			SKIP("no virtualization"); \
		smp_set(&phase, 0);                \
		smp_set(&over, 0);                 \
	} while (0)

/* The n-th VM, with a PD of its own, on that worker's CPU. In main(). */
struct vm *vm_on(unsigned n, unsigned worker);
void vm_begin(struct vm *vm, const struct vm_code *code);
/* Runs until the exit is something else than a timeout. The guest's time does not end by itself. */
enum status vm_run_on(struct vm *vm);

/* Of worker 1's CPU; switched on. */
const struct trace_path *vm_trace_path(unsigned path);
void vm_trace_off(void);

void interrupts_while_running(void);
void remapped_while_running(void);
void unmapped_while_running(void);
void remapped_while_not_running(void);
void ports_while_running(void);
