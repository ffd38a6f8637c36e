/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The consoles that the kernel has found, by which results can leave this machine. */
#include "probe.h"

#include "rt/hip.h"

static bool serial_line(void)
{
	const struct hip_gas *line = rt_hip_serial();

	if (!line)
		return false;
	probe_say("serial line: registers of %u bits at %s 0x%lx", line->bits,
		  line->space == HIP_GAS_PORTS ? "port" : "address", line->addr);
	return true;
}

static bool screen(void)
{
	const struct hip_framebuffer *fb = (const struct hip_framebuffer *)((const char *)rt_hip + HIP_FRAMEBUFFER);

	if (!(rt_hip->api_flg & HIP_EXT_FRAMEBUFFER))
		return false;
	probe_say("screen: %u x %u pixels of %u bits", fb->width, fb->height, fb->bits);
	return true;
}

static bool log_in_ram(void)
{
	if (!(rt_hip->api_flg & HIP_EXT_CONSOLE_KEEPS))
		return false;
	probe_say("log in RAM: what is said is kept over a warm reset");
	return true;
}

void probe_consoles(void)
{
	bool line, pixels, log;

	probe_heading("consoles");
	line = serial_line();
	pixels = screen();
	log = log_in_ram();
	if (!line && !log)
		probe_remark(PROBE_NOTE, "%s: the kernel's word log=ram keeps results until a collector fetches them",
			     pixels ? "people can read results here, programs cannot"
				    : "results cannot leave this machine");
}
