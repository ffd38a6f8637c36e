/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lets others execute for a while. An emulator that counts instructions runs CPUs in turns, and a turn ends when a
 * timer is due: a comparator of the HPET decides after which instruction of the other CPU this one goes on. Where
 * CPUs run at once the time just passes.
 */
#pragma once

#include <stdint.h>

const char *latency_turn_init(void); /* null, or why that cannot be done here */
void latency_turn(uint64_t ticks);   /* returns when so many have passed */
