/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcpu_test.h"

#include "rt/start.h"

bool main(void)
{
	static const struct test *const tables[] = {
		vcpu_control_tests, vcpu_entry_tests,   vcpu_exit_tests,  vcpu_access_tests, vcpu_state_tests,
		vcpu_guest_tests,   vcpu_fpu_tests,     vcpu_cr_tests,    vcpu_msr_tests,    vcpu_event_tests,
		vcpu_window_tests,  vcpu_signal_tests,  vcpu_time_tests,  vcpu_memory_tests, vcpu_apic_tests,
		vcpu_life_tests,    vcpu_partial_tests, vcpu_debug_tests, vcpu_trace_tests,  NULL,
	};

	return guest_run_tables("vcpu", tables);
}
