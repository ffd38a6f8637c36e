/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control registers, and what the handlers of exits have in common. */
#pragma once

#include "vmm/vm.h"

/* 64-bit code; needs the segments. */
static inline bool exit_in_64(const struct utcb_state *s)
{
	enum { EFER_LMA = 1 << 10 };

	return s->efer & EFER_LMA && s->cs.ar & VMX_AR_LONG;
}

void exit_cr(struct guest_cpu *cpu); /* an access to one */

void exit_skip(struct guest_cpu *cpu); /* the guest goes on behind the instruction */
/* The guest goes on with an exception, whose error code is 0 if it has one. */
void exit_raise(struct guest_cpu *cpu, unsigned vector, bool has_error);
