/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages with numbers, and what can be seen of them through an address. */
#pragma once

#include "guest.h"

#define MEMORY_NONE 0xffffffffu

extern struct utcb_item memory_got; /* of the last memory_give */
enum status memory_give(sel_t from_pd, sel_t to_pd, crd_t from, unsigned long meta, crd_t to);
#define EXPECT_GIVEN(from, meta, to) EXPECT_OK(memory_give(RT_SEL_PD, RT_SEL_PD, from, meta, to))

unsigned long memory_pages(unsigned count, unsigned align); /* executable; each knows its number */
unsigned long memory_number(unsigned long va);              /* of the page that is seen there, or MEMORY_NONE */
unsigned memory_rights(unsigned long va);                   /* PERM_MEM_* by trying; the page must be one of ours */

extern const struct test memory_table_tests[], memory_source_tests[];
