/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A victim that raises exceptions, and its handler. */
#pragma once

#include "regs.h"

struct event_case {
	sel_t events;
	struct server handler, victim;
	void (*code)(void);             /* what the victim runs */
	void (*answer)(struct utcb *u); /* what the handler does; null: reply with an MTD of 0 */
	unsigned count, vector;         /* events seen, the last one */
	bool survived;                  /* the victim's code came to its end */
	struct utcb seen;               /* the handler's UTCB when it was called */
};
extern struct event_case ev;

void event_prepare(void);
void event_handle(unsigned vector, unsigned long mtd); /* puts the handler's portal there */
void event_handle_all(unsigned long mtd);
enum status event_raise(void (*code)(void), void (*answer)(struct utcb *u)); /* ABORT: the victim was killed */

void raise_ud(void); /* ud2 */
extern const uint8_t raise_ud_at[], raise_ud_next[];

extern const struct test event_vector_tests[], event_state_tests[], event_kill_tests[];
