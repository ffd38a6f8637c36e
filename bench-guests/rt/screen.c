/* SPDX-License-Identifier: GPL-2.0-or-later */
/* If the kernel draws, it has cleared the screen, and draws above first_row; else that is 0. Locking: console.c's. */
#include "rt/screen.h"

#include "rt/hip.h"
#include "rt/map.h"

#include <hedron/textgrid.h>

static const textgrid_glyph font[HEDRON_FONT_COUNT] = {HEDRON_FONT_GLYPHS};
static struct textgrid grid; /* without rows at first */

void rt_screen_init(void)
{
	const struct hip_framebuffer *fb = (const void *)((const char *)rt_hip + HIP_FRAMEBUFFER);

	if (!rt_hip_valid() || !(rt_hip->api_flg & (HIP_EXT_FRAMEBUFFER | HIP_EXT_TEXT)))
		return;
	void *at = rt_map(fb->addr, (size_t)fb->pitch * fb->height, PERM_MEM_R | PERM_MEM_W);
	if (!at)
		return;
	if (rt_hip->api_flg & HIP_EXT_TEXT) {
		textgrid_init_text(&grid, fb, at);
		return;
	}
	if (!fb->first_row)
		textgrid_clear(fb, at);
	textgrid_init(&grid, fb, at, fb->first_row, fb->height, font);
}

unsigned rt_screen_columns(void)
{
	return grid.rows ? grid.columns : 0;
}

unsigned rt_screen_rows(void)
{
	return grid.rows;
}

void rt_screen_home(void)
{
	textgrid_home(&grid);
}

void rt_screen_write(const char *text, size_t len)
{
	textgrid_write(&grid, text, len);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* empties the buffers for combined writes: SDM vol. 3, 12.3.1 */
}
