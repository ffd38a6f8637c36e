/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked before the kernel's objects, as variables_end.c is behind them: what lies between are the kernel's
 * variables. */
#include "variables.h"

char variables_data_begin[64] = {1};
char variables_bss_begin[64];
