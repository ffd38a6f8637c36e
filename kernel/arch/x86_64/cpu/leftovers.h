/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of the running CPU that firmware, or a kernel before this one, may have left in use. */
#pragma once

/* All as after reset, where that does no harm. Needs an IDT: the CPU need not have them. */
void leftovers_reset(void);
