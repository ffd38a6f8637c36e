/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/modes.h"

#include "host/mem.h"

#include <math.h>
#include <stdlib.h>

static const double mass_needed = 0.05;

/* Counts of all bins from the first to the last that is used, the empty ones between them included. */
struct grid {
	const struct hist *hist;
	uint64_t first; /* ordinal */
	size_t count;
	double *density; /* values per bin, smoothed over neighbours */
};

enum { GRID_MAX = 4096 };

static double *spread(const struct hist *hist, uint64_t first, size_t count)
{
	double *raw = xcalloc(count, sizeof(*raw)), *smooth = xcalloc(count, sizeof(*smooth));

	for (size_t i = 0; i < hist->used; i++)
		raw[hist_ordinal(hist, hist->bins[i].lower) - first] += (double)hist->bins[i].count;
	for (size_t i = 0; i < count; i++)
		smooth[i] = raw[i] / 2 + ((i ? raw[i - 1] : 0) + (i + 1 < count ? raw[i + 1] : 0)) / 4;
	free(raw);
	return smooth;
}

static struct grid make_grid(const struct hist *hist)
{
	uint64_t first = hist_ordinal(hist, hist->bins[0].lower);
	uint64_t last = hist_ordinal(hist, hist->bins[hist->used - 1].lower);
	size_t count = (size_t)(last - first) + 1;

	return (struct grid){hist, first, count, count <= GRID_MAX ? spread(hist, first, count) : NULL};
}

/*
 * A valley divides two peaks when it is at most half as high as the lower of them, and by more than counts of this
 * size vary by chance.
 */
static bool divides(double valley, double peak)
{
	return valley <= peak / 2 && peak - valley > 3 * sqrt(peak);
}

static uint64_t bin_middle(const struct grid *g, size_t at)
{
	uint64_t lower = hist_of_ordinal(g->hist, g->first + at);

	return lower + (hist_width(g->hist, lower) - 1) / 2;
}

static void add_mode(const struct grid *g, struct mode *modes, size_t *count, size_t from, size_t to, size_t peak)
{
	while (from < peak && !(g->density[from] > 0))
		from++;
	while (to > peak + 1 && !(g->density[to - 1] > 0))
		to--;
	uint64_t low = hist_of_ordinal(g->hist, g->first + from), high = hist_of_ordinal(g->hist, g->first + to);
	double mass = (double)hist_between(g->hist, low, high) / (double)hist_total(g->hist);

	if (mass >= mass_needed && *count < MODES_MAX)
		modes[(*count)++] = (struct mode){bin_middle(g, peak), low, high, mass};
}

/* Walks from the left: a peak ends where a valley that divides is followed by another peak. */
static size_t split(const struct grid *g, struct mode *modes)
{
	size_t count = 0, from = 0, peak = 0, valley = 0;

	for (size_t i = 1; i < g->count; i++) {
		double here = g->density[i];

		if (here < g->density[valley])
			valley = i;
		if (valley > peak && divides(g->density[valley], g->density[peak]) &&
		    divides(g->density[valley], here)) {
			add_mode(g, modes, &count, from, valley, peak);
			from = valley;
			peak = valley = i;
		} else if (here > g->density[peak]) {
			peak = valley = i;
		}
	}
	add_mode(g, modes, &count, from, g->count, peak);
	return count;
}

/* In bins of 3%: finer ones hold so few values that chance makes valleys between them. */
enum { MODE_BITS = 5 };

size_t modes_find(const struct hist *hist, struct mode modes[MODES_MAX])
{
	struct hist coarse;
	size_t count = 0;

	if (!hist->used)
		return 0;
	coarse = hist_copy(hist);
	hist_coarsen(&coarse, MODE_BITS);
	struct grid grid = make_grid(&coarse);

	if (grid.density)
		count = split(&grid, modes);
	free(grid.density);
	hist_free(&coarse);
	return count;
}

static double share(const struct hist *hist, const struct mode *mode)
{
	return (double)hist_between(hist, mode->low, mode->high) / (double)hist_total(hist);
}

struct mode_shift modes_shift(const struct hist *a, const struct hist *b)
{
	struct mode of_a[MODES_MAX], of_b[MODES_MAX];
	size_t a_count = modes_find(a, of_a), b_count = modes_find(b, of_b);
	struct mode_shift shift = {0};
	double lost = 0, won = 0;

	for (size_t i = 0; i < a_count; i++) {
		double less = of_a[i].mass - share(b, &of_a[i]);

		if (less > lost) {
			lost = less;
			shift.from = of_a[i].place;
		}
	}
	for (size_t i = 0; i < b_count; i++) {
		double more = of_b[i].mass - share(a, &of_b[i]);

		if (more > won) {
			won = more;
			shift.to = of_b[i].place;
		}
	}
	shift.mass = fmin(lost, won) >= mass_needed && shift.from != shift.to ? fmin(lost, won) : 0;
	return shift;
}
