/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's exit asks for. Manual: Intel SDM volume 3, "Basic exit reasons" and "Exit qualification". */
#pragma once

#include "vmm/vm.h"

struct cpuid_regs exit_machine_cpuid(uint32_t leaf, uint32_t subleaf); /* the machine's own instruction */
void exit_start(struct guest_cpu *cpu, uint8_t page); /* the processor begins in real mode, at that page */
void exit_handle(struct guest_cpu *cpu);
