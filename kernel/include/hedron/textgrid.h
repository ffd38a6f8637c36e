/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text on a framebuffer: some rows of characters, from one edge of the screen to the other. The kernel and the
 * runtime of roottasks draw with it, each on rows of their own.
 *
 * The framebuffer is never read, because reads of such memory take a microsecond each: no copying, so no scrolling. A
 * new line goes below the last one, or from the lowest row to the uppermost; the row it is written to is cleared
 * before. So the newest line is the one above the blank row, and a row of text costs no more than two, one of
 * them blank, whatever the size of the screen. Glyphs are enlarged by a whole number that leaves room for about 120
 * columns and 40 rows.
 *
 * Locking: the caller's. Numbers are valid at any time: a panic may come in the middle of a line of somebody else.
 */
#pragma once

#include <hedron/font.h>
#include <hedron/hip.h>

enum {
	TEXTGRID_WIDTH_WANTED = HEDRON_FONT_COLUMNS * HEDRON_FONT_WIDTH,
	TEXTGRID_HEIGHT_WANTED = HEDRON_FONT_ROWS * HEDRON_FONT_HEIGHT,
	TEXTGRID_SCALE_MAX = 8,
	TEXTGRID_ROWS_MAX = 256,
	TEXTGRID_SIDE_MAX = 32767, /* pixels of a screen */
};

typedef uint8_t textgrid_glyph[HEDRON_FONT_HEIGHT];

struct textgrid {
	const textgrid_glyph *font; /* NULL: characters are stored, not drawn */
	uint8_t *at;                /* the first row's first pixel */
	uint32_t pitch;             /* bytes from one row of pixels to the next */
	uint32_t foreground;        /* a pixel; the background is 0 */
	uint32_t bytes, scale;
	uint32_t columns, rows, column, row;
	uint16_t used[TEXTGRID_ROWS_MAX]; /* cells of each row that may not be blank */
};

static inline uint32_t textgrid_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t textgrid_scale(const struct hip_framebuffer *fb)
{
	uint32_t scale = textgrid_min(fb->width / TEXTGRID_WIDTH_WANTED, fb->height / TEXTGRID_HEIGHT_WANTED);

	return textgrid_min(scale ? scale : 1, TEXTGRID_SCALE_MAX);
}

/* Rows of pixels in a row of characters. */
static inline uint32_t textgrid_row_height(const struct hip_framebuffer *fb)
{
	return HEDRON_FONT_HEIGHT * textgrid_scale(fb);
}

static inline uint32_t textgrid_colour(uint8_t at, uint8_t size)
{
	return (uint32_t)(((1ull << size) - 1) << at);
}

/* Rows of characters for the rows of pixels [from, to); `at` is where the framebuffer is mapped. Draws nothing. If
 * there is no room for a single character, all text is dropped. */
static inline void textgrid_init(struct textgrid *g, const struct hip_framebuffer *fb, void *at, uint32_t from,
				 uint32_t to, const textgrid_glyph *font)
{
	uint32_t scale = textgrid_scale(fb);

	g->font = font;
	g->at = (uint8_t *)at + (uint64_t)from * fb->pitch;
	g->pitch = fb->pitch;
	g->foreground = textgrid_colour(fb->red_at, fb->red_size) | textgrid_colour(fb->green_at, fb->green_size) |
			textgrid_colour(fb->blue_at, fb->blue_size);
	g->bytes = (fb->bits + 7u) / 8;
	g->scale = scale;
	g->columns = fb->width / (HEDRON_FONT_WIDTH * scale);
	g->rows = from < to ? textgrid_min((to - from) / (HEDRON_FONT_HEIGHT * scale), TEXTGRID_ROWS_MAX) : 0;
	g->column = g->row = 0;
	for (unsigned i = 0; i < TEXTGRID_ROWS_MAX; i++)
		g->used[i] = 0;
	if (!g->columns)
		g->rows = 0;
}

/* The same for a screen of VGA's text mode, whose rows are user land's from first_row on. */
static inline void textgrid_init_text(struct textgrid *g, const struct hip_framebuffer *fb, void *at)
{
	g->font = NULL;
	g->at = (uint8_t *)at + (uint64_t)fb->first_row * fb->pitch;
	g->pitch = fb->pitch;
	g->columns = fb->width;
	g->rows = fb->first_row < fb->height ? textgrid_min(fb->height - fb->first_row, TEXTGRID_ROWS_MAX) : 0;
	g->column = g->row = 0;
	for (unsigned i = 0; i < TEXTGRID_ROWS_MAX; i++)
		g->used[i] = (uint16_t)g->columns;
}

