/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console of pixels, on a framebuffer in memory whose every byte counts: the sanitizer watches both ends, and
 * what is drawn is read back with the same font.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_log.h"
#include "lib/bits.h"
#include "platform/framebuffer.h"

#include <hedron/textgrid.h>

static struct hip_framebuffer fb;
static u8 *pixels;

static struct hip_framebuffer screen(u32 width, u32 height, u8 bits, u32 more_pitch)
{
	u8 green = bits == 16 ? 6 : bits == 15 ? 5 : 8, red = bits < 24 ? 5 : 8;

	return (struct hip_framebuffer){
		.addr = 0xc0000000,
		.pitch = width * ((bits + 7u) / 8) + more_pitch,
		.width = width,
		.height = height,
		.bits = bits,
		.red_at = (u8)(red + green),
		.red_size = red,
		.green_at = red,
		.green_size = green,
		.blue_size = red,
	};
}

/* An odd address: nothing says that a framebuffer is aligned to its pixels. */
static void start(u32 width, u32 height, u8 bits, u32 more_pitch)
{
	fb = screen(width, height, bits, more_pitch);
	pixels = malloc(framebuffer_size(&fb) + 1);
	memset(pixels, 0xa5, framebuffer_size(&fb) + 1);
	framebuffer_init(&fb, pixels + 1);
}

/* Consoles stay for ever: what is logged later goes to a screen that does. */
static void stop(void)
{
	static u8 parked[16 * 8 * 4];

	free(pixels);
	fb = screen(8, 16, 32, 0);
	framebuffer_init(&fb, parked);
}

static u32 pixel(u32 x, u32 y)
{
	u32 v = 0, bytes = (fb.bits + 7u) / 8;

	memcpy(&v, pixels + 1 + (u64)y * fb.pitch + (u64)x * bytes, bytes);
	return v;
}

static u32 white(void)
{
	return fb.bits == 15 ? 0x7fff : fb.bits == 16 ? 0xffff : 0xffffff;
}

static u32 scale(void)
{
	return textgrid_scale(&fb);
}

/* The character in a cell. All dots that make a pixel of the glyph must be the same. */
static char cell(u32 row, u32 column)
{
	u8 glyph[16] = {0};

	for (u32 y = 0; y < 16 * scale(); y++)
		for (u32 x = 0; x < 8 * scale(); x++) {
			u32 dot = pixel(column * 8 * scale() + x, row * 16 * scale() + y),
			    mask = 0x80u >> x / scale();
			assert_true(!dot || dot == white());
			if (!(x % scale()) && !(y % scale()) && dot)
				glyph[y / scale()] |= (u8)mask;
			assert_int_equal(!(glyph[y / scale()] & mask), !dot);
		}
	for (unsigned i = 0; i < HEDRON_FONT_COUNT; i++)
		if (!memcmp(glyph, framebuffer_font[i], 16))
			return (char)(HEDRON_FONT_FIRST + i);
	return '\0';
}

/* The row's text without the blanks at its end. */
static const char *row(u32 r)
{
	static char text[TEXTGRID_SIDE_MAX / 8 + 1];
	u32 length = 0;

	for (u32 c = 0; c < fb.width / (8 * scale()); c++) {
		text[c] = cell(r, c);
		if (text[c] != ' ')
			length = c + 1;
	}
	text[length] = '\0';
	return text;
}

UNIT_TEST(test_depths)
{
	static const u8 depths[] = {15, 16, 24, 32};
	static const u32 more[] = {0, 1, 3, 64};

	for (unsigned d = 0; d < array_size(depths); d++)
		for (unsigned p = 0; p < array_size(more); p++) {
			start(325, 24 * 16 + 9, depths[d], more[p]);
			log_info("The quick brown fox {%u} [~]", depths[d]);
			log_info("jumps");
			assert_int_equal(fb.first_row, 16 * 16);
			assert_string_equal(row(0), depths[d] == 15   ? "The quick brown fox {15} [~]"
						    : depths[d] == 16 ? "The quick brown fox {16} [~]"
						    : depths[d] == 24 ? "The quick brown fox {24} [~]"
								      : "The quick brown fox {32} [~]");
			assert_string_equal(row(1), "jumps");
			for (unsigned r = 2; r < 24; r++)
				assert_string_equal(row(r), "");
			stop();
		}
}

/* All there is, and each glyph is another one. */
UNIT_TEST(test_all_glyphs)
{
	start(8 * HEDRON_FONT_COUNT, 12 * 16, 32, 0);
	log_info("%s",
		 " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");
	for (unsigned i = 0; i < HEDRON_FONT_COUNT; i++)
		assert_int_equal(cell(0, i), ' ' + i);
	stop();
}

/* The loader's menu goes, everywhere, but for nothing behind the last row. */
UNIT_TEST(test_clears)
{
	start(333, 17 * 16 + 5, 24, 2);
	for (u64 i = 1; i <= framebuffer_size(&fb); i++)
		assert_int_equal(pixels[i], 0);
	assert_int_equal(pixels[0], 0xa5);
	stop();
}

/* Round and round in the kernel's part; the row below the newest line is blank, and user land's part stays so. */
UNIT_TEST(test_wraps)
{
	char text[16];
	const unsigned rows = 17;

	start(160, 51 * 16, 32, 0);
	for (unsigned i = 0; i < 3 * rows + 2; i++) {
		log_info("line %u", i);
		for (unsigned back = 0; back < rows - 1 && back <= i; back++) {
			snprintf(text, sizeof(text), "line %u", i - back);
			assert_string_equal(row((i - back) % rows), text);
		}
		assert_string_equal(row((i + 1) % rows), "");
	}
	for (unsigned r = rows; r < 51; r++)
		assert_string_equal(row(r), "");
	stop();
}

