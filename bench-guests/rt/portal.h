/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Portals. The handler runs on the local EC with its UTCB, which holds the message; when it returns, what the UTCB
 * holds then is the reply. (Replying at once with the message as it came: a raw portal at rt_portal_echo.)
 * Locking: none, only one EC creates.
 */
#pragma once

#include "rt/attr.h"
#include "rt/ec.h"

typedef void rt_handler(struct utcb *utcb, void *arg);

/* `mtd` says which state a message of the kernel brings, MTD_*; of a portal for calls it is 0. */
enum status rt_pt(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler, void *arg) RT_MUST_CHECK;
enum status rt_pt_at(sel_t pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler,
		     void *arg) RT_MUST_CHECK;

/* A portal that leads to an instruction. The stack pointer there is what the EC's last reply left. */
enum status rt_pt_raw(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, void (*entry)(void)) RT_MUST_CHECK;

/* The id of a portal made by the runtime points to one of these. */
struct rt_portal {
	rt_handler *handler;
	void *arg;
};
