/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines do wrong, and what it is called. */
#include "test.h"

#include "fleet/watch.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/lines.h"

#include "recorded.h"

#include <stdlib.h>
#include <string.h>

#define BUILD "a1eab56977712391"
#define KERNEL "Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build " BUILD ") [MB1]\n"

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	watch_line(context, line, len, cut);
}

static void feed(struct watch *w, const char *text, size_t size)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));

	lines_feed(lines, text, size, on_line, w);
	lines_finish(lines, on_line, w);
	free(lines);
}

static void say(struct watch *w, const char *text)
{
	feed(w, text, strlen(text));
}

static void play(struct watch *w, const char *log)
{
	size_t size;
	char *data = recorded(log, &size);

	feed(w, data, size);
	free(data);
}

static void expect_verdict(struct watch *w, enum watch_end end, enum outcome_verdict wanted, const char *why)
{
	enum outcome_verdict got = watch_judge(w, end, 30);

	if (got != wanted)
		fail_msg("`%s` (%s) instead of `%s`", outcome_text(got), w->why, outcome_text(wanted));
	if (!strstr(w->why, why))
		fail_msg("`%s` is not in `%s`", why, w->why);
	watch_free(w);
}

UNIT_TEST(good_run)
{
	struct watch w;

	watch_init(&w, "ipc", "", true);
	play(&w, "real");
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_OK, "");
}

/* The machine resets itself when it is done, as many do. */
UNIT_TEST(reset_after_the_end)
{
	struct watch w;

	watch_init(&w, "ipc", "", true);
	play(&w, "real");
	say(&w, KERNEL KERNEL KERNEL);
	expect_verdict(&w, WATCH_DONE, OUTCOME_OK, "");
}

UNIT_TEST(silence)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	expect_verdict(&w, WATCH_BOOT_TIME, OUTCOME_SILENT, "nothing came from the console within 30 s");
	watch_init(&w, "ipc", BUILD, true);
	expect_verdict(&w, WATCH_CLOSED, OUTCOME_SILENT, "closed");
	watch_init(&w, "ipc", BUILD, true);
	expect_verdict(&w, WATCH_NO_FETCH, OUTCOME_SILENT, "it fetched nothing to boot within 30 s");
	watch_init(&w, "ipc", BUILD, true);
	expect_verdict(&w, WATCH_NO_LOG, OUTCOME_SILENT, "it fetched its kernel, and no log came within 30 s");
}

UNIT_TEST(no_kernel)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	say(&w, "BIOS\r\nNo bootable \033[1mdevice\r\n");
	expect_verdict(&w, WATCH_BOOT_TIME, OUTCOME_NO_BOOT, "No bootable .[1mdevice");
	watch_init(&w, "ipc", BUILD, true);
	say(&w, "FLEET-BOOT-FAIL ipxe: errno=2d0c613b\n");
	expect_verdict(&w, WATCH_BOOT_TIME, OUTCOME_NO_BOOT, "FLEET-BOOT-FAIL ipxe: errno=2d0c613b");
	watch_init(&w, "ipc", BUILD, true);
	for (int i = 0; i < 3 && !watch_over(&w); i++)
		say(&w, "FLEET-BOOT-FAIL grub: x\n");
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_NO_BOOT, "gave up 3 times");
	watch_init(&w, "ipc", "", true);
	say(&w, "Hedron Hypervisor: refused: this CPU has no NX\n");
	expect_verdict(&w, WATCH_BOOT_TIME, OUTCOME_NO_BOOT, "");
}

UNIT_TEST(other_image)
{
	struct watch w;

	watch_init(&w, "ipc", "ffffffffffffffff0000", true);
	say(&w, KERNEL);
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_WRONG_IMAGE, "build " BUILD " came up instead of ffffffffffffffff");
	watch_init(&w, "ipc", BUILD "0123", true);
	say(&w, KERNEL);
	assert_false(watch_over(&w));
	watch_free(&w);
	watch_init(&w, "sm", "", true);
	play(&w, "real");
	expect_verdict(&w, WATCH_DONE, OUTCOME_WRONG_IMAGE, "another suite");
}

UNIT_TEST(panics)
{
	struct watch w;

	watch_init(&w, "ipc", "", false);
	play(&w, "panic");
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_PANIC, "the kernel panicked");
	/* It resets after the panic: still one. */
	watch_init(&w, "ipc", "", false);
	play(&w, "panic");
	say(&w, KERNEL KERNEL KERNEL);
	expect_verdict(&w, WATCH_DONE, OUTCOME_PANIC, "the kernel panicked");
}

UNIT_TEST(reboot_loops)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL "something\n" KERNEL);
	assert_false(watch_over(&w));
	say(&w, KERNEL);
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_REBOOT_LOOP, "the kernel started 3 times");
	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL "something\n" KERNEL);
	expect_verdict(&w, WATCH_RUN_TIME, OUTCOME_REBOOT_LOOP, "2 times in all");
	watch_init(&w, "ipc", BUILD, true);
	for (int i = 0; i < 5; i++)
		say(&w, "iPXE 1.21.1 -- Open Source Network Boot Firmware -- https://ipxe.org\n");
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_REBOOT_LOOP, "and never a kernel");
}

