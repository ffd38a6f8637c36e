/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charts as SVG: they need no script and no library, scale with the page and print well. */
#include "report/html.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 520, HEIGHT = 200, LEFT = 52, RIGHT = 12, TOP = 10, BOTTOM = 34, COLUMNS = 96, TICKS = 6 };

struct chart {
	FILE *out;
	double x_low, x_high, y_low, y_high;
};

static double x_of(const struct chart *c, double x)
{
	return LEFT + (x - c->x_low) / (c->x_high - c->x_low) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *c, double y)
{
	return HEIGHT - BOTTOM - (y - c->y_low) / (c->y_high - c->y_low) * (HEIGHT - TOP - BOTTOM);
}

/* Steps of 1, 2 or 5 times a power of ten. */
static double nice_step(double range)
{
	double step = range / TICKS, power = pow(10, floor(log10(step)));

	for (int factor = 1; factor <= 10; factor = factor == 2 ? 5 : factor * 2)
		if (factor * power >= step)
			return factor * power;
	return 10 * power;
}

static void begin(struct chart *c, const char *title)
{
	fprintf(c->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
	html_text(c->out, title);
	fprintf(c->out, "</title>\n<path class=\"axis\" fill=\"none\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP,
		HEIGHT - BOTTOM, WIDTH - RIGHT);
}

static void x_axis(const struct chart *c, const char *unit)
{
	double step = nice_step(c->x_high - c->x_low);

	for (double x = ceil(c->x_low / step) * step; x <= c->x_high; x += step)
		fprintf(c->out,
			"<path class=\"axis\" d=\"M%.1f %dv4\"/><text x=\"%.1f\" y=\"%d\" "
			"text-anchor=\"middle\">%.10g</text>\n",
			x_of(c, x), HEIGHT - BOTTOM, x_of(c, x), HEIGHT - BOTTOM + 16, x);
	fprintf(c->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT, HEIGHT - 4);
	html_text(c->out, unit);
	fputs("</text>\n", c->out);
}

static void y_axis(const struct chart *c, const char *suffix, double factor)
{
	double step = nice_step(c->y_high - c->y_low);

	for (double y = ceil(c->y_low / step) * step; y <= c->y_high; y += step)
		fprintf(c->out,
			"<path class=\"axis\" d=\"M%d %.1fh%d\" stroke-opacity=\".5\"/><text x=\"%d\" y=\"%.1f\" "
			"text-anchor=\"end\">%.6g%s</text>\n",
			LEFT, y_of(c, y), WIDTH - LEFT - RIGHT, LEFT - 5, y_of(c, y) + 4, y * factor, suffix);
}

/* Share of all values per column; those of a bin are taken as spread evenly over it. */
static void spread(const struct chart *c, const struct sample *s, double columns[COLUMNS])
{
	double per_column = (c->x_high - c->x_low) / COLUMNS, tick = sample_ticks(s, 1);

	for (size_t i = 0; i < s->hist.used; i++) {
		const struct bin *bin = &s->hist.bins[i];

		for (int part = 0; part < COLUMNS; part++) {
			double at = (double)bin->lower + ((double)part + 0.5) / COLUMNS * (double)bin->width;
			double column = floor((at * tick - c->x_low) / per_column);

			if (column >= 0 && column < COLUMNS)
				columns[(size_t)column] += (double)bin->count / (double)s->n / COLUMNS;
		}
	}
}

static void draw_area(const struct chart *c, const double columns[COLUMNS], const char *class)
{
	double width = (double)(WIDTH - LEFT - RIGHT) / COLUMNS;

	fprintf(c->out, "<path class=\"area %s\" d=\"M%d %d", class, LEFT, HEIGHT - BOTTOM);
	for (int i = 0; i < COLUMNS; i++)
		fprintf(c->out, "V%.1fh%.3f", y_of(c, columns[i]), width);
	fprintf(c->out, "V%dz\"/>\n", HEIGHT - BOTTOM);
}

static double low_of(const struct sample *s)
{
	return sample_ticks(s, hist_lower(&s->hist, s->min));
}

/* The tail beyond p99 would press all else into one column; it is in the table. */
static double high_of(const struct sample *s)
{
	return sample_ticks(s, hist_lower(&s->hist, s->p99) + hist_width(&s->hist, s->p99));
}

void chart_distribution(FILE *out, const struct sample *a, const struct sample *b, const char *unit)
{
	double of_a[COLUMNS] = {0}, of_b[COLUMNS] = {0}, most = 0;
	struct chart c = {out, low_of(a), high_of(a), 0, 1};

	if (b) {
		c.x_low = fmin(c.x_low, low_of(b));
		c.x_high = fmax(c.x_high, high_of(b));
		spread(&c, b, of_b);
	}
	spread(&c, a, of_a);
	for (int i = 0; i < COLUMNS; i++)
		most = fmax(most, fmax(of_a[i], of_b[i]));
	c.y_high = most > 0 ? 1.05 * most : 1;
	begin(&c, "distribution");
	x_axis(&c, unit);
	y_axis(&c, "%", 100);
	draw_area(&c, of_a, "a");
	if (b)
		draw_area(&c, of_b, "b");
	fputs("</svg>\n", out);
}

static void draw_points(const struct chart *c, const struct chart_point *points, size_t count)
{
	fputs("<path class=\"series\" d=\"", c->out);
	for (size_t i = 0; i < count; i++)
		fprintf(c->out, "%s%.1f %.1f", i ? "L" : "M", x_of(c, (double)i), y_of(c, points[i].value));
	fputs("\"/>\n", c->out);
	for (size_t i = 0; i < count; i++) {
		fprintf(c->out, "<circle class=\"b\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"><title>", x_of(c, (double)i),
			y_of(c, points[i].value));
		html_text(c->out, points[i].label);
		fputs("</title></circle>\n", c->out);
	}
}

static void draw_mean(const struct chart *c, const struct chart_point *points, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += points[i].value;
	fprintf(c->out, "<path class=\"mean\" d=\"M%.1f %.1fH%.1f\"/>\n", x_of(c, (double)from),
		y_of(c, sum / (double)(to - from)), x_of(c, (double)(to - 1)));
}

void chart_series(FILE *out, const struct chart_point *points, size_t count, const size_t *changes,
		  size_t change_count)
{
	struct chart c = {out, -0.5, (double)count - 0.5, INFINITY, -INFINITY};

	for (size_t i = 0; i < count; i++) {
		c.y_low = fmin(c.y_low, points[i].value);
		c.y_high = fmax(c.y_high, points[i].value);
	}
	double room = fmax((c.y_high - c.y_low) * 0.1, fmax(c.y_high * 0.005, 0.5));

	c.y_low -= room;
	c.y_high += room;
	begin(&c, "history");
	y_axis(&c, "", 1);
	for (size_t i = 0; i <= change_count; i++)
		draw_mean(&c, points, i ? changes[i - 1] : 0, i < change_count ? changes[i] : count);
	for (size_t i = 0; i < change_count; i++)
		fprintf(out, "<path class=\"change\" d=\"M%.1f %dV%d\"/>\n", x_of(&c, (double)changes[i] - 0.5), TOP,
			HEIGHT - BOTTOM);
	draw_points(&c, points, count);
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">results, oldest first</text>\n</svg>\n",
		WIDTH - RIGHT, HEIGHT - BOTTOM + 16);
}
