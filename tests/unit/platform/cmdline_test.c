/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_log.h"
#include "platform/cmdline.h"

static struct cmdline parse(const char *text)
{
	struct cmdline c;

	memset(&c, 0xa5, sizeof(c)); /* every field is set, whatever was there */
	fake_log_start();
	char *copy = strdup(text); /* the sanitizer sees the end */
	cmdline_parse(copy, &c);
	free(copy);
	return c;
}

static const struct {
	const char *text;
	bool serial, vga, pcid, vpid, mwait, l1_flush;
} words[] = {
	{"", 0, 1, 1, 1, 1, 0},
	{" \t \n", 0, 1, 1, 1, 1, 0},
	{"serial", 1, 1, 1, 1, 1, 0},
	{"  serial  ", 1, 1, 1, 1, 1, 0},
	{"novga", 0, 0, 1, 1, 1, 0},
	{"nopcid", 0, 1, 0, 1, 1, 0},
	{"novpid", 0, 1, 1, 0, 1, 0},
	{"serial novga nopcid novpid", 1, 0, 0, 0, 1, 0},
	{"nomwait", 0, 1, 1, 1, 0, 0},
	{"nomwait novpid serial", 1, 1, 1, 0, 0, 0},
	{"novpid\tnopcid\nnovga serial", 1, 0, 0, 0, 1, 0},
	{"/boot/hypervisor.elf32 serial", 1, 1, 1, 1, 1, 0},
	{"serial serial", 1, 1, 1, 1, 1, 0},
	{"l1flush", 0, 1, 1, 1, 1, 1},
	{"novga l1flush serial", 1, 0, 1, 1, 1, 1},
	/* unknown words: other cases, parts and extensions of known ones */
	{"Serial SERIAL seria serial1 noserial", 0, 1, 1, 1, 1, 0},
	{"vga mwait nomwai novg novgax pcid nopci -nopcid", 0, 1, 1, 1, 1, 0},
	{"iommu keyb nosmp = l1flus nol1flush l1flush=1", 0, 1, 1, 1, 1, 0},
};

UNIT_TEST(test_words)
{
	for (unsigned i = 0; i < array_size(words); i++) {
		struct cmdline c = parse(words[i].text);
		assert_int_equal(c.serial.place, words[i].serial ? SERIAL_AUTO : SERIAL_NONE);
		assert_int_equal(c.vga, words[i].vga);
		assert_int_equal(c.pcid, words[i].pcid);
		assert_int_equal(c.vpid, words[i].vpid);
		assert_int_equal(c.mwait, words[i].mwait);
		assert_int_equal(c.l1_flush, words[i].l1_flush);
		assert_int_equal(c.heap, 0);
		assert_int_equal(c.log_level, LOG_INFO);
		assert_true(fake_log_empty());
	}
}

static const struct {
	const char *text;
	u64 heap;
} heaps[] = {
	{"heap=0", 0},
	{"heap=1", 1},
	{"heap=4096", 4096},
	{"heap=16K", 16 * KiB},
	{"heap=16k", 16 * KiB},
	{"heap=64M", 64 * MiB},
	{"heap=64m serial", 64 * MiB},
	{"heap=3G", 3 * GiB},
	{"heap=3g", 3 * GiB},
	{"heap=000000000000000000000000000002M", 2 * MiB},
	{"heap=18446744073709551615", UINT64_MAX},
	{"heap=18014398509481983K", UINT64_MAX - 1023},
	{"heap=32M heap=64M", 64 * MiB},
};

UNIT_TEST(test_heap)
{
	for (unsigned i = 0; i < array_size(heaps); i++) {
		assert_int_equal(parse(heaps[i].text).heap, heaps[i].heap);
		assert_true(fake_log_empty());
	}
}

/* Not a size: said so, ignored, an earlier value stays. */
UNIT_TEST(test_bad_heap)
{
	static const char *const bad[] = {
		"heap=",
		"heap=M",
		"heap=x",
		"heap=-1",
		"heap=+1",
		"heap=0x10",
		"heap=1T",
		"heap=1MB",
		"heap=1KM",
		"heap=1.5M",
		"heap=18446744073709551616",    /* 2^64 */
		"heap=99999999999999999999999", /* much more */
		"heap=18014398509481984K",      /* 2^64 by the unit */
		"heap=17179869184G",
	};

	for (unsigned i = 0; i < array_size(bad); i++) {
		char text[100];
		snprintf(text, sizeof(text), "heap=6M %s serial", bad[i]);
		struct cmdline c = parse(text);
		assert_int_equal(c.heap, 6 * MiB);
		assert_int_equal(c.serial.place, SERIAL_AUTO);
		assert_true(fake_log_has(bad[i]));
		assert_true(fake_log_has("ignored"));
	}
}

