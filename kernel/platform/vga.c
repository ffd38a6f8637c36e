/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/vga.h"

#include "arch/ports.h"
#include "lib/string.h"
#include "platform/console.h"

enum { COLUMNS = VGA_COLUMNS, ROWS = VGA_ROWS, BLANK = 0x0720, ATTRIBUTE = 0x0700 };

/* CRT controller: cursor start register, and its bit that switches the cursor off. */
enum { CRTC_INDEX = 0x3d4, CRTC_DATA = 0x3d5, CURSOR_START = 0x0a, CURSOR_OFF = 0x20 };

/* A copy of what is on the screen, for scrolling: reading the frame buffer is slow. */
static u16 screen[ROWS][COLUMNS];
static u16 *frame;
static unsigned row, column, rows; /* rows: the kernel's */

_Static_assert(sizeof(screen) == VGA_FRAME_SIZE, "one screen");

static void show_rows(unsigned from, unsigned to)
{
	memcpy(frame + from * COLUMNS, screen[from], (to - from) * sizeof(screen[0]));
}

static void clear_row(unsigned r)
{
	for (unsigned c = 0; c < COLUMNS; c++)
		screen[r][c] = BLANK;
}

static void scroll(unsigned by)
{
	memmove(screen[0], screen[by], (ROWS - by) * sizeof(screen[0]));
	for (unsigned r = ROWS - by; r < ROWS; r++)
		clear_row(r);
	row -= by;
}

/* Begins a new line. True: the screen has scrolled. */
static bool next_line(void)
{
	column = 0;
	if (++row < rows)
		return false;
	scroll(1);
	return true;
}

static void vga_write(const char *text, size_t length)
{
	unsigned first = row;
	bool scrolled = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' || column == COLUMNS)
			scrolled |= next_line();
		if (text[i] != '\n')
			screen[row][column++] = (u16)(ATTRIBUTE | (u8)text[i]);
	}
	show_rows(scrolled ? 0 : first, row + 1);
}

/* A panic goes on below what the kernel has said, over what user land has. */
static void vga_seize(void)
{
	rows = ROWS;
}

void vga_share(void)
{
	if (!frame)
		return;
	rows = VGA_KERNEL_ROWS;
	if (row >= rows)
		scroll(row - (rows - 1));
	show_rows(0, ROWS);
}

void vga_init(void *at)
{
	static struct console console = {.write = vga_write, .seize = vga_seize, .costly = true};

	frame = at;
	row = column = 0;
	rows = ROWS;
	for (unsigned r = 0; r < ROWS; r++)
		clear_row(r);
	show_rows(0, ROWS);
	arch_outb(CRTC_INDEX, CURSOR_START);
	arch_outb(CRTC_DATA, CURSOR_OFF);
	console_add(&console);
}
