/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stand-ins for what the spaces want from core and from the CPU. All are weak: a test that cares has its own.
 */
#include "arch/space.h"
#include "lib/compiler.h"
#include "space/pd.h"

#define weak __attribute__((weak))

weak struct pd pd_kernel = {.obj.type = KOBJ_PD};

weak void kobject_caps_gone(struct kobject *o)
{
	(void)o;
}

weak void arch_guests_stop(struct pd *pd)
{
	(void)pd;
}

weak enum status arch_pio_bitmap_attach(struct pd *pd)
{
	pd->pio.attached = true;
	return SUCCESS;
}
