/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_values.h"

#include "rt/size.h"

/* Shell sort with Ciura's gaps: no recursion, and fast enough for some thousand values. */
void bench_values_sort(uint64_t *v, unsigned n)
{
	static const unsigned gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};

	for (unsigned g = 0; g < RT_ARRAY(gaps); g++) {
		for (unsigned i = gaps[g]; i < n; i++) {
			uint64_t x = v[i];
			unsigned j = i;

			for (; j >= gaps[g] && v[j - gaps[g]] > x; j -= gaps[g])
				v[j] = v[j - gaps[g]];
			v[j] = x;
		}
	}
}

uint64_t bench_values_least(const uint64_t *v, unsigned n)
{
	uint64_t min = v[0];

	while (--n)
		min = rt_min(min, v[n]);
	return min;
}
