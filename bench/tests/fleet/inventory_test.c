/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fleet/inventory.h"
#include "fleet/script.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>

#define LAB \
	"lab:\n  name: lab1\n  network: {interface: br0, address: 10.77.0.1, first: 10.77.0.50, last: 10.77.0.99}\n"
#define CONSOLE "    console: {type: tty, device: /dev/ttyS0}\n"
#define POWER "    power: {type: command, on: [a, \"{name}\"], off: [b, \"{mac}\"]}\n"
#define MACHINE(name, mac) "  - name: " name "\n    mac: " mac "\n" CONSOLE POWER
#define GOOD LAB "machines:\n" MACHINE("one", "52:54:00:77:00:01") MACHINE("two", "52:54:00:77:00:AB")

static struct inventory *parse(const char *text, struct inventory_problems *problems)
{
	*problems = (struct inventory_problems){0};
	return inventory_parse(text, strlen(text), "lab.yaml", problems);
}

static struct inventory *good(const char *text)
{
	struct inventory_problems problems;
	struct inventory *inventory = parse(text, &problems);

	inventory_print_problems(&problems);
	assert_int_equal(problems.count, 0);
	assert_non_null(inventory);
	return inventory;
}

/* Refused, with a problem that says all of this. */
static void bad(const char *text, const char *wanted)
{
	struct inventory_problems problems;
	bool found = false;

	assert_null(parse(text, &problems));
	assert_true(problems.count > 0);
	for (unsigned i = 0; i < problems.count; i++) {
		char *whole = xasprintf("%s|", problems.text[i]); /* so that tests can ask for the end */

		found = found || strstr(whole, wanted);
		free(whole);
	}
	if (!found)
		fail_msg("`%s` is not in `%s`", wanted, problems.text[0]);
	inventory_free_problems(&problems);
}

UNIT_TEST(complete_with_defaults)
{
	struct inventory *lab = good(GOOD);
	const struct inventory_machine *two = inventory_find(lab, "two");

	assert_int_equal(lab->machines_count, 2);
	assert_string_equal(two->mac, "52:54:00:77:00:ab");
	assert_string_equal(two->baseline, "two");
	assert_int_equal(two->after, AFTER_OFF);
	assert_int_equal(two->timeouts.boot, 180);
	assert_int_equal(*two->timeouts.settle, 2);
	assert_int_equal(*two->retries, 1);
	assert_int_equal(two->console.speed, 115200);
	assert_int_equal(lab->lab.network.http_port, 8080);
	assert_string_equal(lab->lab.network.user, "nobody");
	assert_int_equal(*lab->lab.folders.boot, '/');
	assert_true(inventory_allows(two, "ipc"));
	assert_null(inventory_find(lab, "three"));
	inventory_free(lab);
}

UNIT_TEST(settings_of_lab_and_machine)
{
	struct inventory *lab = good(
		"lab:\n  name: x\n  after: leave\n  retries: 0\n  timeouts: {boot: 7, settle: 0}\n"
		"  directories: {baselines: base, runs: /r}\n  database: postgresql://lab/x\n"
		"machines:\n- name: a\n  boot: itself\n  tags: [fast, lab1]\n  suites: [ipc]\n  timeouts: {boot: 9}\n"
		"  metric: instructions\n  firmware: uefi\n"
		"  console: {type: tcp, address: 'srv:4001'}\n"
		"  power: {type: ipmi, host: bmc1, user: u, password_file: secret}\n");
	const struct inventory_machine *a = &lab->machines[0];

	assert_int_equal(a->after, AFTER_LEAVE);
	assert_int_equal(*a->retries, 0);
	assert_int_equal(a->timeouts.boot, 9);
	assert_int_equal(*a->timeouts.settle, 0);
	assert_int_equal(a->firmware, FIRMWARE_UEFI);
	assert_string_equal(inventory_metric_name(a), "instructions");
	assert_string_equal(lab->lab.folders.runs, "/r");
	assert_string_equal(lab->lab.database, "postgresql://lab/x");
	assert_non_null(strstr(a->power.bmc.password_file, "/secret"));
	assert_int_equal(a->power.bmc.port, 623);
	assert_int_equal(a->power.bmc.privilege, PRIVILEGE_ADMINISTRATOR);
	assert_null(a->power.bmc.cipher_suite);
	assert_true(inventory_has_tags(a, "lab1") && inventory_has_tags(a, "fast,lab1") && inventory_has_tags(a, ""));
	assert_false(inventory_has_tags(a, "lab") || inventory_has_tags(a, "fast,slow"));
	assert_true(inventory_allows(a, "ipc"));
	assert_false(inventory_allows(a, "sm"));
	inventory_free(lab);
}

