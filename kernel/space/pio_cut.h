/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes ports away from all ranges that were derived from one. Ranges that contain other ports, too, fall into parts.
 * Locking: locks the port spaces of all PDs that lose something (space/pio_lock_set.h); the caller holds no lock.
 */
#pragma once

#include "space/block.h"
#include "space/pio_range.h"

/*
 * Takes what lies in `within` of the first range that pd has at *at or above from all that was derived from it, and
 * with `self` from pd; *at is behind it then, or at the end of `within` if there was none. OOM: nothing changed.
 */
enum status pio_cut(struct pd *pd, struct block within, u64 *at, bool self) must_check;
