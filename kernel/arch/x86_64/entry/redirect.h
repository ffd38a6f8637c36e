/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redirecting a trap frame: a handler that has a stack of its own (NMI, #DB, #MC) changes where its IRET leads to, so
 * that the kernel does not go on at the instruction that was interrupted.
 */
#pragma once

struct trap_frame;

/* The handler returns to `rip` in the kernel, with the main stack empty. */
void redirect_frame(struct trap_frame *f, const void *rip);

/*
 * The frame is one of user code. Its registers become the EC's, as if it had come in by a trap, and the handler
 * returns to the dispatcher. `event`: the vector of an exception to raise for the EC, or REDIRECT_NO_EVENT, if the EC
 * only has to go through the test of the hazards before it goes on.
 */
#define REDIRECT_NO_EVENT 0xff
void redirect_user(struct trap_frame *f, unsigned event);
