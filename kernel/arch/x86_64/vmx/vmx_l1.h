/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L1 terminal fault (CVE-2018-3646): on some processors a guest reads speculatively whatever the data cache of its
 * core holds, by page-table entries of its own that are not present. There the cache is emptied before the guest goes
 * on after others than the kernel had the CPU. Manual: SDM vol. 4, IA32_FLUSH_CMD, IA32_ARCH_CAPABILITIES.
 */
#pragma once

#include "lib/types.h"

/* Of the running CPU. */
bool vmx_l1_leaks(void);
bool vmx_l1_can_flush(void);
void vmx_l1_flush(void);
