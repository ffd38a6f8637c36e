/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_side.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/memory.h"
#include "arch/space.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/ec.h"
#include "core/vcpu.h"
#include "machine.h"
#include "memory.h"
#include "mm/layout.h"
#include "mm/page.h"
#include "mmu/tlb.h"
#include "core/drain.h"
#include "platform/console.h"
#include "platform/panic.h"
#include "report.h"
#include "space/cap.h"
#include "trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEAP_PHYS 0x10000000
#define HEAP_SIZE (4 * MiB)
#define HEAP_AT ((void *)0x200000000000)

struct cpu *interleave_cpu = &interleave_cpus[0];
u64 host_heap_map;
struct cpu_features cpu_features;

/* ---- registers ---- */

/* A TLB has one entry for each tag (PCID), as scenarios touch one page only: WORLD_PAGE. */
#define TAGS 16
static struct {
	u64 cr3;
	struct {
		u64 root;
		bool known, present;
	} tlb[TAGS];
} registers[MACHINE_CPUS];

static u64 tsc;

u64 interleave_tsc(void)
{
	return tsc += 10;
}

void interleave_tsc_add(u64 ticks)
{
	tsc += ticks;
}

u64 interleave_cr3_read(void)
{
	return registers[interleave_cpu->id].cr3;
}

/* Serializes, also without a flush. SDM vol. 3, 9.3 and 4.10.4.1. */
void interleave_cr3_write(u64 v)
{
	memory_drain();
	machine_nmi_point();
	registers[interleave_cpu->id].cr3 = v & ~CR3_NOFLUSH;
	if (!(v & CR3_NOFLUSH))
		registers[interleave_cpu->id].tlb[v & (TAGS - 1)].known = false;
}

void interleave_invlpg(u64 va)
{
	(void)va;
	memory_drain();
	registers[interleave_cpu->id].tlb[registers[interleave_cpu->id].cr3 & (TAGS - 1)].known = false;
}

bool kernel_side_touch(u64 page)
{
	u64 cr3 = registers[interleave_cpu->id].cr3;
	const struct pd *pd = interleave_cpu->ec->pd;
	unsigned tag = cr3 & (TAGS - 1), order;

	if ((cr3 & PTE_ADDR) != heap_phys(pd->mem.host.root).v)
		report_fail("CPU %u is in user mode on the tables of another PD", interleave_cpu->id);
	if (!registers[interleave_cpu->id].tlb[tag].known) {
		registers[interleave_cpu->id].tlb[tag].known = true;
		memory_pause_races(true); /* the processor walks the tables, which is no access of the kernel's */
		registers[interleave_cpu->id].tlb[tag].present = ptab_lookup(&pd->mem.host, page, &order);
		memory_pause_races(false);
	}
	return registers[interleave_cpu->id].tlb[tag].present;
}

void interleave_or_here(u32 *p, u32 bits)
{
	machine_nmi_point();
	*p |= bits;
}
void interleave_and_here(u32 *p, u32 bits)
{
	machine_hazard_point();
	*p &= bits;
}

/* The test of the hazards and the entry are one step, as on the way to user mode: nothing comes in between. */
void interleave_guest(struct cpu *cpu)
{
	for (;;) {
		machine_nmi_point();
		if (cpu->hazard)
			return;
		if (machine_running() < 0)
			report_fail("a guest is entered outside of a run");
		machine_user_loop();
	}
}

void interleave_spin(void)
{
	if (machine_running() < 0)
		report_fail("somebody waits while there is one CPU only");
	machine_spin();
}

void interleave_vanish(void)
{
	machine_vanish();
}

void interleave_send_nmi(unsigned cpu)
{
	machine_kick(cpu);
}

/* ---- look-ups ---- */

u64 interleave_window_load(u64 offset)
{
	const struct pd *pd = interleave_cpu->ec->pd;
	const struct cap_slot *slot = space_obj_slot(&pd->objs, offset / sizeof(struct cap_slot));

	if (!slot)
		return 0;
	const void *word = (const char *)slot + offset % sizeof(struct cap_slot);
	memory_before(word, 8, ACCESS_READ | ACCESS_MARKED, __builtin_return_address(0));
	return *(const volatile u64 *)word;
}

/* ---- the ways out ---- */

/* The kernel never returns to its caller: each way out jumps back to leave_by(). The last one is for outside of a
 * run. */
static struct {
	jmp_buf back;
	enum { SYSCALL, TRAP, DISPATCH, IDLE } way;
} out[MACHINE_CPUS + 1];

static unsigned flow(void)
{
	return machine_running() < 0 ? MACHINE_CPUS : (unsigned)machine_running();
}

__attribute__((noreturn)) static void leave(int way)
{
	out[flow()].way = way;
	_longjmp(out[flow()].back, 1);
}

void arch_return_syscall(struct ec *ec)
{
	kassert(ec == interleave_cpu->ec);
	leave(SYSCALL);
}
void arch_return_trap(struct ec *ec)
{
	kassert(ec == interleave_cpu->ec);
	leave(TRAP);
}
void arch_dispatch(void)
{
	leave(DISPATCH);
}
void arch_idle(struct cpu *cpu, u32 sleeping)
{
	kassert(cpu == interleave_cpu && cpu->ec == cpu->idle_ec);
	interleave_idle_begin(cpu, sleeping);
	leave(IDLE);
}

static void dispatch(void *unused)
{
	(void)unused;
	arch_return_syscall(dispatch_run(interleave_cpu));
}

static int leave_by(void (*fn)(void *), void *arg)
{
	if (!_setjmp(out[flow()].back))
		fn(arg);
	return out[flow()].way;
}

/* The test of the hazards and the return to user mode are one step, because an NMI in between goes back to the test
 * (entry/nmi.c). */
