/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/disk.h"

#include <stddef.h>

static bool is_there(const struct disk *d, uint64_t at, uint64_t size)
{
	uint64_t end = disk_sectors(d) * DISK_SECTOR;

	return at <= end && size <= end - at;
}

/* What is left of the page that `at` is in, at most `size` bytes. */
static uint64_t in_page(uint64_t at, uint64_t size)
{
	uint64_t left = DISK_PAGE - at % DISK_PAGE;

	return size < left ? size : left;
}

static uint8_t *moved_page(const struct disk *d, uint64_t at)
{
	uint32_t number = d->moved[at / DISK_PAGE];

	return number ? d->pages + (number - 1) * DISK_PAGE : NULL;
}

bool disk_read(const struct disk *d, uint64_t at, uint8_t *to, uint64_t size)
{
	if (!is_there(d, at, size))
		return false;
	for (uint64_t n; size; at += n, to += n, size -= n) {
		const uint8_t *page = moved_page(d, at);

		n = in_page(at, size);
		__builtin_memcpy(to, page ? page + at % DISK_PAGE : d->image + at, n);
	}
	return true;
}

/* The last page of an image may be a part of one. */
static uint8_t *move_page(struct disk *d, uint64_t at)
{
	uint64_t from = at - at % DISK_PAGE;
	uint8_t *page = moved_page(d, at);

	if (page)
		return page;
	if (d->used == d->count)
		return NULL;
	page = d->pages + d->used * DISK_PAGE;
	__builtin_memcpy(page, d->image + from, in_page(from, d->size - from));
	d->moved[at / DISK_PAGE] = ++d->used;
	return page;
}

bool disk_write(struct disk *d, uint64_t at, const uint8_t *from, uint64_t size)
{
	if (!is_there(d, at, size))
		return false;
	for (uint64_t n; size; at += n, from += n, size -= n) {
		uint8_t *page = move_page(d, at);

		if (!page)
			return false;
		n = in_page(at, size);
		__builtin_memcpy(page + at % DISK_PAGE, from, n);
	}
	return true;
}
