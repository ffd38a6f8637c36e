/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A heap in pieces. struct page is looked up by the number of a frame, and pieces may be far apart. So their parts of
 * the array are mapped at FRAME_MAP, and in between one page of zeros, again and again, by tables of which there is
 * one for all. Of a heap in one piece nothing of this is needed.
 */
#pragma once

#include "lib/types.h"
#include "platform/memmap.h"

/*
 * Makes the boot tables show all pieces, and the array, and hands the heap over to mm/page.h. Each piece has its part
 * of the array at its start; the tables are in the first one, behind it.
 */
void kframes_init(const struct memmap_heap *heap);

/* Enters what the boot tables have of the array into the kernel's PDPT of HEAP_MAP; nothing if it is in one piece. */
void kframes_share(u64 *pdpt);
