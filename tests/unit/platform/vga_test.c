/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "platform/console.h"
#include "platform/vga.h"

#define COLUMNS 80
#define ROWS 25

/* Exactly the frame: the sanitizer watches both ends. */
static u16 *frame;

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	if (!frame)
		frame = malloc(VGA_FRAME_SIZE);
	memset(frame, 0xa5, VGA_FRAME_SIZE);
	vga_init(frame);
	return 0;
}

/* The row's text without the blanks at its end; all of it must be light grey on black. */
static const char *row(unsigned r)
{
	static char text[COLUMNS + 1];
	unsigned length = 0;

	for (unsigned c = 0; c < COLUMNS; c++) {
		u16 cell = frame[r * COLUMNS + c];
		assert_int_equal(cell >> 8, 7);
		text[c] = (char)cell;
		if (text[c] != ' ')
			length = c + 1;
	}
	text[length] = '\0';
	return text;
}

static void scroll_clear(void)
{
	setup(NULL); /* forgets what the ring showed */
	for (unsigned r = 0; r < ROWS; r++)
		assert_string_equal(row(r), "");
}

UNIT_TEST(test_init)
{
	scroll_clear();
	assert_int_equal(host_out_count, 2); /* cursor off */
	assert_int_equal(host_out[0].port, 0x3d4);
	assert_int_equal(host_out[0].value, 0x0a);
	assert_int_equal(host_out[1].port, 0x3d5);
	assert_int_equal(host_out[1].value, 0x20);
}

UNIT_TEST(test_lines)
{
	scroll_clear();
	log_info("first");
	log_info("second\nthird");
	assert_string_equal(row(0), "first");
	assert_string_equal(row(1), "second");
	assert_string_equal(row(2), "third");
	assert_string_equal(row(3), "");
}

UNIT_TEST(test_long_line)
{
	scroll_clear();
	log_info("%080u", 1); /* fills the row: the newline is not a second one */
	log_info("%081u", 2);
	log_info("end");
	assert_int_equal(strlen(row(0)), 80);
	assert_string_equal(row(1) + 70, "0000000000");
	assert_string_equal(row(2), "2");
	assert_string_equal(row(3), "end");
}

UNIT_TEST(test_scroll)
{
	char text[16];

	scroll_clear();
	for (unsigned i = 0; i < 100; i++) {
		log_info("line %u", i);
		unsigned top = i < ROWS - 1 ? 0 : i - (ROWS - 2);
		for (unsigned r = 0; r < ROWS; r++) {
			snprintf(text, sizeof(text), "line %u", top + r);
			assert_string_equal(row(r), top + r <= i ? text : "");
		}
	}
	log_info("%s",
		 "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23\n24\n25\n26\n27");
	assert_string_equal(row(0), "4");
	assert_string_equal(row(23), "27");
	assert_string_equal(row(24), "");
}

/* While there is user land the lowest rows are its own; a panic may write there. */
UNIT_TEST(test_shared)
{
	char text[16];

	scroll_clear();
	for (unsigned i = 0; i < 20; i++)
		log_info("line %u", i);
	vga_share();
	for (unsigned r = 0; r < ROWS; r++) {
		snprintf(text, sizeof(text), "line %u", 20 - (VGA_KERNEL_ROWS - 1) + r);
		assert_string_equal(row(r), r < VGA_KERNEL_ROWS - 1 ? text : "");
	}
	for (unsigned c = 0; c < COLUMNS; c++)
		frame[VGA_KERNEL_ROWS * COLUMNS + c] = 0x0700 | 'u';
	log_info("more");
	assert_string_equal(row(VGA_KERNEL_ROWS - 2), "more");
	assert_string_equal(row(VGA_KERNEL_ROWS - 1), "");
	assert_int_equal(strlen(row(VGA_KERNEL_ROWS)), COLUMNS); /* it is left alone */

	console_seize();
	log_info("PANIC\nits second line");
	assert_string_equal(row(VGA_KERNEL_ROWS - 2), "more");
	assert_string_equal(row(VGA_KERNEL_ROWS - 1), "PANIC");
	assert_string_equal(row(VGA_KERNEL_ROWS), "its second line");
}

/* What has little to say stays where it is. */
UNIT_TEST(test_shared_early)
{
	scroll_clear();
	log_info("line");
	vga_share();
	assert_string_equal(row(0), "line");
	log_info("next");
	assert_string_equal(row(1), "next");
}

UNIT_FIXTURE(teardown)
{
	free(frame);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {TEST(init),         TEST(lines), TEST(long_line), TEST(scroll),
					   TEST(shared_early), TEST(shared)}; /* the last seizes for good */

	return cmocka_run_group_tests(tests, NULL, teardown);
}
