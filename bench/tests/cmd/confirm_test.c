/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs that are gates: a regression is measured again before it is believed. A script decides what each boot reports.
 */
#include "program.h"

#include "host/file.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>

#define RUN "run -t qemu -k kernel.elf -r root.elf -o new.json -b base.json "

/* The n-th boot from now on has a null hypercall of as many instructions as the n-th word says. */
static void reboot(const char *counts)
{
	write_file("counts", counts, strlen(counts));
	write_file("boots", "", 0);
}

static unsigned boots(void)
{
	char *path = in_folder("boots");
	unsigned count = 0;

	read_output(path);
	for (const char *at = output; *at; at++)
		count += *at == '\n';
	free(path);
	return count;
}

/* Another kernel, for the same programs with other numbers would be another story: lab drift. */
static void make_old_kernel(void)
{
	char *path = in_folder("kernel.elf");
	struct error error;
	size_t size;
	char *data = file_read(path, 1 << 24, &size, &error);

	assert_non_null(data);
	data[size] = '\n'; /* where file_read() puts a null */
	write_file("old.elf", data, size + 1);
	free(data);
	free(path);
}

static int set_up_script(void **state)
{
	int status = set_up(state);

	make_old_kernel();
	write_file("other.elf", "", 0);
	setenv("HBENCH_QEMU", TEST_COUNTING_EMULATOR, 1);
	setenv("HBENCH_FAKE_FOLDER", folder, 1);
	setenv("HBENCH_FAKE_LOG", TEST_DATA "/good.log", 1);
	setenv("HBENCH_DB", "none", 1);
	return status;
}

static void make_baseline(void)
{
	reboot("40");
	expect(0, "run -t qemu -k old.elf -r root.elf -q -o base.json");
}

UNIT_TEST(without_confirmation)
{
	make_baseline();
	reboot("41");
	expect(1, RUN);
	has("  WORSE");
	has("+1  +2.50%");
	has("FAILED: worse than the baseline.");
	assert_int_equal(boots(), 1);
	reboot("40");
	expect(0, RUN);
	has("PASSED");
	reboot("39");
	expect(0, RUN "-q --confirm 3");
	assert_string_equal(output, "");
	assert_int_equal(boots(), 1);
	expect(4, "run -t qemu -k kernel.elf -r root.elf -o new.json -b nothing.json");
}

UNIT_TEST(false_alarms)
{
	reboot("41 40");
	expect(0, RUN "--confirm 2");
	has("REGRESSED: measuring again before that is believed (1 of 2)");
	has("PASSED: what the first measurement found was not found again.");
	assert_true(exists("new.again-1.json"));
	assert_int_equal(boots(), 2);
	reboot("41 41 40");
	expect(0, RUN "--confirm 2");
	assert_int_equal(boots(), 3);
}

UNIT_TEST(regressions)
{
	reboot("41");
	expect(1, RUN "--confirm 2 -q");
	has("FAILED: worse than the baseline, in 3 measurements of 3.");
	assert_int_equal(boots(), 3);
	reboot("41");
	expect(1, RUN "--confirm 1 --boots 2");
	assert_int_equal(boots(), 4);
}

/* New, then in turns: new, old. */
UNIT_TEST(with_the_kernel_of_the_baseline)
{
	reboot("41 41 40");
	expect(1, RUN "--confirm 1 --baseline-kernel old.elf");
	has("in 2 measurements of 2");
	assert_int_equal(boots(), 3);
	assert_true(exists("new.base-1.json"));
	reboot("41 41 41");
	expect(4, RUN "--confirm 1 --baseline-kernel old.elf");
	has("the machine changed");
	reboot("41 40 40");
	expect(0, RUN "--confirm 1 --baseline-kernel old.elf");
	has("was not found again");
}

UNIT_TEST(wrong_words)
{
	static const char *const calls[] = {
		"run -t qemu -k kernel.elf -r root.elf --confirm 1",
		"run -t qemu -k kernel.elf -r root.elf --baseline-kernel kernel.elf",
		RUN "--baseline-kernel kernel.elf",
		RUN "--confirm 1 --baseline-kernel other.elf",
		RUN "-k kernel.elf",
		"run -t file -m m -c x.log -b base.json --confirm 1",
	};

	for (size_t i = 0; i < array_size(calls); i++)
		expect(2, calls[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_confirmation), cmocka_unit_test(false_alarms),
		cmocka_unit_test(regressions),          cmocka_unit_test(with_the_kernel_of_the_baseline),
		cmocka_unit_test(wrong_words),
	};

	return cmocka_run_group_tests(tests, set_up_script, tear_down);
}
