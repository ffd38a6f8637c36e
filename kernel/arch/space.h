/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces as the CPU sees them: the slot window, translations it may hold, the port bitmap. */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

struct pd;

/*
 * The word at OBJ_WINDOW + (i << shift) of the current PD; 0 if i is not below n, or nothing is mapped there. Has no
 * branch: for speculation, too, only these words are in reach. Not in NMI handlers: the load may fault.
 */
static always_inline u64 arch_window_load(u64 i, u64 n, int shift);

/*
 * When it returns, no CPU uses a translation of pd's host table (the nested table) that was valid before the call.
 * The range is a hint: [va, va + 2^order pages). Waits for NMI handlers of other CPUs; the caller holds no lock.
 */
void arch_tlb_flush(struct pd *pd, u64 va, unsigned order);
void arch_tlb_flush_guest(struct pd *pd);

/* Of a PD whose root table and slots are there: the kernel's half of its address space, the windows of slots and
 * ports, what goes into CR3. Cannot fail. arch_pd_free() takes it back from a PD that no CPU can still be in. */
void arch_pd_init(struct pd *pd);
void arch_pd_free(struct pd *pd);

/*
 * Maps pd->pio.host behind the TSSs in pd's private window; when it returns, no CPU uses the old mapping. The caller
 * holds no lock; several CPUs may call it at once, and a second call changes nothing. OOM: nothing changed.
 */
enum status arch_pio_bitmap_attach(struct pd *pd) must_check;

/*
 * Everybody is out of pd's guests when this returns, and stays out until pio.guests_stopped, which has been set
 * before, is cleared again. Locks of ports are held meanwhile: it waits for nothing but NMI handlers.
 */
void arch_guests_stop(struct pd *pd);

#include "space_inline.h"
