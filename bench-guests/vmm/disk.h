/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk: an image that nobody changes, and pages of RAM for what was written. When these are used up, writes to
 * other pages fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DISK_PAGE 4096ul
#define DISK_SECTOR 512ul

struct disk {
	const uint8_t *image;
	uint64_t size;   /* bytes of the image */
	uint32_t *moved; /* for each page of it: 0, or 1 + the number of the page that has it now */
	uint8_t *pages;
	uint32_t count, used; /* of `pages` */
};

static inline uint64_t disk_sectors(const struct disk *d)
{
	return d->size / DISK_SECTOR; /* the rest of the image is out of reach */
}

/* `size` bytes from `at` on. False: they are not all there, or no page is left. */
bool disk_read(const struct disk *d, uint64_t at, uint8_t *to, uint64_t size);
bool disk_write(struct disk *d, uint64_t at, const uint8_t *from, uint64_t size);
