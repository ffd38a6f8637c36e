/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake machine that unit tests, fuzzers and micro benchmarks run the kernel's code on: a heap, CPUs, ports,
 * physical memory to read, and counters of what the code asked the CPU to do. host_reset() puts all of it into its
 * initial state.
 */
#pragma once

#include "core/percpu.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HOST_HEAP_PHYS 0x10000000 /* where the heap lies in the fake physical memory */

/* A new heap of `size` bytes, and page_init(). CPU 0 is alone; no ports, no physical memory; counters are 0. */
void host_reset(u64 size);

/* The calling thread is CPU n from now on. */
void host_set_cpu(unsigned n);
extern struct cpu host_cpus[HEDRON_CPU_MAX];
/* CPUs 0 .. n-1 are online from now on. */
void host_set_cpus(unsigned n);

/* Whose slot window arch_window_load() looks into on this CPU. */
void host_set_pd(const struct pd *pd);

/* What arch_phys_map() finds at [base, base + size). */
void host_add_phys(u64 base, const void *memory, u64 size);

/* Properties of the machine; host_reset() sets 46 bits, 1 GiB leaves, all memory write-back. */
extern unsigned host_phys_bits;
extern bool host_1g_pages;
/* Memory from `base` on has this type (enum mem_type); called with rising bases. */
void host_add_mem_type(u64 base, u8 type);

/* TLB flushes: how many there were, and the last one. */
struct host_tlb {
	u64 host, guest;
	const struct pd *pd;
	u64 va;
	unsigned order;
};
extern struct host_tlb host_tlb;

/* What of a CPU's registers goes along with a switch between ECs; extended state is one word. */
#define HOST_FPU_INITIAL 0
struct host_state {
	u64 fs_base, gs_base, fpu;
};
extern struct host_state host_state[HEDRON_CPU_MAX];

/* How often a CPU was signalled and kicked by others, and switched to another EC. */
struct host_calls {
	u32 signals, kicks, switches;
};
extern struct host_calls host_calls[HEDRON_CPU_MAX];
/* Called for each kick, on the CPU that kicks; host_reset() sets NULL. */
extern void (*host_on_kick)(struct cpu *cpu);

/* space_obj_delegate() and space_obj_revoke(), with the pieces that they leave; only the latter. */
struct pd;
enum status host_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order, unsigned perm);
enum status host_delegate_rest(void);
void host_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self);
void host_revoke_rest(void);

/* What arch_idle_mode() answers; host_reset() sets SLEEPING_MWAIT. */
extern u32 host_idle_mode;

/* PDs that went through arch_pd_init() and not yet through arch_pd_free(). */
extern u64 host_pds;

/*
 * The ways out of the kernel, where a stack of calls ends: fn(arg) runs until it takes one of them, or returns. A CPU
 * that went to sleep has told so in its struct and stays asleep until host_nmi().
 */
enum host_way {
	HOST_RETURNED, /* fn has returned */
	HOST_SYSCALL,  /* arch_return_syscall(ec) */
	HOST_TRAP,     /* arch_return_trap(ec) */
	HOST_DISPATCH, /* arch_dispatch(), while `ec` was current */
	HOST_IDLE,     /* arch_idle(cpu, sleeping) */
};
struct host_exit {
	enum host_way way;
	struct ec *ec;
	u32 sleeping;
};
struct host_exit host_leave(void (*fn)(void *arg), void *arg);

/* The same, then through the dispatcher until no hazard is left, like the exits of the real CPU: never HOST_DISPATCH.
 */
struct host_exit host_run(void (*fn)(void *arg), void *arg);
/* Begins in the dispatcher. */
struct host_exit host_dispatch(void);
/* This CPU, which sleeps or is in user mode, looks at what others ask of it. */
struct host_exit host_nmi(void);

/* Interrupt controllers: what irq_take() and IRQ_CTRL have made of them. Lines 0 to 23 are there, and all CPUs can be
 * reached. `window` is called in arch_irq_window(), where interrupts come in; host_reset() clears all. */
#define HOST_IRQ_LINES 24
struct host_irq_line {
	unsigned cpu_id, vector;
	bool level, low, masked, routed;
};
struct host_irq {
	unsigned opened, ended, windows;
	bool missing; /* there are no interrupts to be had */
	struct host_irq_line line[HOST_IRQ_LINES];
	void (*window)(void);
};
extern struct host_irq host_irq;

/* What the privileged asked last, and what they are answered; host_reset() clears it. */
struct host_machine {
	unsigned calls;
	enum status answer;
	unsigned type_a, type_b; /* suspend */
	u64 waking_vector;
	u64 blob, blob_size; /* microcode */
	u64 msr, msr_value;
	bool msr_written;
	unsigned reports; /* of errors */
	bool error_ends_ec;
};
extern struct host_machine host_machine;

/* Ports: the bytes written are kept in order, reads come from a table. The functions may replace the
 * table, and see what is written; host_reset() sets NULL. */
#define HOST_OUT_MAX 4096
struct host_out {
	u16 port;
	u8 value;
};
extern struct host_out host_out[HOST_OUT_MAX];
extern unsigned host_out_count; /* also counts what did not fit */
extern u8 host_in[0x10000];
extern u8 (*host_on_in)(u16 port);
extern u32 (*host_on_inl)(u16 port);
extern void (*host_on_out)(u16 port, u8 v);
extern void (*host_on_outl)(u16 port, u32 v);

/*
 * Device registers in memory are these functions; `at` is what host_on_map() has made of the physical address for
 * arch_map_device(). Without them nothing is there, and nothing can be mapped. host_reset() sets NULL.
 */
extern void (*host_on_mmio_out)(u64 at, unsigned width, u8 v);
extern u8 (*host_on_mmio_in)(u64 at, unsigned width);
extern u64 (*host_on_map)(u64 pa);

/* Runs fn(arg); true if it ended in panic(), whose message is then in host_panic_text. Elsewhere panic() aborts. */
bool host_panics(void (*fn)(void *arg), void *arg);
extern char host_panic_text[256];

#ifdef __cplusplus
}
#endif
