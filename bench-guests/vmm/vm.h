/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine: its memory, its board, its processor. Guest memory begins at guest-physical 0 and is one
 * piece; behind it is the board.
 * Locking: none, one thread runs it. Threads of one priority share a CPU by yielding: nothing else would make a
 * thread wait for another.
 */
#pragma once

#include "vmm/cpuid.h"
#include "vmm/devices.h"
#include "vmm/machine.h"

#include "rt/vcpu.h"

#include <stddef.h>

/* Why a VM is not run any more. */
enum vm_end { VM_RUNS, VM_RESET, VM_OFF, VM_HALTED, VM_FAULT };

#define VM_RAM_MAX (3ul << 30) /* the last GiB below 4 GiB is for the board */

struct guest_vm {
	const char *name; /* before each line of its console */
	uint8_t *ram;
	uint64_t ram_size;
	struct machine machine;
	struct devices devices;
	struct rt_vcpu vcpu;
	struct utcb_state *s;
	uint64_t changed;      /* MTD bits of what the next run takes from the state page */
	uint32_t event, error; /* what the next run injects, as intr_info and intr_error say it; 0: nothing */
	bool whole, has_whole; /* the next run brings the whole state to the page; the last one did */
	bool window;           /* an exit has been asked for when the guest can take an interrupt */
	uint64_t slice_end;    /* when it lets others have the CPU */
	uint64_t start;        /* the TSC at the VM's start */
	struct cpuid_guest cpuid;
	uint64_t misc_enable;
	uint64_t cr4_allowed; /* bits that the guest can set */
	enum vm_end end;
	uint64_t exits;
	char line[160]; /* of the console, not yet written */
	unsigned line_len;
};

/*
 * Makes a VM with `ram_size` bytes of memory, a multiple of 2 MiB up to VM_RAM_MAX, in a protection domain of its
 * own. It can be run on that CPU. On failure a line says why.
 */
bool vm_create(struct guest_vm *vm, const char *name, unsigned cpu, uint64_t ram_size) RT_MUST_CHECK;

/* `size` bytes of guest memory from `gpa` on, or null if not all of them are memory. */
static inline void *vm_memory(const struct guest_vm *vm, uint64_t gpa, uint64_t size)
{
	return gpa <= vm->ram_size && size <= vm->ram_size - gpa ? vm->ram + gpa : NULL;
}

/* Runs the VM until it ends, and says why. */
enum vm_end vm_run_to_end(struct guest_vm *vm);

uint64_t vm_now(const struct guest_vm *vm);          /* nanoseconds since its start */
void vm_yield(void);                                 /* lets other threads of the CPU run */
void vm_wake(void *vm);                              /* from any thread: makes that VM look at its devices */
void vm_console_send(void *vm, uint8_t byte);        /* a byte for the console of that VM */
void vm_console_flush(struct guest_vm *vm);          /* writes a line that has not ended yet */
void vm_fail(struct guest_vm *vm, const char *what); /* ends it with a line: the guest did what nobody can do */