UNIT_TEST(probes)
{
	struct inventory *lab = good("lab:\n  name: x\n  probe: {when: run, seconds: 5}\n  timeouts: {silence: 10}\n"
				     "machines:\n- name: a\n  boot: itself\n  probe: {unfit: refuse}\n"
				     "  console: {type: tcp, address: 'srv:4001'}\n  power: {type: powerman}\n"
				     "- name: b\n  boot: itself\n  probe: {when: never, seconds: 60}\n"
				     "  console: {type: tcp, address: 'srv:4002'}\n  power: {type: powerman}\n");

	assert_int_equal(lab->machines[0].probe.when, LOOK_RUN);
	assert_int_equal(lab->machines[0].probe.unfit, UNFIT_REFUSE);
	assert_int_equal(lab->machines[0].probe.seconds, 5);
	assert_int_equal(lab->machines[1].probe.when, LOOK_NEVER);
	assert_int_equal(lab->machines[1].probe.unfit, UNFIT_WARN);
	assert_int_equal(*lab->lab.folders.probes, '/');
	inventory_free(lab);
	lab = good(GOOD);
	assert_int_equal(lab->machines[0].probe.when, LOOK_NEVER);
	assert_int_equal(lab->machines[0].probe.seconds, 60);
	inventory_free(lab);
	bad(GOOD "    probe: {when: always}\n", "lab.yaml:13: when: `always` is none of: never, run, once");
	bad(GOOD "    probe: {unfit: shrug}\n", "lab.yaml:13: unfit: `shrug` is none of: warn, refuse");
	bad(GOOD "    probe: {when: once, seconds: 300}\n",
	    "the machine says nothing for 300 s then, and would be given up after 300");
}

UNIT_TEST(form)
{
	bad("", "lab.yaml:1: the file is empty");
	bad("lab: [", "lab.yaml:2: did not find");
	bad("lab: {name: a}\n", "Missing required mapping field: machines");
	bad("lab: {name: a}\nmachines: []\n", "lab.yaml:2");
	bad("lab: {name: a, name: b}\nmachines: []\n", "lab.yaml:1: `name` is there twice");
	bad("lab: &x {name: a}\nmachines: *x\n", "lias");
	bad(GOOD "    colour: red\n", "lab.yaml:13: machines: there is no `colour`; there are: name, mac, address, ");
	bad("colour: red\n" GOOD, "lab.yaml:1: there is no `colour`; there are: lab, machines");
	/* The one that is meant, not the first of this name. */
	bad(GOOD "    timeouts: {speed: 3}\n",
	    "lab.yaml:13: timeouts: there is no `speed`; there are: power, settle, boot, run, silence");
	bad(GOOD "    firmware: efi\n", "lab.yaml:13: firmware: `efi` is none of: bios, uefi");
}

/* What begins with a number is none. */
UNIT_TEST(numbers)
{
	static const char *const texts[] = {"3m",
					    "1e3",
					    "1.5",
					    "0x10",
					    "010",
					    "-1",
					    "+1",
					    "1_000",
					    "'3 '",
					    "",
					    "~",
					    "[3]",
					    "99999999999999999999",
					    "4294967297"};

	for (size_t i = 0; i < array_size(texts); i++) {
		char *text = xasprintf(GOOD "    timeouts: {boot: %s}\n", texts[i]);

		bad(text, "lab.yaml:13: ");
		free(text);
		text = xasprintf("lab: {name: a, retries: %s}\nmachines:\n" MACHINE("a", "52:54:00:77:00:01"),
				 texts[i]);
		bad(text, "lab.yaml:1: ");
		free(text);
	}
	bad(GOOD "    retries: -1\n", "lab.yaml:13: retries: `-1` is no whole number|");
	bad(GOOD "    timeouts: {boot: 3m}\n", "lab.yaml:13: boot: `3m` is no whole number; times are in seconds");
	/* They would become the default in silence. */
	bad(GOOD "    timeouts: {boot: 0}\n", "lab.yaml:13: boot: it cannot be 0");
	bad("lab: {name: a, menu_seconds: 0}\nmachines:\n" MACHINE("a", "52:54:00:77:00:01"),
	    "menu_seconds: it cannot be 0");
	inventory_free(good(GOOD "    timeouts: {boot: '90', settle: 0}\n    retries: 0\n"));
}

