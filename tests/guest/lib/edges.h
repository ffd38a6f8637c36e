/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values at which arguments of hypercalls begin or cease to be right, for the fuzzers. */
#pragma once

#include <hedron/abi.h>
#include <stdint.h>

static const uint64_t edge_values[] = {
	0,
	1,
	2,
	0xfff,
	0x1000,
	0x400000, /* the image of a roottask */
	HEDRON_SEL_NUM - 1,
	HEDRON_SEL_NUM,
	0xffffffff,
	0x100000000,
	0x8000000000, /* what one entry of a PML4 spans */
	0x100000000000,
	HEDRON_ROOT_UTCB,
	HEDRON_ROOT_HIP,
	HEDRON_USER_END,
	0x800000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffff800000000000,
	0xffffffff80000000, /* the image of the kernel */
	0xfffffffffffff000,
	~0ul,
};
#define EDGE_VALUES (sizeof(edge_values) / sizeof(edge_values[0]))
