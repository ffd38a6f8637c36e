/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines as dnsmasq 2.89 has written them for a machine with UEFI. */
#include "test.h"

#include "fleet/tftp_log.h"

#include <stdlib.h>
#include <string.h>

#define SENT(to) "dnsmasq-tftp[61]: sent /srv/boot/node/52-54-00-77-00-03/job.efi to " to
#define ABORTED(by) "dnsmasq-tftp[61]: error 8 User aborted the transfer received from " by

static struct tftp_log tftp;

static void expect(const char *line, const char *wanted)
{
	char *path = tftp_log_line(&tftp, "/srv/boot", line, strlen(line));

	if (!wanted)
		assert_null(path);
	else
		assert_string_equal(path, wanted);
	free(path);
}

UNIT_TEST(whole_files)
{
	expect(SENT("10.77.0.13"), "node/52-54-00-77-00-03/job.efi");
	expect(SENT("10.77.0.13"), "node/52-54-00-77-00-03/job.efi");
	expect("dnsmasq-tftp[61]: sent /srv/boot/undionly.kpxe to 10.77.0.11", "undionly.kpxe");
}

/* First UEFI asks for the size only. */
UNIT_TEST(aborted_transfers)
{
	expect(ABORTED("10.77.0.13"), NULL);
	expect(ABORTED("10.77.0.14"), NULL);
	expect(SENT("10.77.0.1"), "node/52-54-00-77-00-03/job.efi");
	expect(SENT("10.77.0.13"), NULL);
	expect(SENT("10.77.0.13"), "node/52-54-00-77-00-03/job.efi");
	expect(SENT("10.77.0.14"), NULL);
	for (int i = 0; i < 100; i++) {
		expect(ABORTED("10.77.0.15"), NULL);
		expect(SENT("10.77.0.15"), NULL);
	}
}

UNIT_TEST(other_lines)
{
	static const char *const lines[] = {
		"",
		"dnsmasq-dhcp[61]: 2824926163 sent size: 53 option: 67 bootfile-name  http://10.77.0.1/node/x to y",
		"dnsmasq-dhcp[61]: 1 client provides name: sent /srv/boot/x to 10.77.0.13",
		"dnsmasq-dhcp[61]: 1 vendor class: dnsmasq-tftp[61]: sent /srv/boot/x to 10.77.0.13",
		"dnsmasq-tftp[61]: TFTP root is /srv/boot",
		"dnsmasq-tftp[61]: sent /srv/boots/x to 10.77.0.13",
		"dnsmasq-tftp[61]: sent /srv/boot to 10.77.0.13",
		"dnsmasq-tftp[61]: sent /srv/boot/x",
		"dnsmasq-tftp[61]: file /srv/boot/x not found for 10.77.0.13",
		"dnsmasq-tftp[61]: failed sending /srv/boot/x to 10.77.0.13",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(aborted_transfers),
		cmocka_unit_test(other_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
