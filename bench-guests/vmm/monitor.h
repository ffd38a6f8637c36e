/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor of a VM, in a protection domain of its own. The roottask makes all VMs; then each domain gets the same
 * program with a private copy of its data, as they are at that moment, and the VM's processors run there. It has the
 * VM's memory, vCPUs and rings of the network, and can poke the first processors of the others; nothing else of the
 * machine. What it writes goes through a page that it shares with the roottask. If it dies, its VM does.
 * Locking: monitors are made and started by main(), ended by it. One other thread of the
 * roottask serves them.
 */
#pragma once

#include "vmm/vm.h"

#include "rt/ec.h"
#include "rt/size.h"

/* What a monitor shares with the roottask, which trusts nothing of it. */
struct monitor_page {
	uint32_t written, read; /* bytes since the start; the monitor's, the roottask's */
	uint32_t end;           /* why the VM has ended, VM_RUNS before */
	char text[RT_PAGE - 3 * sizeof(uint32_t)];
};

struct monitor {
	struct guest_vm *vm;
	const void *image; /* of the disk, or null */
	size_t image_size;
	uint8_t *memory; /* all that the VM has of the pool, and the copies of the program's data and the HIP behind
			    it */
	uint8_t *data, *hip;
	struct monitor_page *page;
	uint32_t read;                            /* bytes of the page's text */
	struct rt_ec thread[MACHINE_PROCESSORS];  /* in the domain */
	struct rt_ec handler[MACHINE_PROCESSORS]; /* in the roottask, for the events of each thread */
	bool died;                                /* set by a thread of the roottask on the CPU where that happened */
	bool gone;                                /* it has ended; nothing of it is served any more */
	bool cleared;                             /* nothing is left of it */
};

/* To be called around the making of the VM: what is taken from the pool meanwhile is the monitor's. */
void monitor_begin(struct monitor *m, struct guest_vm *vm);
bool monitor_prepare(struct monitor *m, sel_t work) RT_MUST_CHECK;

/* Starts the processors when all VMs are made. `run` gets each struct guest_cpu. */
enum status monitor_start(struct monitor *m, struct monitor *all, unsigned count,
			  void (*run)(void *cpu)) RT_MUST_CHECK;

/* For the monitor itself: from now on its lines go to the page. Tells the roottask that the VM has ended. */
void monitor_enter(struct monitor *m);
void monitor_leave(struct monitor *m);

/* For a thread of the roottask, when `work` was upped: shows what the monitor has written. True: it has ended just
 * now. */
bool monitor_serve(struct monitor *m);

/*
 * Takes everything away that the VM and its monitor were made of. False: the VM has not come to an end that a guest
 * can choose, or kernel memory is lost.
 */
bool monitor_end(struct monitor *m);
