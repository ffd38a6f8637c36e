/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes ports out of the middle of ranges: what remains of a range are several, and what was derived from it belongs
 * to one of them each. Locking: the caller holds the lock of all ports.
 */
#pragma once

#include "space/pio_range.h"

/*
 * Takes `hole` from all that was derived from `outer`, which contains more than that, and with `self` from outer.
 * OOM: nothing changed.
 */
enum status pio_cut(struct pio_node *outer, struct block hole, bool self) must_check;
