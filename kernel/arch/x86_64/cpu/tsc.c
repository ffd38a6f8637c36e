/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the TSC runs. CPUID tells on newer CPUs; else the 8254 timer is the reference, which every PC emulator and
 * nearly every machine has; else the base frequency. Manual: SDM vol. 3, 19.7.3; 8254 data sheet.
 */
#include "arch/cpu.h"
#include "arch/ports.h"
#include "cpu/cpu.h"
#include "lib/bits.h"
#include "platform/console.h"

u32 tsc_khz;

#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define PIT_MS 5
#define PIT_ROUNDS 100
#define PIT_AGREE 3 /* so many measurements have to agree, to 1/256 */
#define POLLS_MAX 10000000u

/* Ticks of the TSC while channel 2 counts down PIT_MS milliseconds; 0 if it never ends. */
static u64 pit_measure(void)
{
	u16 count = PIT_HZ * PIT_MS / 1000;
	u8 gate = arch_inb(PIT_GATE);

	arch_outb(PIT_GATE, (gate & ~2u) | 1); /* gate on, speaker off */
	arch_outb(PIT_COMMAND, 0xb0);          /* channel 2, both bytes, mode 0: the output rises at the end */
	arch_outb(PIT_CHANNEL2, (u8)count);
	u64 start = arch_tsc();
	arch_outb(PIT_CHANNEL2, (u8)(count >> 8));
	for (u32 n = 0; n < POLLS_MAX; n++)
		if (arch_inb(PIT_GATE) & 0x20) {
			u64 ticks = arch_tsc() - start;
			arch_outb(PIT_GATE, gate);
			return ticks;
		}
	arch_outb(PIT_GATE, gate);
	return 0;
}

/* An interruption (an SMI, a busy host of an emulator) only makes a measurement longer. So the shortest one is the
 * best, and it is believed when PIT_AGREE measurements are close to it. */
static u64 pit_shortest(void)
{
	u64 best = ~0ull;
	for (int i = 0, agree = 0; i < PIT_ROUNDS && agree < PIT_AGREE; i++) {
		u64 ticks = pit_measure();
		if (!ticks)
			return 0;
		if (ticks < best - best / 256)
			agree = 0;
		best = min_u64(best, ticks);
		agree += ticks <= best + best / 256;
	}
	return best;
}

/* From the ratio of TSC and crystal, if CPUID also tells the crystal's frequency. 0: it does not. */
static u32 khz_from_crystal(void)
{
	if (cpuid(0, 0).eax < 0x15)
		return 0;
	struct cpuid l = cpuid(0x15, 0);
	if (!l.eax || !l.ebx || !l.ecx)
		return 0;
	return (u32)((u64)l.ecx * l.ebx / l.eax / 1000);
}

static u32 khz_from_base_frequency(void)
{
	return cpuid(0, 0).eax >= 0x16 ? (cpuid(0x16, 0).eax & 0xffff) * 1000 : 0;
}

static u32 calibrate(void)
{
	u32 khz = khz_from_crystal();
	if (khz)
		return khz;
	khz = (u32)(pit_shortest() / PIT_MS);
	if (!khz)
		khz = khz_from_base_frequency();
	if (khz)
		return khz;
	log_warn("the TSC's frequency is unknown, 1 GHz is assumed");
	return 1000000;
}

/* Microseconds per tick as a fixed-point number: a multiplication instead of a division. */
#define US_SHIFT 52
static u64 us_per_tick;

void tsc_init(void)
{
	tsc_khz = calibrate();
	us_per_tick = (1000ull << US_SHIFT) / tsc_khz;
}

u32 arch_tsc_khz(void)
{
	return tsc_khz;
}

u64 arch_tsc_to_us(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * us_per_tick >> US_SHIFT);
}
