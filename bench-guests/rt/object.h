/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities, and the kernel objects that need nothing else: protection domains, semaphores, scheduling contexts.
 * Locking: none, only one EC creates.
 */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

#define RT_QUANTUM 10000 /* microseconds; of all SCs the runtime makes */

enum status rt_revoke(sel_t sel) RT_MUST_CHECK; /* the capability itself and all below it */

/* Gives another PD the capability at `sel`, to be found at dst_sel there. BAD_PAR: there was nothing to give. */
enum status rt_delegate(sel_t sel, sel_t dst_pd, sel_t dst_sel, unsigned perm) RT_MUST_CHECK;

/*
 * A PD that sees the roottask's image (code, constants and data, shared) at the same addresses. Its selectors 0..31
 * are the boot CPU's event portals, so that ECs with event base 0 there start up and report faults like the
 * roottask's.
 */
enum status rt_pd(sel_t *pd) RT_MUST_CHECK;

enum status rt_sm(sel_t *sm, unsigned long count) RT_MUST_CHECK;

/* Lets the global EC run, with this priority. *sc 0: a new selector. */
enum status rt_sc(sel_t *sc, sel_t ec, unsigned prio) RT_MUST_CHECK;
