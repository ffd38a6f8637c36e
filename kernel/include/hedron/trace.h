/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing: what TRACE_CTRL takes, and what is in the memory it maps (docs/abi.md, "Tracing"). An extension of ours,
 * HIP_EXT_TRACE tells. The kernel, roottasks and the host's tools share this file.
 */
#pragma once

#include <hedron/abi.h>
#include <stddef.h>
#include <stdint.h>

#define HC_TRACE_CTRL 64

/* ARG1[11:8]. Only for ECs of passthrough PDs, else BAD_CAP. */
enum {
	/*
	 * ARG2: each CPU gets a ring of 2^ARG2 records. Once per boot: BUSY if it has been done with another size.
	 * BAD_PAR: not within TRACE_ORDER_MIN..TRACE_ORDER_MAX. OOM. Out ARG2: pages of an area.
	 */
	TRACE_CTRL_SETUP = 0,
	/*
	 * ARG2: the area of this CPU; ARG3: the page-aligned user address where it is mapped into the caller's PD,
	 * read-only. BAD_CPU, BAD_PAR (no such address, or not set up), OOM. It may be mapped often and is taken away
	 * by REVOKE.
	 */
	TRACE_CTRL_MAP = 1,
	/*
	 * ARG2: events to record, a bit each (TRACE_LIST); ARG3: paths to measure (TRACE_PATH_LIST). 0: off. All
	 * others end. BAD_PAR: unknown bits, or not set up. BUSY: another CPU is at it.
	 */
	TRACE_CTRL_SWITCH = 2,
	/*
	 * ARG2: performance counters to add up for each path, eight bits each from bit 0 on: an event
	 * (TRACE_COUNTER_LIST) plus one, 0 ends the list. BAD_FTR: the processors do not count that, or not so many.
	 */
	TRACE_CTRL_COUNTERS = 3,
	/*
	 * What runs on CPU ARG2 at this moment is recorded there as TRACE_SAMPLE, if that event is on. BAD_CPU: not
	 * online, or the caller's own. BAD_PAR: not set up.
	 */
	TRACE_CTRL_SAMPLE = 4,
	/*
	 * Each CPU records TRACE_SAMPLE after every ARG2 core cycles by itself (0: no longer). BAD_FTR: no
	 * performance counter that interrupts. BAD_PAR: less than TRACE_PERIOD_MIN, or samples are off; switching
	 * them off ends it.
	 */
	TRACE_CTRL_PERIOD = 5,
};

#define TRACE_ORDER_MIN 7  /* a page of records */
#define TRACE_ORDER_MAX 20 /* 32 MiB */
#define TRACE_PERIOD_MIN 10000
#define TRACE_PERIOD_MAX 0x7fffffff

/*
 * X(number, NAME, name of extra, a, b, meaning). ECs, vCPUs and semaphores are named by their addresses in the
 * kernel: numbers that stay the same while the object lives. A name that is empty: always 0.
 */
#define TRACE_LIST(X)                                                                                 \
	X(0, HYPERCALL, "number", "arg1", "rip", "a hypercall begins")                                \
	X(1, HYPERCALL_END, "status", "ec", "", "it has returned, or taken effect and waits")         \
	X(2, CALL, "", "from", "to", "a message is with the callee, who runs")                        \
	X(3, REPLY, "", "from", "to", "an answer is with the caller, who runs")                       \
	X(4, HELP, "", "from", "to", "the callee is busy: the caller lends it its time")              \
	X(5, DISPATCH, "", "ec", "hazards", "the dispatcher was asked for a decision")                \
	X(6, RESUME, "how", "ec", "pd", "an EC goes on after a decision; how: enum trace_resume")     \
	X(7, READY, "priority", "ec", "", "an SC became ready on this CPU; its EC")                   \
	X(8, WAKE_REMOTE, "cpu", "work", "", "a work item for another CPU")                           \
	X(9, EXCEPTION, "vector", "rip", "error", "user code raised an exception")                    \
	X(10, VM_EXIT, "reason", "rip", "qualification", "a guest was left")                          \
	X(11, VM_ENTRY, "", "vcpu", "", "a guest is entered")                                         \
	X(12, SHOOTDOWN, "cpus", "pd", "", "stale translations are gone; CPUs that were interrupted") \
	X(13, GRACE, "", "number", "", "a grace period begins")                                       \
	X(14, NMI, "mode", "rip", "hazards", "an NMI; mode: enum trace_mode")                         \
	X(15, SAMPLE, "mode", "rip", "ec", "what ran when a sample was taken")                        \
	X(16, IRQ, "interrupt", "sm", "ups", "an interrupt; the semaphore it is bound to, 1 if it was upped")

enum trace_event {
#define X(n, name, extra, a, b, text) TRACE_##name = n,
	TRACE_LIST(X)
#undef X
		TRACE_EVENTS
};

