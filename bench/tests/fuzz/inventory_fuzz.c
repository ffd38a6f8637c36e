/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as an inventory: never a crash; what is refused has a reason, and what is not gives configurations. */
#include "fleet/inventory.h"
#include "fleet/script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing of the inventory may begin a line of its own in what is generated. */
static void check_lines(const struct inventory *inventory, const char *text)
{
	static const char *const beginnings[] = {"port=", "interface=",  "bind-",     "except-",
						 "no-",   "pid-file=",   "log-dhcp",  "dhcp-",
						 "pxe-",  "enable-tftp", "tftp-root="};

	(void)inventory;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		bool known = false;

		for (size_t i = 0; i < array_size(beginnings); i++)
			known = known || !strncmp(line, beginnings[i], strlen(beginnings[i]));
		if (!known)
			abort();
	}
}

static void generate(const struct inventory *inventory)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	if (inventory->lab.network.interface && inventory->lab.network.address)
		script_dnsmasq(out, inventory, "/state");
	fclose(out);
	check_lines(inventory, text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inventory_problems problems = {0};
	struct inventory *inventory = inventory_parse((const char *)data, size, "lab.yaml", &problems);

	if (!inventory != !!problems.count)
		abort();
	if (inventory)
		generate(inventory);
	inventory_free(inventory);
	inventory_free_problems(&problems);
	return 0;
}
