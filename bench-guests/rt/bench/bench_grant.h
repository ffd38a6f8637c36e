/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of one hypercall that delegates or revokes within the own PD, so that the result can be looked at. */
#pragma once

#include "rt/bench/bench.h"
#include "rt/hypercall.h"

struct bench_grant {
	crd_t source, target;
	unsigned long meta;
	crd_t revoked; /* undoes the delegation, with the flags given below */
};

HC_ALWAYS enum status bench_delegate(const struct bench_grant *g)
{
	return hc_delegate(RT_SEL_PD, RT_SEL_PD, g->source, g->meta, g->target, NULL);
}

HC_ALWAYS uint64_t bench_time_delegate(const struct bench_grant *g, unsigned flags)
{
	enum status st;
	uint64_t t = BENCH(st = bench_delegate(g));

	bench_status(st);
	bench_status(hc_revoke(g->revoked, flags, 0));
	return t;
}

/* Of what has been delegated before. */
HC_ALWAYS uint64_t bench_time_revoke(const struct bench_grant *g, unsigned flags)
{
	enum status st;
	uint64_t t = BENCH(st = hc_revoke(g->revoked, flags, 0));

	bench_status(st);
	return t;
}
