/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first user program: everything else is its business (docs/abi.md, "Boot and roottask"). */
#pragma once

#include "platform/bootinfo.h"

struct cpu;
struct hip;

/*
 * Makes the roottask's PD, EC and SC from the first module and lets the SC compete for this CPU. Panics, saying why,
 * if the module is no program that can be run. Boot time: the module is read a page at a time (platform/phys.h),
 * wherever it is.
 */
void roottask_create(struct cpu *cpu, const struct boot_info *boot, const struct hip *hip);
