/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a guest's page tables as its processor would. Manual: Intel SDM volume 3, chapter 4. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct walk_paging {
	uint64_t cr0, cr3, cr4, efer, rflags;
};

/* What the access is. The bits are those of a page fault's error code. */
enum walk_access { WALK_READ = 0, WALK_WRITE = 2, WALK_USER = 4 };
#define WALK_FAULT_PRESENT 1u /* in the error code: the page is there, and its rights do not do */

/* Guest memory: `size` bytes at `gpa`, null if they are not there. */
typedef void *walk_memory_fn(const void *arg, uint64_t gpa, uint64_t size);

/*
 * The guest-physical address behind a linear one, for an access made of enum walk_access; accessed and dirty bits are
 * set. False: a page fault with that error code. Protection keys are not known, guests have none.
 */
bool walk(const struct walk_paging *p, uint64_t linear, unsigned access, walk_memory_fn *memory, const void *arg,
	  uint64_t *gpa, unsigned *error);
