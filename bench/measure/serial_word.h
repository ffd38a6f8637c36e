/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word of the kernel's command line that names its serial line, looked at before a machine is booted for nothing.
 */
#pragma once

#include "host/error.h"

/*
 * Whether the kernel understands each `serial=` among these words (docs/abi.md has the forms). *baud: the rate that
 * the last of them asks for, 0 if none does.
 */
bool serial_word_check(const char *words, unsigned long *baud, struct error *error);
