/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that the monitor does for the guest: on memory that is not there, and on strings of ports. */
#pragma once

#include "vmm/vm.h"

void exit_memory(struct guest_cpu *cpu);  /* an access to guest-physical memory that is not there */
void exit_strings(struct guest_cpu *cpu); /* INS, OUTS */
