/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 80x25 VGA text mode as a console. Manual: any VGA reference, CRT controller registers 0ah, 0eh, 0fh. */
#pragma once

#define VGA_FRAME_PHYS 0xb8000
#define VGA_FRAME_SIZE 4000

#define VGA_COLUMNS 80
#define VGA_ROWS 25
/* Of these rows the uppermost are the kernel's while there is user land. */
#define VGA_KERNEL_ROWS 10

/* Clears the screen at `frame`, hides the cursor and adds it to the consoles. Needs arch_outb(). */
void vga_init(void *frame);

/* Leaves the rows from VGA_KERNEL_ROWS on to user land, until a panic. One CPU runs, and nobody logs meanwhile.
 * Without a screen it does nothing. */
void vga_share(void);
