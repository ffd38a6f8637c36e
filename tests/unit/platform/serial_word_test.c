/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word that names a serial line: all its forms, and what is refused. */
#include "unit.h"

#include <stdlib.h>

#include "platform/serial_word.h"

static bool parse(const char *text, struct serial_word *out)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1); /* the sanitizer sees the end: there is no NUL */

	memcpy(copy, text, length);
	memset(out, 0xa5, sizeof(*out));
	bool valid = serial_word_parse(copy, length, out);
	free(copy);
	return valid;
}

static const struct {
	const char *text;
	struct serial_word word;
} good[] = {
	{"auto", {SERIAL_AUTO, 0, 0, 0, 0, 0}},
	{"com1", {SERIAL_PORT, 0x3f8, 0, 0, 0, 0}},
	{"com2", {SERIAL_PORT, 0x2f8, 0, 0, 0, 0}},
	{"com3", {SERIAL_PORT, 0x3e8, 0, 0, 0, 0}},
	{"com4", {SERIAL_PORT, 0x2e8, 0, 0, 0, 0}},
	{"0x3f8", {SERIAL_PORT, 0x3f8, 0, 0, 0, 0}},
	{"0xE0a0", {SERIAL_PORT, 0xe0a0, 0, 0, 0, 0}},
	{"0xfff8", {SERIAL_PORT, 0xfff8, 0, 0, 0, 0}},
	{"mmio:0xfe034000", {SERIAL_MMIO, 0xfe034000, 0, 0, 0, 0}},
	{"mmio:0x9000000000", {SERIAL_MMIO, 0x9000000000, 0, 0, 0, 0}},
	{"mmio:0xfe034000,115200n8,stride=4,clock=48000000", {SERIAL_MMIO, 0xfe034000, 115200, 48000000, 0x03, 4}},
	{"mmio:0xfe034000,clock=48000000,stride=2", {SERIAL_MMIO, 0xfe034000, 0, 48000000, 0, 2}},
	{"mmio:0xfe034000,clock=58982400,3686400", {SERIAL_MMIO, 0xfe034000, 3686400, 58982400, 0x03, 0}},
	{"pci:00:16.3", {SERIAL_PCI, 0x00b3, 0, 0, 0, 0}},
	{"pci:1f:1f.7", {SERIAL_PCI, 0x1fff, 0, 0, 0, 0}},
	{"pci:ff:0.0,9600", {SERIAL_PCI, 0xff00, 9600, 0, 0x03, 0}},
	{"com1,115200", {SERIAL_PORT, 0x3f8, 115200, 0, 0x03, 0}},
	{"com1,115200n8", {SERIAL_PORT, 0x3f8, 115200, 0, 0x03, 0}},
	{"com1,9600e7", {SERIAL_PORT, 0x3f8, 9600, 0, 0x1a, 0}},
	{"com1,9600o", {SERIAL_PORT, 0x3f8, 9600, 0, 0x0b, 0}},
	{"com1,9600n5", {SERIAL_PORT, 0x3f8, 9600, 0, 0x00, 0}},
	{"com1,9600,19200", {SERIAL_PORT, 0x3f8, 19200, 0, 0x03, 0}},
	{"com1,stride=1", {SERIAL_PORT, 0x3f8, 0, 0, 0, 1}},
	{"auto,9600", {SERIAL_AUTO, 0, 9600, 0, 0x03, 0}},
	{"auto,3000000", {SERIAL_AUTO, 0, 3000000, 0, 0x03, 0}}, /* the clock is not known yet */
};

UNIT_TEST(test_good)
{
	for (unsigned i = 0; i < array_size(good); i++) {
		struct serial_word w;
		const struct serial_word *want = &good[i].word;
		assert_true(parse(good[i].text, &w));
		assert_int_equal(w.place, want->place);
		assert_int_equal(w.at, want->at);
		assert_int_equal(w.baud, want->baud);
		assert_int_equal(w.clock, want->clock);
		assert_int_equal(w.lcr, want->lcr);
		assert_int_equal(w.stride, want->stride);
	}
}

static const char *const bad[] = {
	/* places */
	"",
	"auto1",
	"aut",
	"com",
	"com0",
	"com5",
	"com12",
	"com99999999999999999999",
	"COM1",
	"com1 ",
	"3f8",
	"0x",
	"0x3f9",
	"0",
	"0x0",
	"0x10000",
	"0xfffffffffffffffff8",
	"0x3g8",
	"mmio",
	"mmio:",
	"mmio:fe034000",
	"mmio:0xfe034001",
	"mmio:0x0",
	"mmio:0xfe034008,stride=2",
	"mmio:0x10000000000000000",
	"pci:",
	"pci:00",
	"pci:00:",
	"pci:00:16",
	"pci:00:16.",
	"pci:00:16.8",
	"pci:00:20.0",
	"pci:100:00.0",
	"pci:0000:00:16.3",
	"pci:00:16.3x",
	/* settings */
	"com1,",
	"com1,,9600",
	",9600",
	"9600",
	"com1,0",
	"com1,9600n9",
	"com1,9600n4",
	"com1,9600x8",
	"com1,9600n88",
	"com1,n8",
	"com1,9600 n8",
	"com1,4294967296",
	"com1,100000",
	"com1,230400",
	"com1,9600,clock=1000",
	"com1,stride=4",
	"com1,stride=3",
	"com1,stride=",
	"com1,clock=",
	"com1,clock=0",
	"com1,clock=4294967296",
	"com1,parity=e",
	"mmio:0xfe034000,stride=8",
	"mmio:0xfe034000,115200,clock=4000000",
};

UNIT_TEST(test_bad)
{
	for (unsigned i = 0; i < array_size(bad); i++) {
		struct serial_word w;
		if (parse(bad[i], &w))
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(w.place, SERIAL_AUTO);
		assert_int_equal(w.at | w.baud | w.clock | w.stride, 0);
	}
}

/* Each beginning of a good word is read to its end and no further. */
UNIT_TEST(test_beginnings)
{
	for (unsigned i = 0; i < array_size(good); i++)
		for (size_t n = 0; n < strlen(good[i].text); n++) {
			struct serial_word w;
			char part[64] = "";
			memcpy(part, good[i].text, n);
			bool valid = parse(part, &w);
			assert_true(valid || w.place == SERIAL_AUTO);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
