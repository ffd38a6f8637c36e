/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include "arch/cpu.h"
#include "arch/memory.h"
#include "arch/space.h"
#include "arch/switch.h"
#include "lib/bits.h"
#include "mm/layout.h"
#include "mm/page.h"
#include "platform/panic.h"
#include "space/cap.h"
#include "space/pd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEAP_ALIGN GiB /* blocks of any order are naturally aligned in this process, too */
#define SEGMENTS_MAX 16

/* ---- CPUs ---- */

struct cpu host_cpus[HEDRON_CPU_MAX];
__thread struct cpu *host_cpu = &host_cpus[0];
u64 host_tsc, host_written_back;

unsigned cpu_count;
u64 cpus_online[HEDRON_CPU_MAX / 64];

void arch_reset(void)
{
	abort();
}

u32 arch_tsc_khz(void)
{
	return 1000000;
}

u64 arch_tsc_to_us(u64 ticks)
{
	return ticks;
}

void host_set_cpu(unsigned n)
{
	host_cpu = &host_cpus[n];
}

void host_set_cpus(unsigned n)
{
	cpu_count = n;
	page_set_cpus(n);
	for (unsigned i = 0; i < array_size(cpus_online); i++)
		cpus_online[i] = n > 64 * i ? bits_low(n - 64 * i) : 0;
}

static void reset_cpus(void)
{
	memset(host_cpus, 0, sizeof(host_cpus));
	host_set_cpus(1);
	for (unsigned n = 0; n < HEDRON_CPU_MAX; n++) {
		host_cpus[n].id = n;
		list_init(&host_cpus[n].dying);
		list_init(&host_cpus[n].orphans);
		list_init(&host_cpus[n].keepers);
	}
	host_set_cpu(0);
	host_tsc = 0;
}

/* ---- heap ---- */

u64 host_heap_map;
static void *heap;
static u64 heap_size;