UNIT_TEST(values)
{
	static const char *const cases[][2] = {
		{GOOD MACHINE("one", "52:54:00:77:00:03"), "lab.yaml:13: machine one: name: another machine"},
		{GOOD MACHINE("three", "52:54:00:77:00:01"),
		 "lab.yaml:14: machine three: mac: 52:54:00:77:00:01 is the"},
		{GOOD MACHINE("../x", "52:54:00:77:00:03"), "machine ../x: name: a name has"},
		{GOOD MACHINE("x", "52:54:00:77:00"), "mac: 52:54:00:77:00 is no address"},
		{GOOD MACHINE("x", "53:54:00:77:00:03"), "is no address"},
		{GOOD MACHINE("x", "00:00:00:00:00:00"), "is no address"},
		{GOOD "    append: 'a || b'\n", "machine two: append: words have"},
		{GOOD "    append: '${x}'\n", "append"},
		{GOOD "    append: serial=com9\n", "machine two: append: `serial=com9` names no serial line"},
		{GOOD "    append: 'serial=com2,9600'\n",
		 "machine two: append: the kernel is told 9600 baud, and its console"},
		{GOOD "    address: 10.78.0.3\n",
		 "lab.yaml:13: machine two: address: 10.78.0.3 is not in the network"},
		{GOOD "    address: 10.77.0.1\n", "is the server's own"},
		{GOOD "    address: x\n", "an IPv4 address"},
		{GOOD "    tags: ['a,b']\n", "tags: `a,b`"},
		{GOOD "    suites: [IPC]\n", "suites: `IPC`"},
		{GOOD "    retries: 100\n", "too many"},
		{GOOD "    timeouts: {boot: 99999999}\n", "timeouts/boot: 99999999 s are more than a week"},
		{LAB "machines:\n  - name: a\n" CONSOLE POWER, "machine a: mac: it is needed"},
		{"lab: {name: a}\nmachines:\n" MACHINE("a", "52:54:00:77:00:01"),
		 "lab: network/interface: it is needed"},
		{"lab:\n  name: a\n  network:\n    interface: a/b\n    address: 10.0.0.1\nmachines:\n" MACHINE(
			 "a", "52:54:00:77:00:01"),
		 "lab.yaml:4: lab: network/interface: a/b is no name"},
		{"lab:\n  name: a\n  network: {interface: b, address: 10.0.0.1,\n    first: 10.0.0.9, last: "
		 "10.0.0.8}\n"
		 "machines:\n" MACHINE("a", "52:54:00:77:00:01"),
		 "lab.yaml:4: lab: network/last: 10.0.0.8 comes before the first one, 10.0.0.9"},
		{"lab: {name: a, network: {netmask: 255.0.255.0}}\nmachines:\n" MACHINE("a", "52:54:00:77:00:01"),
		 "255.0.255.0 is no mask"},
		{"lab: {name: a, directories: {boot: \"/x\\ny\"}}\nmachines:\n" MACHINE("a", "52:54:00:77:00:01"),
		 "directories/boot"},
	};

	for (size_t i = 0; i < array_size(cases); i++)
		bad(cases[i][0], cases[i][1]);
}

#define ONE "lab: {name: x}\nmachines:\n- name: a\n  boot: itself\n"

