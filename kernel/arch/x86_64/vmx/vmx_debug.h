/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * #DB of guests. It always exits: with a breakpoint on what its own delivery touches, a processor would deliver one
 * after the other, and neither NMIs nor the timer would get a turn (CVE-2015-8104). What the VMM did not ask for goes
 * to the guest at the next entry. Manual: SDM vol. 3, 18.3 (debug exceptions), 27.6 (event injection), 28.1.
 */
#pragma once

#include "lib/types.h"

struct vcpu;

/* The exit was a #DB, with this interruption information: the next entry delivers it as the CPU would have. */
void vmx_debug_deliver(struct vcpu *v, u32 info);
