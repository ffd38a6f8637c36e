/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is private to a PD in the kernel's half: the slot window and, behind it, TSSs and I/O bitmap; its PCID. */
#pragma once

#include "lib/types.h"

/* Boot time: the tables that PDs without ports share. */
enum status pdspace_init(void) must_check;
