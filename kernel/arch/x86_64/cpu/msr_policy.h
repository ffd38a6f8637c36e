/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which MSRs user land may touch through PD_CTRL: those that cannot hurt the kernel (docs/abi.md, PD_CTRL). */
#pragma once

#include "lib/types.h"

bool msr_policy_allows(u64 msr, bool write);
