/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before everything else in the kernel's code: a memset() is not seen access by access, so what the CPU has
 * stored before, and holds back, has to become visible first. */
#pragma once

#include <stddef.h>

#define memset(p, c, n) interleave_memset(p, c, n)
void *interleave_memset(void *p, int c, size_t n);
