/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runtime for bare-metal roottasks. A roottask defines main(); its result decides the exit code of the machine.
 * Functions that make kernel objects return the kernel's status; RT_MUST() is for callers who cannot go on without.
 * docs/roottask.md is the introduction.
 */
#pragma once

#include "hypercall.h"

#include <hedron/hip.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_PAGE 4096ul
#define RT_SEL_PD ((sel_t)HEDRON_ROOT_SEL_PD) /* the roottask's own PD, EC and SC */
#define RT_SEL_EC ((sel_t)HEDRON_ROOT_SEL_EC)
#define RT_SEL_SC ((sel_t)HEDRON_ROOT_SEL_SC)
#define RT_MEM_RW (PERM_MEM_R | PERM_MEM_W)
#define RT_MEM_RWX (RT_MEM_RW | PERM_MEM_X)
#define RT_PRIO 1        /* priority of the roottask's own SC */
#define RT_QUANTUM 10000 /* microseconds */
#define RT_ARRAY(a) (sizeof(a) / sizeof((a)[0]))

#define RT_MUST_CHECK __attribute__((warn_unused_result))
#define RT_PRINTF(f, va) __attribute__((format(printf, f, va)))

/* The roottask: defined by the program. True: success. */
bool main(void);

/* Facts about the machine. */

extern const struct hip *rt_hip;
extern unsigned rt_cpu; /* CPU number of the boot CPU, on which main() runs */

unsigned rt_cpu_count(void);       /* enabled CPUs */
bool rt_cpu_enabled(unsigned cpu); /* false also for numbers out of range */
unsigned rt_cpu_other(void);       /* an enabled CPU that is not the boot CPU, else HEDRON_CPU_MAX */
unsigned rt_mem_count(void);       /* memory descriptors of the HIP */
bool rt_hip_valid(void);           /* signature, length and checksum */
const char *rt_cmdline(void);      /* command line of the roottask's module */
unsigned long rt_arg(const char *name, unsigned long otherwise); /* number of "name=N" on the command line */
const char *rt_arg_text(const char *name); /* text of "name=text" (up to the next space), or null */

static inline struct utcb *rt_utcb(void)
{
	return (struct utcb *)HEDRON_ROOT_UTCB;
} /* main()'s UTCB */

/* Console: each call writes its text in one go, so end it with a newline. */

void rt_write(const char *text, size_t len);
void rt_printf(const char *fmt, ...) RT_PRINTF(1, 2); /* at most 511 characters */

/* %d %i %u %x %p %s %c %%, with l, ll, z, width, 0, -, # and (for %s) precision. Result as in the C standard. */
int rt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int rt_snprintf(char *buf, size_t size, const char *fmt, ...) RT_PRINTF(3, 4);

/* The end. */

_Noreturn void rt_exit(bool success);                          /* leaves the machine, or halts for ever */
_Noreturn void rt_panic(const char *fmt, ...) RT_PRINTF(1, 2); /* prints, runs the hook, fails */
_Noreturn void rt_block(void);                                 /* blocks this EC for ever */
extern void (*rt_panic_hook)(const char *text);

const char *rt_status(enum status st); /* its name */

#define rt_assert(x) ((x) ? (void)0 : rt_panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #x))
#define RT_MUST(call) rt_must((call), __FILE__, __LINE__, #call)
void rt_must(enum status st, const char *file, int line, const char *what);

/* Ports: asked for once, then used. */

enum status rt_ports(uint16_t base, unsigned order) RT_MUST_CHECK;

static inline void rt_out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline void rt_out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}
static inline void rt_out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t rt_in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t rt_in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t rt_in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/*
 * Memory. Physical address p, once mapped, is seen at RT_PHYS + p, so natural alignment is kept and the kernel can
 * use superpages. RT_VA and RT_UTCB start ranges of address space that are handed out and never returned.
 */

#define RT_PHYS 0x400000000000ul
#define RT_VA 0x100000000000ul
#define RT_UTCB 0x200000000000ul

/* Maps [pa, pa + size) from the hypervisor PD, rounded outwards to pages. Null if the kernel refuses. */
void *rt_map(uint64_t pa, size_t size, unsigned rights);

/* RAM nobody else uses. Zeroed, page aligned; rt_pages_aligned wants a power of two and may return null. */
void *rt_pages(size_t pages);
void *rt_pages_aligned(size_t pages, size_t align_pages);
uint64_t rt_phys(const void *pool_memory); /* physical address of such memory */

uintptr_t rt_va(size_t pages, size_t align_pages); /* address space only; nothing is mapped */
struct utcb *rt_utcb_page(void);                   /* an address for an EC's UTCB */

/*
 * Delegates `pages` pages from `src` in PD src_pd to `dst` in PD dst_pd with as few hypercalls as alignment allows.
 * Metadata `meta`: ITEM_*; with ITEM_HYPERVISOR (and src_pd RT_SEL_PD) `src` is a physical address.
 */
enum status rt_mem_delegate(sel_t src_pd, uint64_t src, sel_t dst_pd, uint64_t dst, size_t pages, unsigned rights,
			    unsigned long meta) RT_MUST_CHECK;
