/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the compiler checks for us, and the size of arrays. */
#pragma once

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define must_check __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