/* Any alignment will do: pitches are what they are. */
struct textgrid_word {
	uint64_t v;
} __attribute__((__packed__, __may_alias__));

/* Takes away what was on the whole screen: the loader's menu, or the maker's picture. */
static inline void textgrid_clear(const struct hip_framebuffer *fb, void *at)
{
	volatile struct textgrid_word *word = (volatile struct textgrid_word *)at;
	uint64_t size = (uint64_t)fb->pitch * fb->height;

	for (uint64_t i = 0; i < size / sizeof(*word); i++)
		word[i].v = 0;
	for (uint64_t i = size & -sizeof(*word); i < size; i++)
		((volatile uint8_t *)at)[i] = 0;
}

/* A row of pixels of a glyph, as bytes. Eight pixels are a multiple of eight bytes at any depth and scale. */
struct textgrid_line {
	struct textgrid_word word[TEXTGRID_SCALE_MAX * 4];
};

static inline void textgrid_expand(const struct textgrid *g, uint8_t bits, struct textgrid_line *line)
{
	uint8_t *to = (uint8_t *)line;

	for (unsigned mask = 0x80; mask; mask >>= 1)
		for (uint32_t s = 0; s < g->scale; s++)
			for (uint32_t b = 0; b < g->bytes; b++)
				*to++ = bits & mask ? (uint8_t)(g->foreground >> 8 * b) : 0;
}

/* Each store to a framebuffer counts, so they are as wide as can be, and stay as they are written here. */
static inline void textgrid_store(uint8_t *to, const struct textgrid_line *line, uint32_t words)
{
	volatile struct textgrid_word *at = (volatile struct textgrid_word *)to;

	for (uint32_t i = 0; i < words; i++)
		at[i].v = line->word[i].v;
}

#define TEXTGRID_GREY 0x0700 /* of VGA: light grey on black */

static inline void textgrid_put(const struct textgrid *g, uint32_t row, uint32_t column, char c)
{
	volatile uint16_t *cell = (volatile uint16_t *)(g->at + (uint64_t)row * g->pitch) + column;

	*cell = (uint16_t)(TEXTGRID_GREY | (c >= ' ' && c <= '~' ? c : ' '));
}

static inline void textgrid_draw(const struct textgrid *g, uint32_t row, uint32_t column, char c)
{
	if (!g->font) {
		textgrid_put(g, row, column, c);
		return;
	}
	uint32_t words = g->bytes * g->scale, glyph = (uint8_t)c - (uint32_t)HEDRON_FONT_FIRST;
	uint8_t *to = g->at + (uint64_t)row * HEDRON_FONT_HEIGHT * g->scale * g->pitch + 8ull * column * words;
	struct textgrid_line line;

	if (glyph >= HEDRON_FONT_COUNT)
		glyph = 0;
	const uint8_t *bits = g->font[glyph];
	for (unsigned y = 0; y < HEDRON_FONT_HEIGHT; y++) {
		if (!y || bits[y] != bits[y - 1]) /* most rows are as the one above */
			textgrid_expand(g, bits[y], &line);
		for (uint32_t s = 0; s < g->scale; s++, to += g->pitch)
			textgrid_store(to, &line, words);
	}
}

static inline void textgrid_clear_row(struct textgrid *g, uint32_t row)
{
	for (uint32_t c = 0; c < g->used[row]; c++)
		textgrid_draw(g, row, c, ' ');
	g->used[row] = 0;
}

/* Goes on in the next row, which is cleared. */
static inline void textgrid_next_row(struct textgrid *g)
{
	g->row = g->row + 1 < g->rows ? g->row + 1 : 0;
	g->column = 0;
	textgrid_clear_row(g, g->row);
}

/* Clears all rows, and begins with the uppermost. */
static inline void textgrid_home(struct textgrid *g)
{
	for (uint32_t row = 0; row < g->rows; row++)
		textgrid_clear_row(g, row);
	g->row = g->column = 0;
}

/* Characters without a glyph are shown as blanks; a line too long for a row is continued in the next. */
static inline void textgrid_write(struct textgrid *g, const char *text, size_t length)
{
	for (size_t i = 0; i < length && g->rows; i++) {
		if (text[i] == '\n' || g->column >= g->columns)
			textgrid_next_row(g);
		if (text[i] == '\n')
			continue;
		g->used[g->row] = (uint16_t)(g->column + 1);
		textgrid_draw(g, g->row, g->column++, text[i]);
	}
}
