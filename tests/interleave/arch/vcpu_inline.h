/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a vCPU of the machine of tests/interleave: a guest that does nothing. */
#pragma once

#include "lib/types.h"

struct arch_vcpu {
	bool retired; /* by its CPU */
};
