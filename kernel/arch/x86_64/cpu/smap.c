/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/smap.h"

#include "lib/string.h"
#include "lib/types.h"

/* The places where entry/entry.inc has put a NOP of the length of CLAC. */
extern u8 *const clear_ac_sites_start[], *const clear_ac_sites_end[];

static const u8 clac[] = {0x0f, 0x01, 0xca};

void smap_setup(void)
{
	for (u8 *const *site = clear_ac_sites_start; site < clear_ac_sites_end; site++)
		memcpy(*site, clac, sizeof(clac));
}
