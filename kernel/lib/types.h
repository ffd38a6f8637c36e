/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalar types of the kernel. Addresses of different worlds are structs: mixing them does not compile. */
#pragma once

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

typedef struct {
	u64 v;
} paddr_t; /* physical */

static always_inline paddr_t paddr(u64 v)
{
	return (paddr_t){v};
}

#define KiB (1ull << 10)
#define MiB (1ull << 20)
#define GiB (1ull << 30)

#define PAGE_BITS 12
#define PAGE_SIZE (1ull << PAGE_BITS)
#define PAGE_MASK (PAGE_SIZE - 1)
