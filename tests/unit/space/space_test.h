/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of spaces share: exhausting the heap, and PDs without an address space. */
#pragma once

#include "core/pd.h"
#include "host.h"
#include "mm/buddy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEST_HEAP (64 * MiB)

static void *hoarded; /* pages, linked through their first word */

/* Leaves `n` free pages in the heap. */
static inline void hoard_all_but(u64 n)
{
	while (buddy_free_pages() > n) {
		void **page = buddy_alloc(0);
		assert_non_null(page);
		*page = hoarded;
		hoarded = page;
	}
}

static inline void hoard_give_back(void)
{
	while (hoarded) {
		void **page = hoarded;
		hoarded = *page;
		buddy_free(page, 0);
	}
}

static inline unsigned below(unsigned n)
{
	return (unsigned)rand() % n;
}
