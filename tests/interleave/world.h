/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small running system made of real objects, whose threads are short programs of hypercalls. A scenario
 * (scenarios.c) says which; world_run() lets them run on all CPUs at once, looks whether the kernel's invariants hold
 * when nothing goes on any more, and takes everything apart: all memory has to come back.
 */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

#define WORLD_THREADS 8
#define WORLD_OPS 10
#define WORLD_OBJECTS 16

/* Selectors: the object `n` of a scenario, and what belongs to thread `n`. */
#define WORLD_OBJECT(n) (0x100 + (n))
#define WORLD_EC(n) (0x200 + (n))
#define WORLD_SC(n) (0x220 + (n))
#define WORLD_PD(n) (0x240 + (n)) /* 0: that of all threads that name no other */
#define WORLD_PAGE 0x40           /* two user pages from here on are present in each PD */

/* Ticks: much more than a scenario takes without OP_WORK. */
#define WORLD_WORK 1000000

#define OK (1u << SUCCESS)
#define GONE (1u << BAD_CAP)
#define ABORTED (1u << ABORT)
#define SCARCE (1u << OOM)
#define TIMED_OUT (1u << TIMEOUT)

enum op_kind {
	OP_END,         /* the thread sleeps for good: it replies to nobody */
	OP_UP,          /* object */
	OP_DOWN,        /* object */
	OP_ZERO,        /* object: down that takes the whole count */
	OP_CALL,        /* object */
	OP_CALL_NOWAIT, /* object */
	OP_REPLY,       /* the program starts over with the next call */
	OP_REPLY_DOWN,  /* object: the caller is put to sleep on it */
	OP_YIELD,
	OP_REVOKE,       /* selector (any of the above), 2^arg of them, with everything derived */
	OP_TAKE,         /* selector to WORLD_OBJECT(arg): delegates it to itself */
	OP_GIVE,         /* selector to the PD `arg`, where it has the same number */
	OP_CREATE_SM,    /* object */
	OP_CREATE_SM_OF, /* object, which the PD that is object `arg` pays for */
	OP_CREATE_PD,    /* object, which gets all of the first 2^arg selectors; 0: nothing */
	OP_LOOP,         /* user code that makes no call, for ever */
	OP_POKE,         /* object: a vCPU */
	OP_RUN,          /* object: a vCPU */
	OP_UNMAP,        /* WORLD_PAGE + object is taken from the PD `arg` */
	OP_TOUCH,        /* loads from WORLD_PAGE, which must not succeed once OP_UNMAP of it has returned */
	OP_GIVE_PORTS,   /* from the PD `object` to the PD `arg` */
	OP_REVOKE_PORTS, /* from the PD `object`, with everything derived */
	OP_SAY,          /* sets flag arg; others may wait for it */
	OP_AWAIT,        /* loops in user mode until flag `arg` is set */
	OP_LOG,          /* a message that no device takes at once */
	OP_WORK,         /* user code that takes WORLD_WORK ticks of the clock */
	OP_TIME,         /* of the SC of the thread `object`: never goes back, and is no more than that has worked */
	OP_SUSPEND,      /* all CPUs sleep, and CPU `arg` does not come back */
};

struct op {
	u8 kind;
	u16 object;
	u16 arg;
	u32 expect; /* a bit for each status that is right: OK, GONE ...; 0 stands for OK */
};

struct thread {
	u8 cpu, prio, pd; /* pd: the number of one, for WORLD_PD() */
	bool local;       /* runs when a portal is called; its program is the handler's */
	bool may_die;     /* its end is not an error */
	bool may_wait;    /* need not come to its end */
	struct op ops[WORLD_OPS];
};

enum object_kind { OBJECT_NONE, OBJECT_SM, OBJECT_PT, OBJECT_VCPU, OBJECT_FREE };

struct object {
	u8 kind;
	u16 value; /* count of a semaphore; thread of a portal; CPU of a vCPU */
};

struct scenario {
	const char *name, *what;
	unsigned cpus;
	struct object objects[WORLD_OBJECTS];
	struct thread threads[WORLD_THREADS];
	bool random_only; /* too large for an exhaustive search */
	/* The scenario ends no semaphore while an up is under way, so one that ends must not owe a unit any more. */
	bool no_up_at_the_end;
	/* Ports are delegated and revoked, and no PD may have any in the end. */
	bool ports_end;
	bool crowded; /* one work item behind another is more than a CPU is sent at a time */
	u8 pages;     /* free when the threads begin; 0: as many as there are */
	bool loses;   /* has an OP_SUSPEND: what is on the lost CPU does not come to its end, nor does its memory come
			 back */
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* Once, before the first run. */
void world_boot(void);
/* One run. False: it has failed (report_failure()). */
bool world_run(const struct scenario *s);

struct sm;
/* A semaphore is about to be freed (poison.c). */
void world_ends(const struct sm *sm);