enum status rt_mem_revoke(uint64_t va, size_t pages) RT_MUST_CHECK; /* in the own PD */

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/*
 * Can one byte at that address be read (written back as it was)? The runtime's event portals catch the fault, so this
 * is for ECs that use them.
 */
bool rt_can_read(const volatile void *p);
bool rt_can_write(volatile void *p);

/*
 * Selectors: never returned. rt_sels() gives 2^order of them, naturally aligned. From RT_SEL_PROGRAM on they are the
 * program's, to use as constants.
 */

#define RT_SEL_PROGRAM 0x100000ul

sel_t rt_sel(void);
sel_t rt_sels(unsigned order);

/* Capabilities. */

enum status rt_revoke(sel_t sel) RT_MUST_CHECK; /* the capability itself and all below it */
enum status rt_delegate(sel_t sel, sel_t dst_pd, sel_t dst_sel, unsigned perm) RT_MUST_CHECK;

/*
 * A PD that sees the roottask's image (code, constants and data, shared) at the same addresses. Its selectors 0..31
 * are the boot CPU's event portals, so that ECs with event base 0 there start up and report faults like the
 * roottask's.
 */
enum status rt_pd(sel_t *pd) RT_MUST_CHECK;

/*
 * Execution contexts. Fill in what differs from 0, then create. A zero `pd` is the roottask's own, a zero `events`
 * the runtime's fault portals of that CPU (rt_events). Stack (4 pages, also mapped in `pd`) and UTCB come from the
 * runtime unless given; `no_utcb` leaves the UTCB to the kernel. On failure the structure may be used again.
 */
struct rt_ec {
	sel_t pd;
	unsigned cpu;
	sel_t events;
	bool no_utcb;
	sel_t sel; /* 0: a new selector */
	sel_t sc;  /* the same, of the scheduling context rt_thread makes */
	struct utcb *utcb;
	uint8_t *stack; /* lowest byte */
};

#define RT_STACK_PAGES 4

enum status rt_ec_local(struct rt_ec *ec) RT_MUST_CHECK;

/* A global EC that runs fn(arg) when it first has a time slice; it blocks for ever when fn returns. */
enum status rt_ec_global(struct rt_ec *ec, void (*fn)(void *arg), void *arg) RT_MUST_CHECK;

/* rt_ec_global, and an SC of this priority. Runs at once if that is higher than the caller's on the same CPU. */
enum status rt_thread(struct rt_ec *ec, unsigned prio, void (*fn)(void *arg), void *arg) RT_MUST_CHECK;
enum status rt_sc(sel_t *sc, sel_t ec, unsigned prio) RT_MUST_CHECK; /* *sc 0: a new selector */

/*
 * Portals. The handler runs on the local EC with its UTCB, which holds the message; when it returns, what the UTCB
 * holds then is the reply. (Replying at once with the message as it came: a portal at rt_portal_echo.)
 */
typedef void rt_handler(struct utcb *utcb, void *arg);

enum status rt_pt(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler, void *arg) RT_MUST_CHECK;
enum status rt_pt_at(sel_t pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler,
		     void *arg) RT_MUST_CHECK;
enum status rt_pt_raw(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, void (*entry)(void)) RT_MUST_CHECK;
void rt_portal_echo(void); /* entry point: replies with what came; two instructions */

enum status rt_sm(sel_t *sm, unsigned long count) RT_MUST_CHECK;

/*
 * Event portals of a CPU: 32 selectors. Vector 30 starts global ECs, every other prints the fault and panics. The
 * boot CPU's are at 0. To handle a vector yourself make a set of your own with rt_events_new() and put your portal
 * there with rt_event(); it replaces the one in place.
 */
sel_t rt_events(unsigned cpu);
enum status rt_events_new(unsigned cpu, sel_t *events) RT_MUST_CHECK;
enum status rt_event(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler,
		     void *arg) RT_MUST_CHECK;
enum status rt_event_raw(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd,
			 void (*entry)(void)) RT_MUST_CHECK;
enum status rt_event_default(unsigned cpu, unsigned vector) RT_MUST_CHECK;

/* Message helpers. */

static inline void rt_msg(struct utcb *u, unsigned words, unsigned items)
{
	u->items = words | (uint64_t)items << 16;
}
static inline unsigned rt_msg_words(const struct utcb *u)
{
	return u->items & 0xffff;
}
static inline unsigned rt_msg_items(const struct utcb *u)
{
	return u->items >> 16 & 0xffff;
}

static inline void rt_item(struct utcb *u, unsigned n, crd_t crd, unsigned long meta)
{
	*UTCB_TYPED(u, n) = (struct utcb_item){crd, meta};
}

static inline crd_t rt_obj(sel_t sel, unsigned order, unsigned perm)
{
	return crd_make(CRD_OBJ, sel, order, perm);
}
static inline crd_t rt_mem(uint64_t va, unsigned order, unsigned perm)
{
	return crd_make(CRD_MEM, va / RT_PAGE, order, perm);
}
static inline crd_t rt_pio(uint16_t port, unsigned order)
{
	return crd_make(CRD_PIO, port, order, PERM_PIO_A);
}

/* CPU. */

static inline uint64_t rt_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void rt_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

struct rt_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct rt_cpuid rt_cpuid(uint32_t leaf, uint32_t sub)
{
	struct rt_cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
	return r;
}
