/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench fleet serve`. */
#include "cmd/fleet.h"
#include "fleet/serve.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "measure/run.h"

int cmd_fleet_serve(const struct fleet_options *o)
{
	struct inventory *inventory = cmd_fleet_inventory(o);
	enum exit_code code = EXIT_RUN_INVALID;
	struct error error;

	if (!inventory)
		return code;
	run_catch_signals();
	if (serve(inventory, &error))
		code = EXIT_SAME_OR_BETTER;
	else
		complain("%s", error.text);
	inventory_free(inventory);
	return code;
}
