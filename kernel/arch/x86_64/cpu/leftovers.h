/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of the running CPU that firmware, or a kernel before this one, may have left in use. */
#pragma once

/* Sets them to their values after reset. Needs an IDT: a register that the CPU does not have faults. */
void leftovers_reset(void);
