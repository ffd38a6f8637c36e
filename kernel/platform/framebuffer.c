/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/framebuffer.h"

#include "lib/bits.h"
#include "platform/console.h"
#include "platform/memmap.h"

#include <hedron/textgrid.h>

const u8 framebuffer_font[HEDRON_FONT_COUNT][HEDRON_FONT_HEIGHT] = {HEDRON_FONT_GLYPHS};

static struct textgrid grid;

u64 framebuffer_size(const struct hip_framebuffer *fb)
{
	return (u64)fb->pitch * fb->height;
}

static bool is_depth(u8 bits)
{
	return bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

/* Each colour has bits, all within the pixel, and none is another one's. */
static bool has_colours(const struct hip_framebuffer *fb)
{
	const u8 field[][2] = {
		{fb->red_at, fb->red_size}, {fb->green_at, fb->green_size}, {fb->blue_at, fb->blue_size}};
	u64 all = 0;

	for (unsigned i = 0; i < array_size(field); i++) {
		if (!field[i][1] || field[i][0] + field[i][1] > fb->bits)
			return false;
		u64 mask = bits_low(field[i][1]) << field[i][0];
		if (all & mask)
			return false;
		all |= mask;
	}
	return true;
}

static bool has_sides(const struct hip_framebuffer *fb)
{
	return fb->width && fb->width <= TEXTGRID_SIDE_MAX && fb->height && fb->height <= TEXTGRID_SIDE_MAX &&
	       fb->pitch >= fb->width * ((fb->bits + 7u) / 8) && framebuffer_size(fb) <= FRAMEBUFFER_SIZE_MAX;
}

/* Firmware keeps the screen's memory out of its map or says that it is reserved. If it is RAM, or in the way of
 * something, then the address is wrong. */
static bool has_memory(const struct boot_info *boot, struct range image)
{
	struct range screen = {boot->framebuffer.addr, framebuffer_size(&boot->framebuffer)};

	if (!screen.addr || screen.addr > UINT64_MAX - screen.size || range_overlaps(screen, image))
		return false;
	if (memmap_has_ram(boot, screen))
		return false;
	for (u32 i = 0; i < boot->module_count; i++)
		if (range_overlaps(screen, boot->module[i].image))
			return false;
	return true;
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const struct boot_info *boot, struct range image)
{
	const struct hip_framebuffer *fb = &boot->framebuffer;

	if (boot->screen == BOOT_SCREEN_INDEXED)
		return "its colours come from a palette";
	if (!is_depth(fb->bits))
		return "its depth is none of 15, 16, 24 and 32 bits";
	if (!has_colours(fb))
		return "its colours are no parts of a pixel";
	if (!has_sides(fb))
		return "its width, height or pitch makes no sense";
	return has_memory(boot, image) ? NULL : "its address is that of other memory";
}

void framebuffer_check(struct boot_info *boot, struct range image)
{
	const struct hip_framebuffer *fb = &boot->framebuffer;

	if (boot->screen != BOOT_SCREEN_RGB && boot->screen != BOOT_SCREEN_INDEXED)
		return;
	const char *fault = fault_of(boot, image);
	if (!fault)
		return;
	log_warn("screen of %ux%u pixels, %u bits each, pitch %u, at %#lx is not used: %s", fb->width, fb->height,
		 fb->bits, fb->pitch, fb->addr, fault);
	boot->screen = BOOT_SCREEN_UNKNOWN;
}

/* A panic with all registers, at 80 columns; a screen with room for little more is the kernel's. */
#define ROWS_OF_PANIC 16
#define ROWS_TO_SHARE 24

static u32 kernel_height(const struct hip_framebuffer *fb)
{
	u32 row = textgrid_row_height(fb), rows = fb->height / row;

	return rows < ROWS_TO_SHARE ? fb->height : (u32)max_u64(rows / 3, ROWS_OF_PANIC) * row;
}

/* A fence of any kind empties the buffers in which writes are combined (SDM vol. 3, 12.3.1): a panic's last line must
 * not stay in them. */
static void framebuffer_write(const char *text, size_t length)
{
	textgrid_write(&grid, text, length);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void framebuffer_init(struct hip_framebuffer *fb, void *at)
{
	static struct console console = {.write = framebuffer_write, .costly = true};

	fb->first_row = kernel_height(fb);
	textgrid_clear(fb, at);
	textgrid_init(&grid, fb, at, 0, fb->first_row, framebuffer_font);
	console_add(&console);
}