enum trace_resume { TRACE_RESUME_SYSRET, TRACE_RESUME_IRET, TRACE_RESUME_IDLE, TRACE_RESUME_OTHER };
enum trace_mode { TRACE_MODE_KERNEL, TRACE_MODE_USER, TRACE_MODE_GUEST };

/* X(number, NAME, meaning): the times of a path on one CPU. Paths 0 to 20 are the hypercalls by number. */
#define TRACE_PATH_LIST(X)                                                            \
	X(21, EXTENSION, "hypercalls above 20")                                       \
	X(22, EXCEPTION, "exceptions, until the handler is about to run")             \
	X(23, VM_EXIT, "from a VM exit to the VMM, or to the re-entry")               \
	X(24, DISPATCH, "decisions, from the request until the EC is about to go on") \
	X(25, SHOOTDOWN, "rounds of TLB shootdown")                                   \
	X(26, GRACE, "grace periods, until the last CPU has answered")                \
	X(27, NMI, "NMI handlers")

enum trace_path_number {
#define X(n, name, text) TRACE_PATH_##name = n,
	TRACE_PATH_LIST(X)
#undef X
		TRACE_PATHS
};

/* X(number, NAME, meaning): numbers 0 to 6 are architectural (SDM vol. 3, 20.2.1.2): their bits in CPUID 0AH EBX. */
#define TRACE_COUNTER_LIST(X)                               \
	X(0, CYCLES, "core cycles")                         \
	X(1, INSTRUCTIONS, "instructions retired")          \
	X(2, REF_CYCLES, "reference cycles")                \
	X(3, LLC_REFERENCES, "last-level cache references") \
	X(4, LLC_MISSES, "last-level cache misses")         \
	X(5, BRANCHES, "branches retired")                  \
	X(6, BRANCH_MISSES, "branches mispredicted")        \
	X(7, DTLB_WALKS, "page walks for loads (08H/0EH, on Intel processors with PMU version 4 and up)")

enum trace_counter {
#define X(n, name, text) TRACE_COUNTER_##name = n,
	TRACE_COUNTER_LIST(X)
#undef X
		TRACE_COUNTER_KINDS
};

#define TRACE_COUNTERS_MAX 4

struct trace_record {
	uint32_t seq;   /* low bits of its number in this ring, counted from 1; anything else: is being written */
	uint16_t event; /* enum trace_event */
	uint16_t extra;
	uint64_t tsc;
	uint64_t a, b;
};

/*
 * A histogram: below 16 a bin for each value, from there on 8 for each power of two. Written by one CPU without
 * locks: read while it is running, its parts may be of different moments.
 */
#define TRACE_BINS 496

struct trace_path {
	uint64_t count, sum;                   /* TSC ticks */
	uint64_t counters[TRACE_COUNTERS_MAX]; /* sums, in the order of TRACE_CTRL_COUNTERS */
	uint64_t reserved[2];
	uint32_t bins[TRACE_BINS];
};

static inline unsigned trace_bin(uint64_t v)
{
	if (v < 16)
		return (unsigned)v;
	unsigned top = 63 - (unsigned)__builtin_clzll(v);
	return (top - 2) * 8 + (unsigned)(v >> (top - 3) & 7);
}

/* The least value of a bin; its width is that of the next one minus this. */
static inline uint64_t trace_bin_low(unsigned bin)
{
	return bin < 16 ? bin : (uint64_t)(8 + bin % 8) << (bin / 8 - 1);
}

#define TRACE_MAGIC 0x43525448 /* "HTRC" */
#define TRACE_VERSION 1

/*
 * The beginning of a CPU's area. Reading the ring: look at `written`, copy records from written - records on, whose
 * `seq` must be theirs before and after the copy.
 */
struct trace_head {
	uint32_t magic, version;
	uint32_t cpu;
	uint32_t tsc_khz;
	uint32_t pages;                    /* of the whole area */
	uint32_t record_size;              /* sizeof(struct trace_record) */
	uint32_t ring_offset, path_offset; /* bytes from here */
	uint32_t paths, path_size;
	uint64_t records;          /* the ring's size, a power of two */
	uint64_t events, measured; /* what is on */
	uint64_t counters;         /* what TRACE_CTRL_COUNTERS has chosen */
	uint64_t written;          /* records so far */
};

HEDRON_ASSERT(sizeof(struct trace_record) == 32, "two in a cache line");
HEDRON_ASSERT(sizeof(struct trace_path) == 2048, "two in a page");
HEDRON_ASSERT(TRACE_EVENTS <= 64 && TRACE_PATHS <= 64, "a bit each");
HEDRON_ASSERT(TRACE_PATHS % 2 == 0, "whole pages");
