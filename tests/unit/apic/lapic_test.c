/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC: what is sent in both modes, who can be reached, and the steps from one mode to another, of which
 * the processor refuses some. Its registers are a page and a few variables here. Manual: SDM vol. 3, 11.6, 11.12.5.
 */
#include "unit.h"

#include "arch/memory.h"
#include "arch/switch.h"
#include "cpu/cpu.h"
#include "platform/fake_log.h"

#define ENABLE (1u << 11)
#define X2APIC (1u << 10)
#define BOOT_CPU (1u << 8)
#define PLACE 0xfee00000u

static u64 apic_base, sent, capabilities, locked;
static u32 max_leaf;
static enum { OBEYS, IGNORES, FAULTS } fate; /* of an attempt to switch the APIC on */
static struct cpu *kicked;                   /* whose kick is to be known as under way when it is sent */
static unsigned steps;
static u8 page[PAGE_SIZE] aligned(16);
static u64 mapped;

static u64 mode_of(u64 base)
{
	return base & (ENABLE | X2APIC);
}

static u64 fake_msr_read(u32 msr)
{
	if (msr == 0x10a || msr == 0xbd)
		return msr == 0x10a ? capabilities : locked;
	if (msr == 0x802) {
		assert_int_equal(mode_of(apic_base), ENABLE | X2APIC);
		return 0x12345;
	}
	assert_int_equal(msr, MSR_APIC_BASE);
	return apic_base;
}

/* X2APIC alone does not exist; it is entered from xAPIC, and left for "off" only. */
static void fake_msr_write(u32 msr, u64 v)
{
	if (msr == 0x830) {
		assert_int_equal(mode_of(apic_base), ENABLE | X2APIC);
		sent = v;
		assert_ptr_equal(cpu_current()->kicking, (v & 0x700) == 0x400 ? kicked : NULL);
		return;
	}
	assert_int_equal(msr, MSR_APIC_BASE);
	assert_int_not_equal(mode_of(v), X2APIC);
	if (mode_of(v) == (ENABLE | X2APIC))
		assert_int_not_equal(mode_of(apic_base), 0);
	if (mode_of(apic_base) == (ENABLE | X2APIC))
		assert_int_not_equal(mode_of(v), ENABLE);
	apic_base = v;
	steps++;
}

static void *fake_map_device(paddr_t pa)
{
	mapped = pa.v;
	return page;
}

static const void *fake_phys_map(paddr_t pa, u64 len)
{
	return pa.v == PLACE && len == PAGE_SIZE ? page : NULL;
}

/* The bit that says that there is an APIC goes with its being on. */
static struct cpuid fake_cpuid(u32 leaf)
{
	struct cpuid first = {.ebx = 0x5a000000, .edx = apic_base & ENABLE ? 1u << 9 : 0}, none = {.eax = max_leaf};
	struct cpuid seventh = {.edx = 1u << 29};

	return leaf == 1 ? first : leaf == 7 ? seventh : none;
}

static bool fake_msr_write_safe(u32 msr, u64 v)
{
	if (fate == FAULTS)
		return false;
	if (fate == OBEYS)
		fake_msr_write(msr, v);
	return true;
}

/* The code under test sees these instead of the instructions, and does not take the fake machine's names. */
#define msr_read fake_msr_read
#define msr_write fake_msr_write
#define msr_write_safe fake_msr_write_safe
#define kspace_map_device fake_map_device
#define arch_phys_map fake_phys_map
#define cpuid(leaf, sub) fake_cpuid(leaf)
#define arch_kick lapic_kick
#define arch_signal lapic_signal
void lapic_kick(struct cpu *cpu);
void lapic_signal(struct cpu *cpu);
struct cpu_features cpu_features;
#include "apic/lapic.c"

static u32 *word(unsigned offset)
{
	return (u32 *)(page + offset);
}

UNIT_FIXTURE(setup)
{
	memset(page, 0, sizeof(page));
	apic_base = PLACE | BOOT_CPU | ENABLE;
	sent = mapped = steps = capabilities = locked = 0;
	max_leaf = 7;
	fate = OBEYS;
	common_mode = 0;
	fake_log_start();
	registers = NULL;
	return 0;
}

UNIT_TEST(registers_are_mapped_where_they_are)
{
	apic_base = 0xfedc0000 | BOOT_CPU | ENABLE;
	assert_int_equal(lapic_init(), SUCCESS);
	assert_int_equal(mapped, 0xfedc0000);
	assert_true(lapic_can_reach(0) && lapic_can_reach(254));
	assert_false(lapic_can_reach(255) || lapic_can_reach(256) || lapic_can_reach(0x10001));
}

UNIT_TEST(x2apic_has_no_registers_in_memory)
{
	apic_base |= X2APIC;
	assert_int_equal(lapic_init(), SUCCESS);
	assert_int_equal(mapped, 0);
	assert_true(lapic_can_reach(255) && lapic_can_reach(0x12345678));
}

UNIT_TEST(switched_off_by_firmware)
{
	apic_base = 0xfedc0000 | BOOT_CPU;
	assert_int_equal(lapic_init(), SUCCESS);
	assert_int_equal(apic_base, 0xfedc0000 | BOOT_CPU | ENABLE);
	assert_int_equal(mapped, 0xfedc0000);
	assert_true(fake_log_has("was switched off by firmware"));
	apic_base = BOOT_CPU; /* and has no place */
	assert_int_equal(lapic_init(), SUCCESS);
	assert_int_equal(apic_base, PLACE | BOOT_CPU | ENABLE);
	assert_int_equal(mapped, PLACE);
}

