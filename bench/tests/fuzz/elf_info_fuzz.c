/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/elf_info.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_info info;

	elf_info_read(&info, data, size);
	return 0;
}
