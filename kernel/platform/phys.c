/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/phys.h"

#include "arch/memory.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Maps the part of [pa, pa + *size) that lies in the first page, and makes *size its length. NULL: it cannot be
 * mapped. */
static const void *map_part(u64 pa, u64 *size)
{
	*size = min_u64(*size, PAGE_SIZE - (pa & PAGE_MASK));
	return arch_phys_map(paddr(pa), *size);
}

static bool wraps(u64 pa, u64 size)
{
	return size && pa + (size - 1) < pa;
}

bool phys_read(u64 pa, void *to, u64 size)
{
	u8 *out = to;

	if (wraps(pa, size))
		return false;
	for (u64 part; size; size -= part, pa += part, out += part) {
		part = size;
		const u8 *in = map_part(pa, &part);
		if (!in)
			return false;
		memcpy(out, in, part);
	}
	return true;
}

bool phys_sum(u64 pa, u64 size, u8 *sum)
{
	if (wraps(pa, size))
		return false;
	for (u64 part; size; size -= part, pa += part) {
		part = size;
		const u8 *in = map_part(pa, &part);
		if (!in)
			return false;
		for (u64 i = 0; i < part; i++)
			*sum = (u8)(*sum + in[i]);
	}
	return true;
}

u64 phys_strnlen(u64 pa, u64 max)
{
	u64 length = 0;

	if (wraps(pa, max))
		return max;
	while (length < max) {
		u64 part = max - length;
		const char *in = map_part(pa + length, &part);
		if (!in)
			return max;
		u64 n = strnlen(in, part);
		length += n;
		if (n < part)
			break;
	}
	return length;
}