UNIT_TEST(test_serial)
{
	struct cmdline c = parse("serial=com2,9600 novga");

	assert_int_equal(c.serial.place, SERIAL_PORT);
	assert_int_equal(c.serial.at, 0x2f8);
	assert_int_equal(c.serial.baud, 9600);
	assert_false(c.vga);
	assert_int_equal(parse("serial=com2 serial").serial.place, SERIAL_AUTO);
	assert_int_equal(parse("serial serial=com2").serial.place, SERIAL_PORT);
	assert_true(fake_log_empty());
}

/* Not a line: said so, and one is looked for, because messages are wanted. */
UNIT_TEST(test_bad_serial)
{
	static const char *const bad[] = {"serial=", "serial=com9", "serial=com1,", "serial=com1,115200x"};

	for (unsigned i = 0; i < array_size(bad); i++) {
		assert_int_equal(parse(bad[i]).serial.place, SERIAL_AUTO);
		assert_true(fake_log_has(bad[i]));
		assert_true(fake_log_has("not understood, looking for a line"));
	}
}

UNIT_TEST(test_level)
{
	assert_int_equal(parse("log=error").log_level, LOG_ERROR);
	assert_int_equal(parse("log=warn").log_level, LOG_WARN);
	assert_int_equal(parse("log=info").log_level, LOG_INFO);
	assert_int_equal(parse("log=debug").log_level, LOG_DEBUG);
	assert_int_equal(parse("log=debug log=error").log_level, LOG_ERROR);
	assert_true(fake_log_empty());

	static const char *const bad[] = {"log=", "log=warning", "log=3", "log=Debug", "log=inf"};
	for (unsigned i = 0; i < array_size(bad); i++) {
		assert_int_equal(parse(bad[i]).log_level, LOG_INFO);
		assert_true(fake_log_has(bad[i]));
	}
}

static const struct {
	const char *text;
	u64 size, at;
} ramlogs[] = {
	{"log=info", 0, 0},
	{"log=ram", MiB, 0},
	{"log=ram:4K", 4096, 0},
	{"log=ram:65536", 65536, 0},
	{"log=ram:64M", 64 * MiB, 0},
	{"log=ram:2m@0x50000000", 2 * MiB, 0x50000000},
	{"log=ram:1M@0xfFfFf000", MiB, 0xfffff000},
	{"log=ram:1M@1342177280", MiB, 0x50000000},
	{"log=ram:1M@0", MiB, 0},
	{"log=ram:8K log=ram", MiB, 0},
	{"log=ram:8K log=error", 8192, 0}, /* the level is another matter */
};

UNIT_TEST(test_ramlog)
{
	for (unsigned i = 0; i < array_size(ramlogs); i++) {
		struct cmdline c = parse(ramlogs[i].text);
		assert_int_equal(c.ramlog, ramlogs[i].size);
		assert_int_equal(c.ramlog_at, ramlogs[i].at);
		assert_true(fake_log_empty());
	}
	assert_int_equal(parse("log=ram log=debug").log_level, LOG_DEBUG);
	assert_false(parse("log=ram").panic_reboots);
	assert_true(parse("panic=reboot").panic_reboots);
}

UNIT_TEST(test_bad_ramlog)
{
	static const char *const bad[] = {
		"log=ramp",
		"log=ram:",
		"log=ram@",
		"log=ram@0x50000000",
		"log=ram:0",
		"log=ram:2048",
		"log=ram:3M",
		"log=ram:128M",
		"log=ram:1M@",
		"log=ram:1M@0x",
		"log=ram:1M@0x50000800", /* not a page */
		"log=ram:1M@0x5000000g",
		"log=ram:1M@1M",
		"log=ram:1M@0x10000000000000000", /* 2^64 */
		"log=ram:1M@0x50000000,",
		"log=ram:@0x50000000",
	};

	for (unsigned i = 0; i < array_size(bad); i++) {
		char text[100];
		snprintf(text, sizeof(text), "log=ram:8K@0x1000 %s", bad[i]);
		struct cmdline c = parse(text);
		assert_int_equal(c.ramlog, 8 * KiB);
		assert_int_equal(c.ramlog_at, 0x1000);
		assert_true(fake_log_has(bad[i]));
	}
}

/* A word longer than a line of the log is cut there, not here. */
UNIT_TEST(test_long_word)
{
	char text[1024];
	memset(text, 'x', sizeof(text));
	memcpy(text, "heap=", 5);
	memcpy(text + sizeof(text) - 8, " serial", 8);
	struct cmdline c = parse(text);
	assert_int_equal(c.serial.place, SERIAL_AUTO);
	assert_true(fake_log_has("ignored"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),  cmocka_unit_test(test_heap),       cmocka_unit_test(test_bad_heap),
		cmocka_unit_test(test_serial), cmocka_unit_test(test_bad_serial), cmocka_unit_test(test_level),
		cmocka_unit_test(test_ramlog), cmocka_unit_test(test_bad_ramlog), cmocka_unit_test(test_long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
