/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MACHINE_CTRL, and MSRs by PD_CTRL: only for the privileged, and what is asked of the machine then. */
#include "hypercall.h"
#include "platform/console.h"

static enum status machine(unsigned op, u64 above, u64 arg2)
{
	return hc(HC_ARG1(HC_MACHINE_CTRL, op, 0) | above, arg2, 0, 0, 0);
}

static enum status msr(u64 index, bool write, u64 value)
{
	return hc(HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR | (write ? PD_CTRL_MSR_WRITE : 0), index), value, 0, 0, 0);
}

UNIT_TEST(only_for_the_privileged)
{
	for (unsigned op = 0; op < 16; op++)
		assert_int_equal(machine(op, 0, 0), BAD_CAP);
	assert_int_equal(msr(0x10, false, 0), BAD_CAP);
	assert_int_equal(msr(0x10, true, 0), BAD_CAP);
	assert_int_equal(host_machine.calls, 0);
}

UNIT_TEST(operations)
{
	world_pd->passthrough = true;
	assert_int_equal(machine(2, 0, 0), BAD_PAR);
	assert_int_equal(machine(3, 0, 0), BAD_PAR);
	assert_int_equal(host_machine.calls, 0);
}

UNIT_TEST(suspend)
{
	world_pd->passthrough = true;
	host_machine.waking_vector = 0x1234567890;
	assert_int_equal(machine(MACHINE_CTRL_SUSPEND, 0xabull << 12 | 0xcdull << 20 | 1ull << 40, 0), SUCCESS);
	assert_int_equal(host_machine.type_a, 0xab);
	assert_int_equal(host_machine.type_b, 0xcd);
	assert_int_equal(hc_self->regs.rsi, 0x1234567890);
	host_machine.answer = BAD_FTR;
	assert_int_equal(machine(MACHINE_CTRL_SUSPEND, 0, 0), BAD_FTR);
}

UNIT_TEST(microcode)
{
	world_pd->passthrough = true;
	assert_int_equal(machine(MACHINE_CTRL_MICROCODE, (2 * MiB) << 12 | 1ull << 53, 0x123456), SUCCESS);
	assert_int_equal(host_machine.blob, 0x123456);
	assert_int_equal(host_machine.blob_size, 2 * MiB); /* what is above is not the size */
	assert_int_equal(host_machine.calls, 1);
	assert_int_equal(machine(MACHINE_CTRL_MICROCODE, (2 * MiB + 1) << 12, 0), BAD_PAR);
	assert_int_equal(machine(MACHINE_CTRL_MICROCODE, 1ull << 52, 0), BAD_PAR);
	assert_int_equal(host_machine.calls, 1);
}

static char kept[100];

static void keeper_write(const char *text, size_t length)
{
	strncat(kept, text, length);
}

static enum status console(u64 what, const char *text)
{
	u64 words[3] = {0};

	strncpy((char *)words, text, sizeof(words));
	return hc(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_CONSOLE, what), words[0], words[1], words[2], 0);
}

/* Text travels in registers; what is no text does no harm. console_run_test.c has the rest. */
UNIT_TEST(console_lines)
{
	static struct console keeper = {.write = keeper_write, .sharing = CONSOLE_KEEPER};

	world_pd->passthrough = true;
	assert_int_equal(console(0, ""), BAD_PAR);
	assert_int_equal(console(4, ""), BAD_PAR);
	console_add(&keeper);
	kept[0] = '\0';
	assert_int_equal(console(MACHINE_CONSOLE_CLAIM, ""), SUCCESS);
	assert_int_equal(hc_self->regs.rsi | hc_self->regs.rdx, 0);
	assert_int_equal(console(MACHINE_CONSOLE_WRITE, ""), SUCCESS);
	assert_int_equal(console(MACHINE_CONSOLE_WRITE, "abc"), SUCCESS);
	assert_int_equal(console(MACHINE_CONSOLE_WRITE, "0123456789012345678901\r\n"), SUCCESS);
	assert_int_equal(console(MACHINE_CONSOLE_RELEASE, ""), SUCCESS);
	assert_string_equal(kept, "abc0123456789012345678901?\n");
}

UNIT_TEST(msrs)
{
	world_pd->passthrough = true;
	host_machine.msr_value = 0xfedcba9876543210;
	assert_int_equal(msr(0xc0000103, false, 1), SUCCESS);
	assert_int_equal(host_machine.msr, 0xc0000103);
	assert_false(host_machine.msr_written);
	assert_int_equal(hc_self->regs.rsi, 0xfedcba9876543210);
	assert_int_equal(msr(0x10, true, 0x77), SUCCESS);
	assert_true(host_machine.msr_written);
	assert_int_equal(host_machine.msr_value, 0x77);
	host_machine.answer = BAD_PAR;
	assert_int_equal(msr(0x11, false, 1), BAD_PAR);
	assert_int_equal(hc_self->regs.rsi, 0); /* nothing of an MSR that is refused */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(only_for_the_privileged), HC_TEST(operations), HC_TEST(suspend), HC_TEST(microcode),
		HC_TEST(console_lines),           HC_TEST(msrs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
