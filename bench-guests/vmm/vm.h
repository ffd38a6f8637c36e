/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine: its memory, its board, its processors. Guest memory begins at guest-physical 0 and is one
 * piece; behind it is the board.
 * Locking: each processor has a thread, which holds the VM's lock whenever it does not run the guest: the board, and
 * all that exits do, is one thread's at a time. Threads of one priority share a CPU by yielding, nothing else would
 * make a thread wait for another; so none yields with the lock.
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

/* One of those of a VM. */
struct vm_console {
	const char *name; /* the VM's */
	char line[160];   /* not yet written */
	unsigned length;
};

/* A processor of a VM. */
struct guest_cpu {
	struct guest_vm *vm;
	struct lapic *lapic; /* of the board */
	unsigned number;
	struct rt_vcpu vcpu;
	struct utcb_state *s;
	uint64_t changed;      /* MTD bits of what the next run takes from the state page */
	uint32_t event, error; /* what the next run injects, as intr_info and intr_error say it; 0: nothing */
	bool whole, has_whole; /* the next run brings the whole state to the page; the last one did */
	bool window;           /* an exit has been asked for when the guest can take an interrupt */
	bool runs;             /* the guest, and nobody has told it to stop */
	bool halted;           /* it waits for an interrupt */
	uint64_t slice_end;    /* when it lets others have the CPU */
	struct cpuid_guest cpuid;
	uint64_t misc_enable;
	uint64_t cr4_allowed; /* bits that the guest can set */
	uint64_t exits;
};

struct guest_vm {
	const char *name; /* before each line of its consoles */
	uint8_t *ram;
	uint64_t ram_size;
	bool locked;
	struct machine machine;
	struct devices devices;
	sel_t pd;
	struct guest_cpu cpu[MACHINE_PROCESSORS]; /* as many as the board has */
	uint64_t start;                           /* the TSC at the VM's start */
	enum vm_end end;
	unsigned ended; /* processors that are not run any more */
	struct vm_console serial, virtio;
};

/*
 * Makes a VM with `ram_size` bytes of memory, a multiple of 2 MiB up to VM_RAM_MAX, in a protection domain of its
 * own. It has up to MACHINE_PROCESSORS processors, which can be run on that CPU and those behind it, by turns. On
 * failure a line says why.
 */
bool vm_create(struct guest_vm *vm, const char *name, unsigned cpu, unsigned processors,
	       uint64_t ram_size) RT_MUST_CHECK;

/* `size` bytes of guest memory from `gpa` on, or null if not all of them are memory. */
static inline void *vm_memory(const struct guest_vm *vm, uint64_t gpa, uint64_t size)
{
	return gpa <= vm->ram_size && size <= vm->ram_size - gpa ? vm->ram + gpa : NULL;
}

/* Runs a processor until the VM ends. True: it was the last one that ran. */
bool vm_run_to_end(struct guest_cpu *cpu);
uint64_t vm_exits(const struct guest_vm *vm);

uint64_t vm_now(const struct guest_vm *vm);            /* nanoseconds since its start */
void vm_rest(struct guest_cpu *cpu);                   /* lets other processors, and other threads of the CPU, run */
void vm_wake(void *vm);                                /* from any thread: makes that VM look at its devices */
void vm_console_send(void *console, uint8_t byte);     /* a byte for that struct vm_console */
void vm_console_flush(struct guest_vm *vm);            /* writes lines that have not ended yet */
void vm_fail(struct guest_cpu *cpu, const char *what); /* ends it with a line: the guest did what nobody can do */
