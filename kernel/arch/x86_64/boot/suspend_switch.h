/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaving a call stack by reset, and coming back to it (suspend_switch.S). */
#pragma once

#include "lib/types.h"

/*
 * Calls fn() with the stack pointer to come back to in *stack. False: fn() has returned. True: the CPU was reset
 * meanwhile, and suspend_switch_back() was called with *stack; general registers and the stack are as they were,
 * nothing else is.
 */
bool suspend_switch(u64 *stack, void (*fn)(void));
__attribute__((noreturn)) void suspend_switch_back(u64 stack);
