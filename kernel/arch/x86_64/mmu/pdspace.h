/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the kernel's half that each PD has for itself: the slot window and, behind it, TSSs and I/O bitmap. */
#pragma once

#include "lib/types.h"

/* Boot time: the tables that PDs without ports share. */
enum status pdspace_init(void) must_check;
