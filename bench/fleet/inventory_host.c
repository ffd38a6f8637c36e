/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/inventory_host.h"

#include "fleet/power.h"
#include "host/mem.h"

#include <net/if.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool in_path(const char *program)
{
	char *copy = xstrdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin"), *save = NULL;
	bool found = false;

	for (char *folder = strtok_r(copy, ":", &save); folder && !found; folder = strtok_r(NULL, ":", &save)) {
		char *path = xasprintf("%s/%s", folder, program);

		found = !access(path, X_OK);
		free(path);
	}
	free(copy);
	return found;
}

static bool can_start(const struct inventory *inventory, const char *program)
{
	char *path;
	bool good;

	if (!strchr(program, '/'))
		return in_path(program);
	path = *program == '/' ? xstrdup(program) : xasprintf("%s/%s", inventory->folder, program);
	good = !access(path, X_OK);
	free(path);
	return good;
}

static void check_password(const struct inventory_machine *m, const char *path, struct inventory_problems *doubts)
{
	struct stat data;

	if (!path)
		return;
	if (stat(path, &data))
		inventory_problem(doubts, "%s: the password file %s is not there", m->name, path);
	else if (data.st_mode & 077)
		inventory_problem(doubts, "%s: others may read the password file %s", m->name, path);
}

static void check_power(const struct inventory *inventory, const struct inventory_machine *m,
			struct inventory_problems *doubts)
{
	for (enum power_action action = POWER_ON; action <= POWER_STATUS; action++) {
		char **argv = power_command(m, action);

		if (argv && !can_start(inventory, argv[0]))
			inventory_problem(doubts, "%s: the program %s is not there", m->name, argv[0]);
		strings_free(argv);
	}
	check_password(m, m->power.bmc.password_file, doubts);
}

static void check_console(const struct inventory *inventory, const struct inventory_machine *m,
			  struct inventory_problems *doubts)
{
	const struct inventory_console *c = &m->console;

	if (c->type == CONSOLE_TTY && access(c->device, R_OK | W_OK))
		inventory_problem(doubts, "%s: this user cannot use %s", m->name, c->device);
	if (c->type == CONSOLE_IPMI && !in_path("ipmitool"))
		inventory_problem(doubts, "%s: the program ipmitool is not there", m->name);
	if (c->bmc.password_file &&
	    (!m->power.bmc.password_file || strcmp(c->bmc.password_file, m->power.bmc.password_file)))
		check_password(m, c->bmc.password_file, doubts);
	if (c->type == CONSOLE_COMMAND && !can_start(inventory, c->command[0]))
		inventory_problem(doubts, "%s: the program %s is not there", m->name, c->command[0]);
}

static void check_servers(const struct inventory *inventory, struct inventory_problems *doubts)
{
	const struct inventory_network *n = &inventory->lab.network;

	if (!n->interface)
		return;
	if (!if_nametoindex(n->interface))
		inventory_problem(doubts, "this host has no network interface %s", n->interface);
	if (n->dhcp != DHCP_NONE && !in_path("dnsmasq") && access("/usr/sbin/dnsmasq", X_OK))
		inventory_problem(doubts, "dnsmasq is not there: install dnsmasq-base");
	if (!getpwnam(n->user))
		inventory_problem(doubts, "this host has no user %s", n->user);
}

void inventory_host_check(const struct inventory *inventory, struct inventory_problems *doubts)
{
	check_servers(inventory, doubts);
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		check_power(inventory, &inventory->machines[i], doubts);
		check_console(inventory, &inventory->machines[i], doubts);
	}
}