UNIT_TEST(consoles_and_power)
{
	static const char *const cases[][2] = {
		{ONE "  console: {type: tty}\n  power: {type: powerman}\n", "console/device: it is needed"},
		{ONE "  console: {type: tty, device: d, path: p}\n  power: {type: powerman}\n",
		 "console/path: the type tty has no such field"},
		{ONE "  console: {type: tcp, address: host}\n  power: {type: powerman}\n", "host is not HOST:PORT"},
		{ONE "  console: {type: command, command: [conman]}\n  power: {type: command, on: [a]}\n",
		 "power: the type command needs"},
		{ONE "  console: {type: file, path: p}\n  power: {type: command, cycle: [a]}\n",
		 "after: without `off` the machine"},
		{ONE "  console: {type: file, path: p}\n  power: {type: command, on: [a, '{mca}'], off: [b]}\n",
		 "power/on: {mca}: there are {name} and {mac}"},
		{ONE "  console: {type: file, path: p}\n  power: {type: ipmi, host: -x, user: u, password_file: f}\n",
		 "-x is no host"},
		{ONE "  console: {type: file, path: p}\n  power: {type: ipmi, user: u}\n",
		 "power/host: it is needed"},
		{ONE "  console: {type: file, path: p}\n  power: {type: powerman, on: [x]}\n", "knows its commands"},
		{ONE "  console: {type: ram}\n  power: {type: powerman}\n",
		 "console/type: a log in RAM is collected by network boot"},
		{ONE "  console: {type: ram, kib: 3000}\n  power: {type: powerman}\n",
		 "console/kib: 3000 is no power of two from 4 to 65536"},
		{ONE "  console: {type: ram, kib: 131072}\n  power: {type: powerman}\n", "console/kib: 131072 is no"},
		{ONE "  console: {type: file, path: p, kib: 4}\n  power: {type: powerman}\n",
		 "console/kib: the type file has no such field"},
		{ONE "  console: {type: file, path: p, cipher_suite: 3}\n  power: {type: powerman}\n",
		 "console/cipher_suite: the type file has no such field"},
		{ONE "  console: {type: tty, device: d, instance: 3}\n  power: {type: powerman}\n",
		 "console/instance: the type tty has no such field"},
		{ONE "  console: {type: ipmi}\n  power: {type: powerman, host: h}\n", "console/host: it is needed"},
		{ONE "  console: {type: file, path: p}\n  power: {type: powerman, port: 1}\n",
		 "power/port: the type powerman has no such field"},
	};

	for (size_t i = 0; i < array_size(cases); i++)
		bad(cases[i][0], cases[i][1]);
}

/* What is said of a management controller, beside what it needs. */
UNIT_TEST(controllers)
{
	static const char *const cases[][2] = {
		{"port: 65536", "power/port: 65536 is no port"},
		{"cipher_suite: 20", "power/cipher_suite: 20 is none; at most 19"},
		{"privilege: root", "lab.yaml:6: privilege: `root` is none of: user, operator, administrator"},
		{"password: x", "there is no `password`; there are: type, on, off, cycle, status, host, port, user, "
				"password_file, cipher_suite, privilege, options, interface, node"},
		/* They would be in the list of processes. */
		{"options: ['-P', secret]", "power/options: `-P`: there are -A "},
		{"options: ['-Psecret']", "power/options: `-Psecret`: there are -A "},
		{"options: ['-vPsecret']", "power/options: `-vPsecret`: there are -A "},
		{"options: ['-k', secret]", "power/options: `-k`: there are -A "},
		{"options: ['-R', '']", "power/options: ``: there are -A "},
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		char *text = xasprintf(ONE "  console: {type: ipmi}\n"
					   "  power: {type: ipmi, host: h, user: u, password_file: f, %s}\n",
				       cases[i][0]);

		bad(text, cases[i][1]);
		free(text);
	}
}

/* Power and console are the same controller's, as a rule. */
UNIT_TEST(console_of_the_controller_with_the_power)
{
	struct inventory *lab =
		good(ONE "  console: {type: ipmi, privilege: operator, instance: 2}\n"
			 "  power: {type: ipmi, host: bmc, port: 9001, user: u, password_file: f, cipher_suite: 0,"
			 " privilege: user, options: ['-o', supermicro]}\n");
	const struct inventory_bmc *bmc = &lab->machines[0].console.bmc;

	assert_string_equal(bmc->host, "bmc");
	assert_string_equal(bmc->user, "u");
	assert_string_equal(bmc->password_file, lab->machines[0].power.bmc.password_file);
	assert_int_equal(bmc->port, 9001);
	assert_int_equal(*bmc->cipher_suite, 0);
	assert_int_equal(bmc->privilege, PRIVILEGE_OPERATOR);
	assert_int_equal(bmc->options_count, 2);
	assert_string_equal(bmc->options[1], "supermicro");
	assert_int_equal(lab->machines[0].console.instance, 2);
	inventory_free(lab);
}

