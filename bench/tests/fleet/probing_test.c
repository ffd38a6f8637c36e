/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that the probe looks at before they measure. */
#include "program.h"

#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* What the probe says about the machine of real.log, when it is switched on for the time-th time. */
static void says_of_itself(const char *name, unsigned time, const char *cpus, const char *weight)
{
	char *to = xasprintf("%s.say.%u", name, time), *text;

	text = xasprintf("Hedron Hypervisor 13.2.0 release gcc 12.2.0 [MB1]\n"
			 "HBENCH {\"type\":\"run\",\"protocol\":1,\"suite\":\"probe\",\"kernel\":\"\",\"api\":13002,"
			 "\"cpu\":\"Example CPU @ 2.0GHz\",\"vendor\":\"AuthenticAMD\",\"family\":6,\"model\":6,"
			 "\"stepping\":3,\"tsc_khz\":2000000,\"tsc_invariant\":true,\"cpus\":%s,\"cmdline\":\"\"}\n"
			 "HBENCH {\"type\":\"finding\",\"name\":\"turbo\",\"weight\":\"%s\",\"state\":\"on\","
			 "\"why\":\"turbo is on\"}\n"
			 "HBENCH {\"type\":\"end\",\"lines\":2}\n",
			 cpus, weight);
	write_file(to, text, strlen(text));
	free(text);
	free(to);
}

static void lab_with_probe(const char *probe)
{
	char *more = xasprintf("  probe: {%s}\n", probe);

	forget_everything();
	begin_lab("");
	add_machine("good", more);
	says("good", 0, "real");
	free(more);
}

UNIT_TEST(looked_at_by_the_probe)
{
	lab_with_probe("when: run, seconds: 5");
	says_of_itself("good", 1, "1", "doubt");
	expect(0, RUN "-o run1");
	has("good     probe      1         1  ok       fit   fit to measure: 0 obstacles, 1 doubt");
	has("good     ipc        1         1  ok");
	read_file("run1/good/ipc/result.json");
	has("turbo is on");
	read_file("run1/results.html");
	has("turbo");
	assert_true(exists("run1/good/probe/result.json"));
	assert_false(exists("probes"));
	says_of_itself("good", 3, "1", "obstacle"); /* the second run looks anew, and warns only */
	expect(0, RUN "-o run2");
	has("warning: not fit to measure: 1 obstacle, 0 doubts; turbo is on");
	has("good     probe      1         1  ok       not fit");
	assert_true(exists("run2/good/ipc/result.json"));
}

UNIT_TEST(unfit_machines_are_refused)
{
	lab_with_probe("when: run, unfit: refuse, seconds: 5");
	says_of_itself("good", 1, "1", "obstacle");
	expect(4, RUN "-o run1");
	has("good     probe      1         1  unfit machine        not fit to measure: 1 obstacle, 0 doubts; turbo "
	    "is on");
	has("good     ipc        0         0  unfit machine");
	expect_off("good");
	says_of_itself("good", 2, "1", "note"); /* mended */
	expect(0, "fleet run --resume run1");
	has("good     probe      1         1  ok");
	has("good     ipc        1         1  ok");
	/* What says nothing of itself is not known to be fit. */
	says("good", 4, "fail");
	expect(4, RUN "-o run2");
	has("good     probe      0         1  wrong image");
	has("good     ipc        0         0  unfit machine");
}

UNIT_TEST(looked_at_once)
{
	lab_with_probe("when: once, seconds: 5");
	says_of_itself("good", 1, "1", "note");
	expect(0, RUN "-o run1");
	assert_true(exists("probes/good.json"));
	expect(0, RUN "-o run2"); /* where only the second boot of the first run is repeated */
	has("good     probe      0         0  ok       fit   fit to measure: 0 obstacles, 0 doubts; found out at ");
	has("good     ipc        1         1  ok");
	read_file("run2/good/ipc/result.json");
	has("turbo is on");
	/* Another number of CPUs: what was found out does not hold any more. */
	lab_with_probe("when: once, seconds: 5");
	says_of_itself("good", 1, "4", "note");
	expect(0, RUN "-o run3");
	has("nothing of the probe is kept with it: the probe was on another machine:");
	assert_false(exists("probes/good.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looked_at_by_the_probe),
		cmocka_unit_test(unfit_machines_are_refused),
		cmocka_unit_test(looked_at_once),
	};

	return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
