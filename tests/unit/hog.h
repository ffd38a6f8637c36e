/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes the heap away, but for a few pages, so that an allocation fails where a test wants it to; and gives it back.
 */
#pragma once

#include "mm/page.h"

struct hog {
	void *blocks; /* linked through the first word; the order is in the second */
};

static inline void hog_take(struct hog *h, u64 leave)
{
	for (unsigned order = BUDDY_ORDERS; order--;)
		while (page_free_count() >= leave + (1ull << order)) {
			void **block = page_alloc_block(order);
			if (!block)
				break;
			block[0] = h->blocks;
			block[1] = (void *)(u64)order;
			h->blocks = block;
		}
}

static inline void hog_release(struct hog *h)
{
	while (h->blocks) {
		void **block = h->blocks;
		h->blocks = block[0];
		page_free_block(block, (unsigned)(u64)block[1]);
	}
}
