/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's warm reset: the firmware's register, wherever that is, then the chipset's, then the keyboard's. */
#include "fake_reset.h"

#include "lib/types.h"

static u8 page[PAGE_SIZE];
static u64 window_at, window_flags;

static void *fake_window(u64 pa, u64 flags)
{
	window_at = pa & ~PAGE_MASK;
	window_flags = flags;
	return page + (pa & PAGE_MASK);
}

/* The code under test sees these instead of the instructions, and does not take the fake machine's name. */
#include "arch/cpu.h"
#include "arch/ports.h"
#include "mmu/kspace.h"
#define arch_outb fake_reset_out8
#define arch_outl fake_reset_out32
#define arch_inb fake_reset_in8
#define arch_tsc fake_reset_tsc
#define kspace_window_open(pa, flags) fake_window((pa).v, flags)
#define arch_reset reset_machine
__attribute__((noreturn)) void reset_machine(void);
#include "boot/reset.c"

static void firmware_says(u8 space, u64 addr, u8 value)
{
	struct acpi_info acpi = {.reset = {.space = space, .bits = 8, .addr = addr}, .reset_value = value};

	reset_init(&acpi);
}

UNIT_FIXTURE(setup)
{
	memset(&fake_machine, 0, sizeof(fake_machine));
	memset(page, 0, sizeof(page));
	window_at = window_flags = 0;
	firmware_says(0, 0, 0);
	return 0;
}

/* The last way, a triple fault, would be one. */
static void attempt(void)
{
	reset_machine();
}

static void reset_by(const char *write, const char *wanted)
{
	assert_true(fake_reset_by(write, attempt));
	assert_string_equal(fake_machine.text, wanted);
}

UNIT_TEST(register_in_ports)
{
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	reset_by("00b2=5a", "00b2=5a");
	reset_by("0064=fe", "00b2=5a 0cf9=02 0cf9=06 0064=fe");
}

/* Device 31, function 3, register 0x62 of bus 0. */
UNIT_TEST(register_in_pci)
{
	firmware_says(SPACE_PCI, 31ull << 32 | 3 << 16 | 0x62, 0x5a);
	reset_by("pci(8000fb62)=5a", "pci(8000fb62)=5a");
	reset_by("0064=fe", "pci(8000fb62)=5a 0cf9=02 0cf9=06 0064=fe");
}

/* Above 4 GiB, too; never cached. */
UNIT_TEST(register_in_memory)
{
	firmware_says(SPACE_MEMORY, 0x1fed40005, 0x5a);
	reset_by("0064=fe", "0cf9=02 0cf9=06 0064=fe");
	assert_int_equal(window_at, 0x1fed40000);
	assert_true(window_flags & KPTE_PCD && window_flags & KPTE_PWT && window_flags & PTE_W);
	assert_int_equal(page[5], 0x5a);
}

UNIT_TEST(register_out_of_reach)
{
	firmware_says(SPACE_MEMORY, bit(52), 0x5a);
	reset_by("0cf9=06", "0cf9=02 0cf9=06");
	assert_int_equal(window_at, 0);
	firmware_says(3, 0xb2, 0x5a); /* an embedded controller: not in the list of the specification */
	reset_by("0cf9=06", "0cf9=02 0cf9=06");
}

/* The chipset's register wants the kind of the reset first, then the edge. */
UNIT_TEST(chipset)
{
	reset_by("0cf9=06", "0cf9=02 0cf9=06");
}

UNIT_TEST(keyboard_controller)
{
	reset_by("0064=fe", "0cf9=02 0cf9=06 0064=fe");
	fake_machine.busy = 0x02; /* for ever, or nobody is there */
	reset_by("0064=fe", "0cf9=02 0cf9=06 0064=fe");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {T(register_in_ports),     T(register_in_pci), T(register_in_memory),
					   T(register_out_of_reach), T(chipset),         T(keyboard_controller)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
