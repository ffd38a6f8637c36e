/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suite `boot`: its tables, and what its entry point kept. */
#pragma once

#include "guest.h"

struct boot_xarea {
	uint8_t byte[4096];
} __attribute__((aligned(64)));

void boot_entry(void);

extern const struct test boot_state_tests[], boot_hip_tests[];
