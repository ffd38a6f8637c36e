/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's static variables: each run begins with what they are after boot. */
#pragma once

#include "lib/types.h"

extern char variables_data_begin[], variables_data_end[], variables_bss_begin[], variables_bss_end[];

/* Once, when everything is as it is to be at the beginning of each run. */
void variables_keep(void);
void variables_restore(void);