/* Nothing would answer at its registers. */
UNIT_TEST(switched_off_for_good)
{
	for (fate = IGNORES; fate <= FAULTS; fate++) {
		apic_base = PLACE | BOOT_CPU;
		assert_int_equal(lapic_init(), BAD_FTR);
		assert_int_equal(mapped, 0);
		assert_true(fake_log_empty());
		lapic_counter_nmi(); /* touches nothing */
	}
}

UNIT_TEST(commands_in_memory)
{
	assert_int_equal(lapic_init(), SUCCESS);
	*word(ICR_HIGH) = 0xab000000; /* somebody was about to send */
	lapic_send_nmi(7);
	assert_int_equal(*word(ICR_LOW), 0x4400);
	assert_int_equal(*word(ICR_HIGH), 0xab000000);
	lapic_send_init(7);
	assert_int_equal(*word(ICR_LOW), 0x4500);
	lapic_send_startup(7, 0x9e);
	assert_int_equal(*word(ICR_LOW), 0x469e);
	assert_int_equal(*word(ICR_HIGH), 0xab000000);
}

UNIT_TEST(commands_by_msr)
{
	apic_base |= X2APIC;
	assert_int_equal(lapic_init(), SUCCESS);
	lapic_send_nmi(0x12345678);
	assert_true(sent == (0x12345678ull << 32 | 0x4400));
	lapic_send_init(3);
	assert_true(sent == (3ull << 32 | 0x4500));
	lapic_send_startup(300, 0x9e);
	assert_true(sent == (300ull << 32 | 0x469e));
}

/* What IPIs are sent to counts, whatever CPUID says; only an APIC that is off cannot be asked. */
UNIT_TEST(own_identifier)
{
	*word(0x20) = 0x07ffffff;
	assert_int_equal(lapic_id(), 7);
	apic_base |= X2APIC;
	assert_int_equal(lapic_id(), 0x12345);
	apic_base = PLACE;
	assert_int_equal(lapic_id(), 0x5a);
	apic_base = (1ull << 32) | ENABLE; /* out of the boot tables' reach */
	assert_int_equal(lapic_id(), 0x5a);
}

static const u32 modes[] = {0, ENABLE, ENABLE | X2APIC};

UNIT_TEST(each_mode_from_each)
{
	for (unsigned from = 0; from < array_size(modes); from++)
		for (unsigned to = 0; to < array_size(modes); to++) {
			u64 want = PLACE | BOOT_CPU | modes[to];
			apic_base = PLACE | BOOT_CPU | modes[from];
			steps = 0;
			lapic_restore_mode(want);
			assert_int_equal(apic_base, want);
			assert_true(from == to ? !steps : steps <= 2);
		}
}

/* Other CPUs keep their own place and are no boot CPU. */
UNIT_TEST(others_join)
{
	for (unsigned boot = 1; boot < array_size(modes); boot++) {
		apic_base = PLACE | BOOT_CPU | modes[boot];
		assert_int_equal(lapic_init(), SUCCESS);
		for (unsigned own = 0; own < array_size(modes); own++) {
			apic_base = 0xfeedf000 | modes[own];
			lapic_join();
			assert_int_equal(apic_base, 0xfeedf000 | modes[boot]);
		}
	}
}

/* A CPU whose APIC is locked in x2APIC mode cannot take another one. */
UNIT_TEST(others_that_cannot_join)
{
	assert_int_equal(lapic_init(), SUCCESS);
	capabilities = 1u << 21;
	locked = 1;
	assert_true(lapic_can_join());
	apic_base |= X2APIC;
	assert_false(lapic_can_join());
	locked = 0;
	assert_true(lapic_can_join());
	locked = 1;
	max_leaf = 6; /* no such registers */
	assert_true(lapic_can_join());
	max_leaf = 7;
	capabilities = 0;
	assert_true(lapic_can_join());
	capabilities = 1u << 21;
	assert_int_equal(lapic_init(), SUCCESS); /* the boot CPU uses x2APIC, too */
	assert_true(lapic_can_join());
}

/* In a guest that takes no NMIs: the SIPI comes when the NMI has been sent. */
static void deaf(struct cpu *cpu)
{
	cpu->waits_sipi = true;
	kicked = cpu;
	lapic_kick(cpu);
	kicked = NULL;
	assert_true(sent == (5ull << 32 | 0x4600 | LAPIC_KICK_PAGE));
	assert_int_equal(cpu->kicks, 2);
	assert_null(cpu_current()->kicking);
}

/* A signal is an NMI, unless the CPU sees the work item by itself. */
UNIT_TEST(signals)
{
	static struct cpu cpu;

	apic_base |= X2APIC;
	assert_int_equal(lapic_init(), SUCCESS);
	cpu.apic_id = 5;
	cpu.sleeping = SLEEPING_MWAIT;
	lapic_signal(&cpu);
	assert_int_equal(sent, 0);
	cpu.sleeping = SLEEPING_HALTED;
	kicked = &cpu;
	lapic_signal(&cpu);
	kicked = NULL;
	assert_null(cpu_current()->kicking);
	assert_true(sent == (5ull << 32 | 0x4400));
	assert_int_equal(cpu.kicks, 1);
	deaf(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers_are_mapped_where_they_are, setup),
		cmocka_unit_test_setup(x2apic_has_no_registers_in_memory, setup),
		cmocka_unit_test_setup(switched_off_by_firmware, setup),
		cmocka_unit_test_setup(switched_off_for_good, setup),
		cmocka_unit_test_setup(commands_in_memory, setup),
		cmocka_unit_test_setup(commands_by_msr, setup),
		cmocka_unit_test_setup(own_identifier, setup),
		cmocka_unit_test_setup(each_mode_from_each, setup),
		cmocka_unit_test_setup(others_join, setup),
		cmocka_unit_test_setup(others_that_cannot_join, setup),
		cmocka_unit_test_setup(signals, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