/* --- what is made of it --- */

static char *printed(const struct inventory *lab, void (*print)(FILE *, const struct inventory *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(out, lab);
	fclose(out);
	return text;
}

static void dnsmasq(FILE *out, const struct inventory *lab)
{
	script_dnsmasq(out, lab, "/state");
}

static void idle(FILE *out, const struct inventory *lab)
{
	script_machine(out, lab, &lab->machines[0], NULL, NULL);
}

static void armed(FILE *out, const struct inventory *lab)
{
	script_machine(out, lab, &lab->machines[0], "0123456789abcdef", "suite ipc");
}

static void expect_parts(char *text, const char *const *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strstr(text, parts[i]))
			fail_msg("`%s` is not in:\n%s", parts[i], text);
	free(text);
}

UNIT_TEST(configuration_of_dnsmasq)
{
	static const char *const full[] = {
		"port=0\n",
		"interface=br0\n",
		"bind-interfaces\n",
		"except-interface=lo\n",
		"dhcp-ignore=tag:!known\n",
		"dhcp-range=10.77.0.50,10.77.0.99,255.255.255.0,1h\n",
		"dhcp-host=52:54:00:77:00:ab,set:52-54-00-77-00-ab\n",
		"dhcp-boot=tag:ipxe,http://10.77.0.1:8080/boot.ipxe,lab1,10.77.0.1\n",
		"dhcp-boot=tag:52-54-00-77-00-01,tag:!ipxe,tag:!efihttp,tag:efi64,node/52-54-00-77-00-01/job.efi\n",
		"dhcp-leasefile=/state/leases\n",
		"enable-tftp\n"};
	static const char *const proxy[] = {"dhcp-range=10.77.0.1,proxy,255.255.255.0\n",
					    "pxe-service=tag:!ipxe,x86PC,hedron,undionly.kpxe\n"};
	struct inventory *lab = good(GOOD);
	char *text;

	expect_parts(printed(lab, dnsmasq), full, array_size(full));
	lab->lab.network.dhcp = DHCP_PROXY;
	text = printed(lab, dnsmasq);
	assert_null(strstr(text, "10.77.0.50"));
	expect_parts(text, proxy, array_size(proxy));
	inventory_free(lab);
}

UNIT_TEST(scripts_of_machines)
{
	static const char *const run[] = {
		"#!ipxe\n", "item run suite ipc\n", "choose --default run --timeout 3000 selected",
		":run\nchain --autofree http://10.77.0.1:8080/payload/0123456789abcdef/boot.ipxe || goto fail\n",
		"echo FLEET-BOOT-FAIL"};
	static const char *const own[] = {"choose --default own --timeout 3000 selected", ":own\nexit\n"};
	static const char *const start[] = {"/node/${netX/mac:hexhyp}.ipxe"} /* the card it booted from */;
	struct inventory *lab = good(GOOD);
	char *text = printed(lab, idle);

	assert_null(strstr(text, "payload"));
	expect_parts(text, own, array_size(own));
	expect_parts(printed(lab, armed), run, array_size(run));
	expect_parts(printed(lab, script_start), start, array_size(start));
	inventory_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_with_defaults),
		cmocka_unit_test(settings_of_lab_and_machine),
		cmocka_unit_test(probes),
		cmocka_unit_test(form),
		cmocka_unit_test(numbers),
		cmocka_unit_test(values),
		cmocka_unit_test(consoles_and_power),
		cmocka_unit_test(controllers),
		cmocka_unit_test(console_of_the_controller_with_the_power),
		cmocka_unit_test(configuration_of_dnsmasq),
		cmocka_unit_test(scripts_of_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