static void reset_heap(u64 size)
{
	if (heap)
		munmap(heap, heap_size);
	heap_size = size + HEAP_ALIGN;
	heap = mmap(NULL, heap_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (heap == MAP_FAILED)
		panic("no memory for the fake heap");
	u64 start = (u64)heap + (HOST_HEAP_PHYS - (u64)heap) % HEAP_ALIGN;
	host_heap_map = start - HOST_HEAP_PHYS;
	page_init(paddr(HOST_HEAP_PHYS), size);
}

/* ---- physical memory ---- */

unsigned host_phys_bits;
bool host_1g_pages;

static struct segment {
	u64 base, size;
	const char *memory;
} segments[SEGMENTS_MAX];
static unsigned segment_count;

static struct type_range {
	u64 base;
	u8 type;
} types[SEGMENTS_MAX];
static unsigned type_count;

void host_add_phys(u64 base, const void *memory, u64 size)
{
	kassert(segment_count < SEGMENTS_MAX);
	segments[segment_count++] = (struct segment){base, size, memory};
}

const void *arch_phys_map(paddr_t pa, u64 len)
{
	for (unsigned i = 0; i < segment_count; i++) {
		const struct segment *s = &segments[i];
		if (pa.v >= s->base && len <= s->size && pa.v - s->base <= s->size - len)
			return s->memory + (pa.v - s->base);
	}
	return NULL;
}

void host_add_mem_type(u64 base, u8 type)
{
	kassert(type_count < SEGMENTS_MAX);
	types[type_count++] = (struct type_range){base, type};
}

u8 arch_mem_type(paddr_t pa, u64 size, u64 *same_until)
{
	u8 type = MEM_WB;
	*same_until = pa.v + size;
	for (unsigned i = 0; i < type_count; i++) {
		if (types[i].base <= pa.v)
			type = types[i].type;
		else if (types[i].base < *same_until)
			*same_until = types[i].base;
	}
	return type;
}

unsigned arch_phys_bits(void)
{
	return host_phys_bits;
}
bool arch_has_1g_pages(void)
{
	return host_1g_pages;
}

static void reset_phys(void)
{
	segment_count = type_count = 0;
	host_phys_bits = 46;
	host_1g_pages = true;
}

/* ---- address spaces ---- */

struct host_tlb host_tlb;
static const struct pd *current_pd[HEDRON_CPU_MAX];

void host_set_pd(const struct pd *pd)
{
	current_pd[host_cpu->id] = pd;
}

static struct spinlock tlb_lock;

void arch_tlb_flush(struct pd *pd, u64 va, unsigned order)
{
	spin_lock(&tlb_lock);
	host_tlb.host++;
	host_tlb.pd = pd;
	host_tlb.va = va;
	host_tlb.order = order;
	spin_unlock(&tlb_lock);
}

void arch_tlb_flush_guest(struct pd *pd)
{
	spin_lock(&tlb_lock);
	host_tlb.guest++;
	host_tlb.pd = pd;
	spin_unlock(&tlb_lock);
}

u64 host_window_load(u64 offset)
{
	const struct pd *pd = current_pd[host_cpu->id];
	if (!pd)
		return 0;
	const struct cap_slot *slot = space_obj_slot(&pd->objs, offset / sizeof(struct cap_slot));
	return slot ? READ_ONCE(*(const u64 *)((const char *)slot + offset % sizeof(struct cap_slot))) : 0;
}

/* ---- ports ---- */

struct host_out host_out[HOST_OUT_MAX];
unsigned host_out_count;
u8 host_in[0x10000];
u8 (*host_on_in)(u16 port);
u32 (*host_on_inl)(u16 port);
void (*host_on_out)(u16 port, u8 v);
void (*host_on_outl)(u16 port, u32 v);
void (*host_on_mmio_out)(u64 at, unsigned width, u8 v);
u8 (*host_on_mmio_in)(u64 at, unsigned width);
u64 (*host_on_map)(u64 pa);

void host_outb(u16 port, u8 v)
{
	if (host_out_count < HOST_OUT_MAX)
		host_out[host_out_count] = (struct host_out){port, v};
	host_out_count++;
	if (host_on_out)
		host_on_out(port, v);
}

u8 host_inb(u16 port)
{
	return host_on_in ? host_on_in(port) : host_in[port];
}

void host_outl(u16 port, u32 v)
{
	if (host_on_outl)
		host_on_outl(port, v);
}

u32 host_inl(u16 port)
{
	u32 v;

	if (host_on_inl)
		return host_on_inl(port);
	kassert(port <= sizeof(host_in) - sizeof(v));
	memcpy(&v, host_in + port, sizeof(v));
	return v;
}

void host_mmio_out(volatile void *at, unsigned width, u8 v)
{
	if (host_on_mmio_out)
		host_on_mmio_out((u64)at, width, v);
}

u8 host_mmio_in(const volatile void *at, unsigned width)
{
	return host_on_mmio_in ? host_on_mmio_in((u64)at, width) : 0xff;
}

volatile void *arch_map_device(paddr_t pa)
{
	return host_on_map ? (volatile void *)host_on_map(pa.v) : NULL;
}

static void reset_ports(void)
{
	host_out_count = 0;
	host_on_in = NULL;
	host_on_inl = NULL;
	host_on_out = NULL;
	host_on_outl = NULL;
	host_on_mmio_out = NULL;
	host_on_mmio_in = NULL;
	host_on_map = NULL;
	memset(host_in, 0, sizeof(host_in));
}

/* ---- the end ---- */

char host_panic_text[256];
static __thread jmp_buf *panic_exit;

__attribute__((noreturn)) void panic(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(host_panic_text, sizeof(host_panic_text), fmt, args);
	va_end(args);
	if (panic_exit)
		longjmp(*panic_exit, 1);
	fprintf(stderr, "panic: %s\n", host_panic_text);
	abort();
}

bool host_panics(void (*fn)(void *arg), void *arg)
{
	jmp_buf here;
	volatile bool panicked = true;

	panic_exit = &here;
	if (!setjmp(here)) {
		fn(arg);
		panicked = false;
	}
	panic_exit = NULL;
	return panicked;
}

void host_reset(u64 size)
{
	reset_cpus();
	reset_phys();
	reset_ports();
	host_reset_switch();
	host_tlb = (struct host_tlb){0};
	host_machine = (struct host_machine){0};
	host_irq = (struct host_irq){0};
	memset(current_pd, 0, sizeof(current_pd));
	reset_heap(size);
}
