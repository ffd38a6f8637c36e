/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers of a guest. What is not known here does not exist: the access is a #GP. */
#pragma once

#include "vmm/vm.h"

/* False: #GP. A write may change the state page; the bits of what it changed are added to cpu->changed. */
bool msr_read(const struct guest_cpu *cpu, uint32_t msr, uint64_t *value) RT_MUST_CHECK;
bool msr_write(struct guest_cpu *cpu, uint32_t msr, uint64_t value) RT_MUST_CHECK;
