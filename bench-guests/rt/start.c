/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/start.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/event.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/irq_ctrl.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/sel.h"

_Noreturn void rt_start(const struct hip *hip, unsigned cpu); /* called by start.S */

/* The console comes early, so that whatever goes wrong later can be said. */
_Noreturn void rt_start(const struct hip *hip, unsigned cpu)
{
	rt_hip_init(hip, cpu);
	rt_cmdline_init();
	rt_console_init();
	if (!rt_hip_valid())
		rt_panic("this kernel's information page is not one of API %u", HEDRON_API_VERSION / 1000);
	if (!rt_cmdline_whole())
		rt_panic("the command line does not end within %u bytes", RT_CMDLINE_MAX);
	rt_pool_init();
	RT_MUST(rt_exit_init(rt_sel()));
	rt_events_init();
	if (rt_arg("irq", 0))
		RT_MUST(hc_irq_open());
	rt_exit(main());
}