UNIT_TEST(test_long_lines)
{
	start(80, 16 * 16, 16, 0);
	log_info("0123456789"); /* fills the row: the newline is not a second one */
	log_info("abcdefghijKLM");
	assert_string_equal(row(0), "0123456789");
	assert_string_equal(row(1), "abcdefghij");
	assert_string_equal(row(2), "KLM");
	assert_string_equal(row(3), "");
	stop();
}

/* Screens with room for nothing, and for one character. Of small ones the kernel keeps all. */
UNIT_TEST(test_tiny)
{
	start(7, 16, 32, 0);
	log_info("nothing");
	stop();
	start(200, 15, 32, 1);
	log_info("nothing");
	stop();
	start(8, 16, 32, 0);
	log_info("ab");
	assert_int_equal(cell(0, 0), ' '); /* the line has ended */
	stop();
	start(100, 23 * 16 + 15, 32, 0);
	assert_int_equal(fb.first_row, fb.height);
	stop();
}

UNIT_TEST(test_huge)
{
	static const struct {
		u32 width, height, scale;
	} cases[] = {{1024, 768, 1},  {1920, 1080, 1}, {1920, 1280, 2}, {2560, 1440, 2},
		     {3840, 2160, 3}, {7680, 4320, 6}, {32767, 640, 1}, {640, 32767, 1}};

	for (unsigned i = 0; i < array_size(cases); i++) {
		start(cases[i].width, cases[i].height, i % 2 ? 32 : 24, 0);
		assert_int_equal(scale(), cases[i].scale);
		log_info("scale %u", cases[i].scale);
		assert_int_equal(cell(0, 0), 's');
		assert_int_equal(cell(0, 6), '0' + cases[i].scale);
		assert_int_equal(cell(0, 7), ' ');
		stop();
	}
}

/* ---- what the loader says ---- */

static struct boot_info boot;
static const struct range image = {0x6600000, 0x80000};

static void good(void)
{
	boot = (struct boot_info){.screen = BOOT_SCREEN_RGB, .framebuffer = screen(1024, 768, 32, 0), .map_count = 3};
	boot.map[0] = (struct boot_map){0, 0x9fc00, HIP_MEM_RAM};
	boot.map[1] = (struct boot_map){0x100000, 0x7ff00000, HIP_MEM_RAM};
	boot.map[2] = (struct boot_map){0xb0000000, 0x20000000, HIP_MEM_RESERVED};
	boot.module_count = 1;
	boot.module[0].image = (struct range){0xd0000000, 0x1000};
	fake_log_start();
}

static void accepted(void)
{
	framebuffer_check(&boot, image);
	assert_int_equal(boot.screen, BOOT_SCREEN_RGB);
	assert_true(fake_log_empty());
	good();
}

static void refused(const char *why)
{
	framebuffer_check(&boot, image);
	assert_int_equal(boot.screen, BOOT_SCREEN_UNKNOWN);
	assert_true(fake_log_has("is not used: "));
	assert_true(fake_log_has(why));
	good();
}

UNIT_TEST(test_checks)
{
	struct hip_framebuffer *f = &boot.framebuffer;

	good();
	accepted();
	f->addr = 0x100000000000;
	accepted();
	f->bits = 30, f->red_size = f->green_size = f->blue_size = 10;
	refused("its depth");
	f->bits = 8;
	refused("its depth");
	boot.screen = BOOT_SCREEN_INDEXED;
	refused("a palette");
	f->red_at = 25;
	refused("its colours");
	f->green_size = 0;
	refused("its colours");
	f->blue_size = 9;
	refused("its colours");
	f->blue_at = f->blue_size = 255;
	refused("its colours");
	f->pitch = 4095;
	refused("its width");
	f->width = 0;
	refused("its width");
	f->height = 32768;
	refused("its width");
	f->pitch = UINT32_MAX;
	refused("its width");
}

UNIT_TEST(test_memory)
{
	u64 size;

	good();
	size = framebuffer_size(&boot.framebuffer);
	boot.framebuffer.addr = 0;
	refused("its address");
	boot.framebuffer.addr = 0x80000000 - 1; /* the last byte of RAM */
	refused("its address");
	boot.framebuffer.addr = 0x80000000;
	accepted();
	boot.framebuffer.addr = 0xd0000000 - size;
	accepted();
	boot.framebuffer.addr = 0xd0000000 - size + 1; /* a module, wherever that is */
	refused("its address");
	boot.framebuffer.addr = UINT64_MAX - size;
	accepted();
	boot.framebuffer.addr = UINT64_MAX - size + 1;
	refused("its address");
	boot.map[1] = (struct boot_map){4 * GiB, UINT64_MAX, HIP_MEM_RAM}; /* wraps around, but holds nothing below */
	accepted();
	boot.map[1] = (struct boot_map){4 * GiB, UINT64_MAX, HIP_MEM_RAM};
	boot.framebuffer.addr = 5 * GiB;
	refused("its address");
	boot.map_count = 0;
	boot.framebuffer.addr = image.addr;
	refused("its address");
}

/* Text and nothing at all are nobody's fault. */
UNIT_TEST(test_no_pixels)
{
	good();
	boot.screen = BOOT_SCREEN_TEXT;
	framebuffer_check(&boot, image);
	assert_int_equal(boot.screen, BOOT_SCREEN_TEXT);
	boot.screen = BOOT_SCREEN_UNKNOWN;
	framebuffer_check(&boot, image);
	assert_true(fake_log_empty());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depths),    cmocka_unit_test(test_all_glyphs), cmocka_unit_test(test_clears),
		cmocka_unit_test(test_wraps),     cmocka_unit_test(test_long_lines), cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_huge),      cmocka_unit_test(test_checks),     cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_pixels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
