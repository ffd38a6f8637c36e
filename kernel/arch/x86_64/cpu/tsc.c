/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast the TSC runs: everybody who may know is asked, and tsc_choice.c decides whom to believe. */
#include "arch/cpu.h"
#include "cpu/cpu.h"
#include "cpu/tsc_stated.h"
#include "lib/bits.h"
#include "platform/acpi.h"
#include "platform/console.h"
#include "platform/counter_rate.h"
#include "platform/tsc_choice.h"

u32 tsc_khz;

#define KHZ_ASSUMED 1000000
#define ROUND_PPM 20000 /* of numbers on a box, and of a reference clock that a board may run off */

enum { PIT, PM_TIMER, HPET, COUNTERS };
_Static_assert(COUNTERS <= COUNTER_RATE_MAX, "one measurement has all of them");

static void measure(const struct acpi_info *acpi, struct tsc_opinion opinion[COUNTERS])
{
	struct counter c[COUNTERS] = {counter_pit(), counter_pm_timer(acpi->pm_timer, acpi->pm_timer_bits),
				      counter_hpet(acpi->hpet)};
	struct counter_rate r[COUNTERS];

	counter_rate_measure(c, r, COUNTERS);
	for (unsigned i = 0; i < COUNTERS; i++) {
		opinion[i] = (struct tsc_opinion){c[i].name, r[i].khz, r[i].ppm, true};
		if (r[i].verdict == COUNTER_STUCK)
			log_info("TSC: the %s does not count", c[i].name);
		else if (r[i].verdict == COUNTER_UNSTEADY)
			log_warn("TSC: measurements with the %s contradict themselves", c[i].name);
	}
}

static u32 find_out(const struct acpi_info *acpi)
{
	struct tsc_opinion o[] = {
		{"CPUID leaf 15h", tsc_stated_crystal(), 0, false},
		{"the hypervisor", tsc_stated_hypervisor(), 0, false},
		[2 + COUNTERS] = {"P-state 0", tsc_stated_pstate(), ROUND_PPM, false},
		{"CPUID leaf 16h", tsc_stated_base(), ROUND_PPM, false},
	};

	measure(acpi, &o[2]);
	u32 khz = tsc_choice_make(o, array_size(o));
	if (!khz) {
		log_warn("TSC: neither the CPU nor any clock tells its rate; 1 GHz is assumed, and all times are "
			 "wrong");
		return KHZ_ASSUMED;
	}
	return khz;
}

/* Microseconds per tick as a fixed-point number: a multiplication instead of a division. */
#define US_SHIFT 52
static u64 us_per_tick;

void tsc_init(const struct acpi_info *acpi)
{
	tsc_khz = find_out(acpi);
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
