/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Class and build id of an ELF file. The data may be anything: nothing in it is trusted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct elf_info {
	bool is_64;
	char build_id[65]; /* hexadecimal, "" when there is none */
};

/* False when the data does not begin like an ELF file. */
bool elf_info_read(struct elf_info *info, const void *data, size_t size);
