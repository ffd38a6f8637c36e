/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparse physical memory that tests can write, in whole pages; what was not added cannot be read. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "lib/bits.h"
#include "platform/panic.h"

#define PHYSICAL_MAX 16

static struct {
	u64 pa, size;
	u8 *data;
} physical[PHYSICAL_MAX];
static unsigned physical_count;

/* Zeroed memory. */
static inline void physical_add(u64 pa, u64 size)
{
	kassert(physical_count < PHYSICAL_MAX && is_aligned(pa | size, PAGE_SIZE));
	u8 *data = calloc(1, size);
	physical[physical_count].pa = pa;
	physical[physical_count].size = size;
	physical[physical_count++].data = data;
	host_add_phys(pa, data, size);
}

static inline u8 *physical_at(u64 pa, u64 size)
{
	for (unsigned i = 0; i < physical_count; i++) {
		u64 offset = pa - physical[i].pa;
		if (offset < physical[i].size && size <= physical[i].size - offset)
			return physical[i].data + offset;
	}
	panic("the test writes where there is no memory: %#lx", pa);
}

static inline void physical_put(u64 pa, const void *data, u64 size)
{
	memcpy(physical_at(pa, size), data, size);
}
static inline void physical_put32(u64 pa, u32 v)
{
	physical_put(pa, &v, sizeof(v));
}
static inline void physical_put64(u64 pa, u64 v)
{
	physical_put(pa, &v, sizeof(v));
}

/* No memory at all. */
static inline void physical_reset(void)
{
	while (physical_count)
		free(physical[--physical_count].data);
	host_reset(4 * MiB);
}