/* What is measured may have any text in it; a boot in the middle of a run is one. */
UNIT_TEST(lookalikes)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	say(&w, "menu: Hedron Hypervisor\n");
	for (int i = 0; i < 4; i++)
		say(&w, "HBENCH {\"x\":\"Hedron Hypervisor 13\"}\n");
	assert_int_equal(w.kernels, 0);
	watch_free(&w);
	watch_init(&w, "ipc", BUILD, true); /* a lost end of line */
	say(&w, "Hedron Hypervisor 13.2.0 (build 0123456789abcdef)HBENCH {\"x\":\"Hedron Hypervisor 13\"}\n");
	expect_verdict(&w, WATCH_DONE, OUTCOME_WRONG_IMAGE, "build 0123456789abcdef came up");
}

#define BEGUN "HBENCH {\"type\":\"sample\",\"suite\":\"ip"

/* Two writers on one serial line: nothing is known of the measurement, and the next attempt may be luckier. */
UNIT_TEST(lines_within_lines)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL BEGUN "warning: killed EC: event 6\nc\"}\n");
	expect_verdict(&w, WATCH_DONE, OUTCOME_DAMAGED, "killed EC: event 6");
	assert_true(outcome_may_retry(OUTCOME_DAMAGED));
	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL BEGUN "error: PANIC: no memory\n");
	expect_verdict(&w, WATCH_DONE, OUTCOME_PANIC, "PANIC: no memory");
	/* The first line of the run is lost: what comes next is out of order. */
	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL "HBENCH {\"type\":\"end\",\"lines\":1}\n");
	expect_verdict(&w, WATCH_DONE, OUTCOME_TRUNCATED, "wrong order");
	/* The machine is reset in the middle of a line. */
	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL BEGUN KERNEL);
	assert_int_equal(w.kernels, 2);
	expect_verdict(&w, WATCH_SILENCE, OUTCOME_REBOOT_LOOP, "2 times in all");
}

/* What is not ours: another try may boot the right thing. */
UNIT_TEST(panics_of_others)
{
	struct watch w;

	watch_init(&w, "ipc", BUILD, true);
	say(&w, "[    1.2][    T1] Kernel panic - not syncing: no init\n");
	assert_true(watch_over(&w));
	expect_verdict(&w, WATCH_DONE, OUTCOME_FOREIGN, "Kernel panic - not syncing: no init");
	watch_init(&w, "ipc", BUILD, true);
	say(&w, KERNEL "(XEN) Panic on CPU 3:\n(XEN) FATAL PAGE FAULT\n");
	expect_verdict(&w, WATCH_DONE, OUTCOME_FOREIGN, "Panic on CPU 3: FATAL PAGE FAULT");
	assert_true(outcome_may_retry(OUTCOME_FOREIGN));
}

UNIT_TEST(cut_short)
{
	struct watch w;

	watch_init(&w, "ipc", "", false);
	play(&w, "cut");
	expect_verdict(&w, WATCH_CLOSED, OUTCOME_TRUNCATED, "cut off");
	watch_init(&w, "ipc", "", false);
	play(&w, "cut");
	expect_verdict(&w, WATCH_SILENCE, OUTCOME_TRUNCATED, "nothing came for 30 s");
	watch_init(&w, "ipc", "", false);
	play(&w, "count");
	expect_verdict(&w, WATCH_DONE, OUTCOME_TRUNCATED, "lines were lost");
	watch_init(&w, "ipc", "", false);
	say(&w, KERNEL "HBENCH {\"type\":\"run\",\"li");
	expect_verdict(&w, WATCH_DONE, OUTCOME_DAMAGED, "line 2 of the console");
	watch_init(&w, "ipc", "", false);
	play(&w, "cut");
	expect_verdict(&w, WATCH_RUN_TIME, OUTCOME_TIMEOUT, "no end within 30 s");
	watch_init(&w, "ipc", "", false);
	say(&w, KERNEL "and no more\n");
	expect_verdict(&w, WATCH_RUN_TIME, OUTCOME_TIMEOUT, "the roottask reported nothing");
}

UNIT_TEST(wrong_results)
{
	struct watch w;

	watch_init(&w, "ipc", "", false);
	play(&w, "fail");
	expect_verdict(&w, WATCH_DONE, OUTCOME_INVALID, "wrong result");
	watch_init(&w, "ipc", "", true);
	play(&w, "good");
	expect_verdict(&w, WATCH_DONE, OUTCOME_INVALID, "clock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_run),
		cmocka_unit_test(reset_after_the_end),
		cmocka_unit_test(silence),
		cmocka_unit_test(no_kernel),
		cmocka_unit_test(other_image),
		cmocka_unit_test(panics),
		cmocka_unit_test(reboot_loops),
		cmocka_unit_test(lookalikes),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(wrong_results),
		cmocka_unit_test(lines_within_lines),
		cmocka_unit_test(panics_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
