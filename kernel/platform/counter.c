/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/counter.h"

#include "arch/cpu.h"
#include "arch/memory.h"
#include "arch/ports.h"
#include "lib/bits.h"

/* ---- 8254, channel 2: the only one that nothing else depends on ---- */

#define PIT_HZ 1193182
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_MODE0 0xb0 /* channel 2, both bytes, mode 0: the output falls now and rises at the end of the count */
#define PIT_LATCH 0x80 /* channel 2 */
#define PIT_GATE 0x61
#define PIT_GATE_ON 0x01
#define PIT_SPEAKER 0x02
#define PIT_OUT 0x20
#define PIT_GATE_WRITABLE 0x0f /* the others are to be written as 0 */
#define PIT_LOADING 4          /* accesses that take longer than the tick with which a new count begins */

static bool pit_is_counting(void)
{
	return !(arch_inb(PIT_GATE) & PIT_OUT);
}

/* Where there is no 8254 everything reads as ffh, so the output is not seen low. */
static bool pit_start(struct counter *c)
{
	c->found = arch_inb(PIT_GATE) & PIT_GATE_WRITABLE;
	arch_outb(PIT_GATE, (u8)((c->found & ~PIT_SPEAKER) | PIT_GATE_ON));
	arch_outb(PIT_COMMAND, PIT_MODE0);
	arch_outb(PIT_CHANNEL2, 0xff);
	arch_outb(PIT_CHANNEL2, 0xff);
	for (int i = 0; i < PIT_LOADING; i++)
		if (!pit_is_counting()) {
			arch_outb(PIT_GATE, (u8)c->found);
			return false;
		}
	return true;
}

/* After the end the channel counts on from ffffh: the output is what tells. */
static bool pit_look(const struct counter *c, struct counter_look *look)
{
	(void)c;
	look->before = arch_tsc();
	arch_outb(PIT_COMMAND, PIT_LATCH);
	look->after = arch_tsc();
	u8 low = arch_inb(PIT_CHANNEL2);
	look->count = 0xffffu - (low | (u32)arch_inb(PIT_CHANNEL2) << 8);
	return pit_is_counting();
}

static void pit_stop(const struct counter *c)
{
	arch_outb(PIT_GATE, (u8)c->found);
}

struct counter counter_pit(void)
{
	return (struct counter){"PIT", PIT_HZ, 16, 0, 0, pit_start, pit_look, pit_stop};
}

/* ---- power management timer: always counts ---- */

#define PM_TIMER_HZ 3579545

static bool pm_timer_start(struct counter *c)
{
	return c->place;
}

static bool pm_timer_look(const struct counter *c, struct counter_look *look)
{
	look->before = arch_tsc();
	look->count = arch_inl((u16)c->place);
	look->after = arch_tsc();
	return true;
}

static void pm_timer_stop(const struct counter *c)
{
	(void)c;
}

struct counter counter_pm_timer(u16 port, unsigned bits)
{
	return (struct counter){"PM timer", PM_TIMER_HZ, bits, port, 0, pm_timer_start, pm_timer_look, pm_timer_stop};
}

/* ---- HPET: the low half of its count, because the high half may be missing ---- */

#define HPET_SIZE 0x400
#define HPET_PERIOD 0x04 /* in femtoseconds */
#define HPET_CONFIG 0x10
#define HPET_COUNT 0xf0
#define HPET_ENABLE 0x1
#define HPET_PERIOD_MIN 1000000u   /* 1 GHz; none is near this */
#define HPET_PERIOD_MAX 100000000u /* by the specification */
#define FEMTOSECONDS 1000000000000000ull

/* MTRRs make the registers uncached, whatever page tables say of memory. */
static volatile u32 *hpet_register(const struct counter *c, unsigned offset)
{
	const void *page = arch_phys_map(paddr(c->place), HPET_SIZE);
	return page ? (volatile u32 *)((u64)page + offset) : NULL;
}

/* Firmware may leave it off; a count that nobody compares with anything disturbs nobody. */
static bool hpet_start(struct counter *c)
{
	volatile u32 *period = is_aligned(c->place, HPET_SIZE) ? hpet_register(c, HPET_PERIOD) : NULL;

	if (!period || *period < HPET_PERIOD_MIN || *period > HPET_PERIOD_MAX)
		return false;
	c->hz = FEMTOSECONDS / *period;
	c->found = *hpet_register(c, HPET_CONFIG);
	*hpet_register(c, HPET_CONFIG) = (u32)c->found | HPET_ENABLE;
	return true;
}

static bool hpet_look(const struct counter *c, struct counter_look *look)
{
	volatile u32 *count = hpet_register(c, HPET_COUNT);

	look->before = arch_tsc();
	look->count = *count;
	look->after = arch_tsc();
	return true;
}

static void hpet_stop(const struct counter *c)
{
	*hpet_register(c, HPET_CONFIG) = (u32)c->found;
}

struct counter counter_hpet(u64 pa)
{
	return (struct counter){"HPET", 0, 32, pa, 0, hpet_start, hpet_look, hpet_stop};
}
