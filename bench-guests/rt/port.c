/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/port.h"

#include "rt/message.h"

enum status rt_ports(uint16_t base, unsigned order)
{
	return hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_pio(base, order), ITEM_DELEGATE | ITEM_HYPERVISOR,
			   rt_pio(base, order), NULL);
}
