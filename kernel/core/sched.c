/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sched.h"

void sched_init(struct sched *s)
{
	s->bitmap[0] = s->bitmap[1] = 0;
	for (unsigned p = 0; p < SCHED_PRIOS; p++)
		list_init(&s->queue[p]);
}
