/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: Intel's specification updates of the processors, in which errata have the numbers given here. */
#include "cpu/errata.h"

/* Family and model of a signature. Steppings, the low four bits, are left out, because all are concerned; so are
 * reserved bits. SDM vol. 2, CPUID, figure 3-6. */
#define FAMILY_MODEL 0x0fff0ff0u

bool errata_monitor_misses_stores(u32 signature)
{
	switch (signature & FAMILY_MODEL) {
	case 0x000506c0: /* 06_5CH, Goldmont: APL30 */
	case 0x000606a0: /* 06_6AH, Ice Lake servers: ICX143 */
	case 0x000606c0: /* 06_6CH, the same core */
	case 0x000b06d0: /* 06_BDH, Lunar Lake: LNL030 */
		return true;
	}
	return false;
}
