/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/tsc_choice.h"

#include "platform/console.h"
#include "platform/counter_rate.h"

#define AGREE_PPM 1000 /* beside what is uncertain about each */

static bool is_sane(const struct tsc_opinion *o)
{
	return o->khz >= COUNTER_KHZ_MIN && o->khz <= COUNTER_KHZ_MAX;
}

static bool agree(const struct tsc_opinion *a, const struct tsc_opinion *b)
{
	return counter_rate_apart(a->khz, b->khz) <= AGREE_PPM + a->ppm + b->ppm;
}

/* The first opinion that confirms number i, n if there is none. */
static unsigned find_witness(const struct tsc_opinion o[], unsigned n, unsigned i)
{
	for (unsigned j = 0; j < n; j++)
		if (j != i && is_sane(&o[j]) && (o[i].measured || o[j].measured) && agree(&o[i], &o[j]))
			return j;
	return n;
}

static unsigned find_first(const struct tsc_opinion o[], unsigned n)
{
	unsigned i = 0;

	while (i < n && !is_sane(&o[i]))
		i++;
	return i;
}

static void warn_of_others(const struct tsc_opinion o[], unsigned n, unsigned chosen)
{
	for (unsigned i = 0; i < n; i++) {
		if (o[i].khz && !is_sane(&o[i]))
			log_warn("TSC: %u kHz by %s make no sense", o[i].khz, o[i].name);
		else if (o[i].khz && chosen < n && !agree(&o[i], &o[chosen]))
			log_warn("TSC: %u kHz by %s do not fit the %u kHz by %s, which are used", o[i].khz, o[i].name,
				 o[chosen].khz, o[chosen].name);
	}
}

u32 tsc_choice_make(const struct tsc_opinion o[], unsigned n)
{
	unsigned chosen = 0, witness = n;

	while (chosen < n && (!is_sane(&o[chosen]) || (witness = find_witness(o, n, chosen)) == n))
		chosen++;
	if (chosen == n)
		chosen = find_first(o, n);
	warn_of_others(o, n, chosen);
	if (chosen == n)
		return 0;
	if (witness < n)
		log_info("TSC: %u kHz by %s, %u ppm from %s", o[chosen].khz, o[chosen].name,
			 counter_rate_apart(o[chosen].khz, o[witness].khz), o[witness].name);
	else
		log_info("TSC: %u kHz by %s, which nothing confirms", o[chosen].khz, o[chosen].name);
	return o[chosen].khz;
}