enum way kernel_side_enter(void (*fn)(void *), void *arg)
{
	struct cpu *cpu = interleave_cpu;
	int way = leave_by(fn, arg);

	for (;; way = leave_by(dispatch, NULL)) {
		if (way == IDLE)
			return WAY_IDLE;
		if (way == DISPATCH)
			continue;
		machine_hazard_point();
		if (ec_is_idle_here(cpu, cpu->ec))
			report_fail("CPU %u runs an EC that waits for a call", cpu->id);
		if (!cpu->hazard)
			return WAY_USER;
		cpu->ec->cont = way == TRAP ? CONT_IRET : CONT_SYSRET;
	}
}

enum way kernel_side_dispatch(void)
{
	return kernel_side_enter(dispatch, NULL);
}

enum way kernel_side_after_nmi(void)
{
	struct cpu *cpu = interleave_cpu;

	if (cpu->ec != cpu->idle_ec) {
		if (!cpu->hazard)
			return WAY_USER;
		cpu->ec->cont = CONT_IRET;
	}
	return kernel_side_dispatch();
}

/* ---- the rest of the contract ---- */

void arch_fpu_init(struct ec *ec)
{
	(void)ec;
}
void interleave_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	(void)cpu;
	(void)self;
	(void)to;
}
const char *arch_event_name(unsigned event)
{
	(void)event;
	return "event";
}
u32 arch_tsc_khz(void)
{
	return 1000000;
}
u64 arch_tsc_to_us(u64 ticks)
{
	return ticks;
}
const void *arch_phys_map(paddr_t pa, u64 len)
{
	(void)pa;
	(void)len;
	return NULL;
}
u8 arch_mem_type(paddr_t pa, u64 size, u64 *same_until)
{
	*same_until = pa.v + size;
	return MEM_WB;
}
unsigned arch_phys_bits(void)
{
	return 40;
}
bool arch_has_1g_pages(void)
{
	return true;
}
void arch_pd_init(struct pd *pd)
{
	tlb_init_pd(pd);
}
void arch_pd_free(struct pd *pd)
{
	tlb_free_pd(pd);
}
enum status arch_pio_bitmap_attach(struct pd *pd)
{
	pd->pio.attached = true;
	return SUCCESS;
}
enum status arch_suspend(unsigned a, unsigned b, u64 *vector)
{
	(void)a;
	(void)b;
	(void)vector;
	return BAD_FTR;
}
enum status arch_microcode_update(paddr_t pa, u64 size)
{
	(void)pa;
	(void)size;
	return BAD_FTR;
}
enum status arch_msr_access(u64 msr, bool write, u64 *value)
{
	(void)msr;
	(void)write;
	(void)value;
	return BAD_PAR;
}
enum status sys_trace_ctrl(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 unused5)
{
	(void)arg1;
	(void)arg2;
	(void)arg3;
	(void)self, (void)unused5;
	return BAD_HYP;
}
void arch_clear_residue(struct cpu *cpu)
{
	(void)cpu;
}
bool arch_report_errors(struct cpu *cpu)
{
	(void)cpu;
	return false;
}
void trace_begin(struct trace_span *s)
{
	(void)s;
}
void trace_end(unsigned path, struct trace_span *s)
{
	(void)path;
	(void)s;
}
void trace_end_elsewhere(unsigned path, struct trace_span *s)
{
	(void)path;
	(void)s;
}
void trace_record(unsigned event, unsigned extra, u64 a, u64 b)
{
	(void)event;
	(void)extra;
	(void)a;
	(void)b;
}
void trace_resume(unsigned how, const struct ec *ec)
{
	(void)how;
	(void)ec;
}

static void note(const char *fmt, va_list args)
{
	char text[200];
	vsnprintf(text, sizeof(text), fmt, args);
	report_note("log: %s", text);
}

void klog(enum log_level level, const char *fmt, ...)
{
	va_list args;
	(void)level;
	va_start(args, fmt);
	note(fmt, args);
	va_end(args);
}

void log_user(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	note(fmt, args);
	va_end(args);
}

void panic(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report_fail("panic: %s", text);
	fprintf(stderr, "panic outside of a run: %s\n", text);
	abort();
}

void arch_halt_others(void) {}
void arch_reset(void)
{
	__builtin_trap();
}

/* ---- the beginning ---- */

void kernel_side_set_cpu(unsigned n)
{
	interleave_cpu = &interleave_cpus[n];
}

void machine_set_running_cpu(int cpu)
{
	if (cpu >= 0)
		interleave_cpu = &interleave_cpus[cpu];
}

static void reset_heap(void)
{
	static void *heap;

	if (!heap) {
		heap = mmap(HEAP_AT, HEAP_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
		if (heap == MAP_FAILED)
			panic("no memory for the heap of the explored machine");
		host_heap_map = (u64)heap - HEAP_PHYS;
	}
	page_init(paddr(HEAP_PHYS), HEAP_SIZE);
}

void kernel_side_reset(unsigned n)
{
	memset(interleave_cpus, 0, MACHINE_CPUS * sizeof(interleave_cpus[0]));
	memset(registers, 0, sizeof(registers));
	cpu_features = (struct cpu_features){.pcid = true};
	tsc = 0;
	cpu_count = n;
	cpus_online[0] = (1ul << n) - 1;
	for (unsigned i = 0; i < n; i++) {
		interleave_cpus[i].id = i;
		list_init(&interleave_cpus[i].dying);
		list_init(&interleave_cpus[i].orphans);
		list_init(&interleave_cpus[i].keepers);
		(void)machine_take_nmi(i);
	}
	interleave_reset_console();
	drain_start();
	kernel_side_set_cpu(0);
	reset_heap();
	machine_nmi_handler = interleave_nmi;
}
