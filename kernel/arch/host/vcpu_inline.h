/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake CPU's part of a vCPU: a guest that a test plays. */
#pragma once

#include "lib/types.h"

struct vcpu;

struct arch_vcpu {
	bool event;   /* the next entry injects one */
	bool retired; /* by its CPU */
};

/* host_reset() says that there is virtualization. */
extern bool host_has_vcpus;
/* Called for each entry of the guest, on its CPU: returns true if it exits, false if it is interrupted. NULL: it
 * exits at once, with reason 0. */
extern bool (*host_guest)(struct vcpu *v);
