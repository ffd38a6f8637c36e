/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls: decode, check in the documented order, reserve, commit. Handlers return the status; further results go to self->regs, which
 * the exit reloads (rsi = OUT2, rdx = OUT3, rax = OUT4). A handler that gives up the CPU sets a hazard and returns.
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "core/sm.h"
#include "space/space_obj.h"

#include <hedron/abi.h>

struct hypercall {
	u64 arg1, arg2, arg3, arg4, arg5;
};

static always_inline u64 hc_sel(u64 arg1) { return arg1 >> 12; }
static always_inline unsigned hc_op(u64 arg1) { return arg1 >> 8 & 3; }

enum status sys_pd_create(struct ec *self, const struct hypercall *c);
enum status sys_pd_ctrl(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5, struct ec *self);
enum status sys_ec_create(struct ec *self, const struct hypercall *c);
enum status sys_ec_ctrl(struct ec *self, const struct hypercall *c);
enum status sys_sc_create(struct ec *self, const struct hypercall *c);
enum status sys_sc_ctrl(u64 arg1, struct ec *self);
enum status sys_pt_create(struct ec *self, const struct hypercall *c);
enum status sys_pt_ctrl(u64 arg1, u64 id);
enum status sys_sm_create(struct ec *self, const struct hypercall *c);
enum status sys_kp_create(struct ec *self, const struct hypercall *c);
enum status sys_kp_ctrl(const struct hypercall *c);
enum status sys_vcpu_create(const struct hypercall *c);
enum status sys_vcpu_ctrl(const struct hypercall *c);
enum status sys_machine_ctrl(struct ec *self, const struct hypercall *c);
enum status sys_revoke(struct ec *self, const struct hypercall *c);

/* ARG2 and ARG3 are the timeout, which must be zero: timeouts are an extension to come. */
static always_inline bool sys_sm_timeout(u64 time_high, u64 time_low) { return (u32)time_high | time_low; }

static always_inline enum status sys_sm_up(u64 arg1, u64 time_high, u64 time_low)
{
	struct sm *sm = (struct sm *)cap_lookup_object(hc_sel(arg1), KOBJ_SM, PERM_SM_UP);
	if (unlikely(!sm))
		return BAD_CAP;
	if (unlikely(sys_sm_timeout(time_high, time_low)))
		return BAD_PAR;
	return sm_up(sm);
}

static always_inline enum status sys_sm_down(u64 arg1, u64 time_high, u64 time_low, struct ec *self, bool all)
{
	struct sm *sm = (struct sm *)cap_lookup_object(hc_sel(arg1), KOBJ_SM, PERM_SM_DOWN);
	if (unlikely(!sm))
		return BAD_CAP;
	if (unlikely(sys_sm_timeout(time_high, time_low)))
		return BAD_PAR;
	return all ? sm_down_all(sm, self) : sm_down(sm, self);
}

/* The capability of a parent PD, which every creation needs; its permissions are those the new PD gets. */
struct pd *sys_parent(u64 sel, unsigned *perm);
static always_inline struct pd *sys_pd(u64 sel) { return (struct pd *)cap_lookup_object(sel, KOBJ_PD, 0); }
