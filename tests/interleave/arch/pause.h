/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before everything else: whoever spins lets the explorer know. */
#pragma once

void interleave_spin(void);
#define __builtin_ia32_pause() interleave_spin()
