/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is all memory back? What can be had is measured by creating kernel pages until there is no memory left, on each CPU
 * in turn: what a CPU keeps for itself is given back when it finds no more. A few pages may stay with each.
 */
#pragma once

#include "smp.h"

void memory_measure(void); /* remembers how much there is; call it before anything else */
bool memory_is_back(void); /* fails the test if much less can be had than then */
void memory_settle(void);  /* every CPU has done what it was told so far */
