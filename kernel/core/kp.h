/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel page: a page shared by the kernel and at most one place in user land.
 * Locking: `lock` guards `state`; `pd` and `va` belong to whoever has made the state KP_BUSY. Lifetime: a kernel page
 * refers to the PD that it is mapped in, and a vCPU refers to its kernel pages.
 */
#pragma once

#include "space/kobject.h"

#include <hedron/abi.h>

struct pd;

/* A change of the mapping flushes TLBs, that is, waits for other CPUs, so it cannot hold the lock. KP_BUSY keeps
 * others from beginning another change meanwhile. */
enum kp_state { KP_UNMAPPED, KP_BUSY, KP_MAPPED };

struct kp {
	struct kobject obj;

	/* immutable after create */
	void *page;

	/* guarded by the lock */
	struct spinlock lock;
	u8 state; /* enum kp_state */

	/* whoever has made the state KP_BUSY */
	struct pd *pd; /* where it is mapped */
	u64 va;
};

enum status kp_create(struct pd *parent, struct kp **out) must_check;
void kp_init_cache(void);
/* BAD_PAR: mapped already, unaligned, or above the user limit. BAD_CAP: kp or pd is dying. */
enum status kp_map(struct kp *kp, struct pd *pd, u64 va) must_check;
/* BAD_PAR: not mapped. BAD_CAP: dying. */
enum status kp_unmap(struct kp *kp) must_check;
/* The last reference is gone: user land loses it. */
void kp_retire(struct kp *kp);
void kp_free(struct kp *kp);
