/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who counts system management interrupts, and how: processors as their manuals describe them, and an emulator. */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

#include "rt/bench/bench_machine.h"
#include "rt/hypercall.h"

static struct {
	struct bench_cpu cpu;
	bool time;              /* its clock measures time */
	bool deaf;              /* writes have no effect, reads are 0 */
	bool refused;           /* by the kernel */
	unsigned long ctl, ctr; /* counter 0 of AMD's */
	unsigned long intel;    /* SMI_COUNT */
	unsigned long seen;     /* SMIs, by whoever counts */
	unsigned writes;
} machine;

static enum status fake_msr_write(unsigned msr, unsigned long value)
{
	machine.writes++;
	if (machine.refused)
		return BAD_PAR;
	assert_int_equal(msr, 0xc0010000);
	if (!machine.deaf)
		machine.ctl = value;
	return SUCCESS;
}

#define hc_msr_write fake_msr_write
#include "root/probe_smi.c"

const struct bench_cpu *bench_machine_cpu(void)
{
	return &machine.cpu;
}
bool bench_machine_measures_time(void)
{
	return machine.time;
}
bool bench_machine_msr(unsigned msr, unsigned long *value)
{
	assert_true(msr == 0xc0010000 || msr == 0xc0010004);
	*value = machine.deaf ? 0 : msr & 4 ? machine.ctr : machine.ctl;
	return true;
}
bool bench_machine_smi_count(unsigned long *count)
{
	*count = machine.intel + machine.seen;
	return machine.cpu.intel;
}

/* An SMI comes. Event 0x2b, in user mode and kernel, enabled. */
static void smi(void)
{
	machine.seen++;
	if (machine.ctl == (0x2b | 1 << 16 | 1 << 17 | 1 << 22))
		machine.ctr++;
}

UNIT_FIXTURE(setup)
{
	memset(&machine, 0, sizeof(machine));
	machine.cpu = (struct bench_cpu){.amd = true, .family = 0x17};
	machine.time = true;
	machine.ctr = 12345;
	return 0;
}

/* How many of three the probe sees; -1: it does not know. */
static long counted(void)
{
	unsigned long before = 0, after = 0;
	bool known = probe_smi_begin(&before);

	for (unsigned i = 0; i < 3; i++)
		smi();
	if (!known)
		return -1;
	assert_true(probe_smi_end(&after));
	return (long)(after - before);
}

UNIT_TEST(amd)
{
	assert_int_equal(counted(), 3);
	assert_int_equal(machine.ctl, 0); /* it is left as it was found */
	machine.cpu.family = 0x19;
	assert_int_equal(counted(), 3);
}

UNIT_TEST(old_amd)
{
	machine.cpu.family = 0x15;
	assert_int_equal(counted(), -1);
	assert_int_equal(machine.writes, 0);
}

UNIT_TEST(intel)
{
	machine.cpu = (struct bench_cpu){.intel = true, .family = 6};
	machine.intel = 77;
	assert_int_equal(counted(), 3);
	assert_int_equal(machine.writes, 0);
}

UNIT_TEST(others)
{
	machine.cpu = (struct bench_cpu){.family = 7};
	assert_int_equal(counted(), -1);
	assert_int_equal(machine.writes, 0);
}

UNIT_TEST(emulators)
{
	machine.deaf = true;
	assert_int_equal(counted(), -1);
	machine.deaf = false;
	machine.time = false; /* where instructions are counted nothing is to be changed */
	machine.writes = 0;
	assert_int_equal(counted(), -1);
	assert_int_equal(machine.writes, 0);
}

UNIT_TEST(refused)
{
	machine.refused = true;
	assert_int_equal(counted(), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {T(amd), T(old_amd), T(intel), T(others), T(emulators), T(refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
