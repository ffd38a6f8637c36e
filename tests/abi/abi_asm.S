/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plain numbers of the interface are usable from assembly. */
#include <hedron/abi.h>

	.quad HEDRON_API_VERSION, HEDRON_SEL_NUM, HEDRON_SEL_EXC, HEDRON_USER_END
	.quad HEDRON_ROOT_UTCB, HEDRON_ROOT_HIP, HEDRON_ROOT_SEL_PD, HEDRON_EXC_STARTUP
