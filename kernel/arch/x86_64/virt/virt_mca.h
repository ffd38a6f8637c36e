/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine checks that hit a guest. */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

struct cpu;

/* False: the guest goes on, after a test of the hazards that the machine check may have set. */
cold bool virt_mca_ends_run(struct cpu *cpu);
