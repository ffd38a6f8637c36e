/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen of pixels as a console. The kernel draws on the upper third of it, for as long as it runs, and leaves the
 * rest to user land, which finds the border in the information page. Locking: that of the consoles.
 */
#pragma once

#include "platform/bootinfo.h"

#include <hedron/font.h>

/* start.S draws with it, too. */
extern const u8 framebuffer_font[HEDRON_FONT_COUNT][HEDRON_FONT_HEIGHT];

#define FRAMEBUFFER_SIZE_MAX (512 * MiB)

/* Looks at what the loader says of a screen of pixels. If it makes no sense, or means memory that is something else,
 * there is a line in the log, and boot->screen is BOOT_SCREEN_UNKNOWN afterwards. */
void framebuffer_check(struct boot_info *boot, struct range image);

/* Bytes from fb->addr to the end of the last row. */
u64 framebuffer_size(const struct hip_framebuffer *fb);

/* Clears the screen, which is mapped at `at`, and adds it to the consoles; tells user land where its part begins. */
void framebuffer_init(struct hip_framebuffer *fb, void *at);
