/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzzers share: physical memory made of the input, and checks of what the kernel made of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* Called by libFuzzer for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

#define FUZZ_MEMORY_BASE 0x10000
#define FUZZ_MEMORY_SIZE 0x4000

static uint8_t fuzz_memory[FUZZ_MEMORY_SIZE];

/* All the physical memory there is: the input from FUZZ_MEMORY_BASE on, then zeroes. */
static inline void fuzz_load(const uint8_t *data, size_t size)
{
	static int added;

	if (!added++)
		host_add_phys(FUZZ_MEMORY_BASE, fuzz_memory, sizeof(fuzz_memory));
	if (size > sizeof(fuzz_memory))
		size = sizeof(fuzz_memory);
	memcpy(fuzz_memory, data, size);
	memset(fuzz_memory + size, 0, sizeof(fuzz_memory) - size);
}
