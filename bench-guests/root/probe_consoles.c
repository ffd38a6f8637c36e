/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The consoles that the kernel has found, by which results can leave this machine. */
#include "probe.h"

#include "rt/fmt.h"
#include "rt/hip.h"

static bool serial_line(void)
{
	const struct hip_gas *line = rt_hip_serial();
	char state[32];

	if (!line) {
		probe_state(PROBE_FACT, "serial", "none", "no serial line");
		return false;
	}
	rt_snprintf(state, sizeof(state), "%s 0x%lx", line->space == HIP_GAS_PORTS ? "port" : "address", line->addr);
	probe_state(PROBE_FACT, "serial", state, "serial line: registers of %u bits at %s", line->bits, state);
	return true;
}

static bool screen(void)
{
	const struct hip_framebuffer *fb = (const struct hip_framebuffer *)((const char *)rt_hip + HIP_FRAMEBUFFER);
	char state[40];

	if (rt_hip->api_flg & HIP_EXT_TEXT) {
		rt_snprintf(state, sizeof(state), "%u x %u characters", fb->width, fb->height);
		probe_state(PROBE_FACT, "screen", state, "screen: %s of VGA's text mode", state);
		return true;
	}
	if (!(rt_hip->api_flg & HIP_EXT_FRAMEBUFFER)) {
		probe_state(PROBE_FACT, "screen", "none", "no screen");
		return false;
	}
	rt_snprintf(state, sizeof(state), "%u x %u pixels of %u bits", fb->width, fb->height, fb->bits);
	probe_state(PROBE_FACT, "screen", state, "screen: %s", state);
	return true;
}

static bool log_in_ram(void)
{
	bool kept = rt_hip->api_flg & HIP_EXT_CONSOLE_KEEPS;

	probe_state(PROBE_FACT, "ram_log", kept ? "on" : "off", "log in RAM: %s",
		    kept ? "what is said is kept over a warm reset" : "not asked for");
	return kept;
}

void probe_consoles(void)
{
	bool line, pixels, log;

	probe_heading("consoles");
	line = serial_line();
	pixels = screen();
	log = log_in_ram();
	if (line || log)
		probe_state(PROBE_FACT, "results", "can leave", "results can leave this machine");
	else if (pixels)
		probe_state(PROBE_NOTE, "results", "screen only",
			    "people can read results here, programs cannot: the kernel's word log=ram keeps them");
	else
		probe_state(PROBE_NOTE, "results", "cannot leave",
			    "results cannot leave this machine: the kernel's word log=ram keeps them");
}
