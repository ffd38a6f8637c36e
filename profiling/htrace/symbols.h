/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of functions, from the symbol table of an ELF file. */
#pragma once

#include "host/error.h"

#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint64_t address, size;
	char *name;
};

/* A loaded stretch of code: where it is in memory and in the file. */
struct symbols_code {
	uint64_t address, size, offset;
};

struct symbols {
	char *path; /* absolute */
	struct symbol *list;
	size_t count;
	struct symbols_code *code;
	size_t code_count;
};

bool symbols_load(struct symbols *symbols, const char *path, struct error *error) must_check;

/* The function an address is in; NULL when there is none. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address);

void symbols_free(struct symbols *symbols);
