/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for the files of one test program. */
#pragma once

#include "test.h"

#include "host/file.h"

#include <stdlib.h>

static char folder[] = "/tmp/hbench-test-XXXXXX";

UNIT_FIXTURE(scratch_set_up)
{
	return !mkdtemp(folder);
}

UNIT_FIXTURE(scratch_tear_down)
{
	file_remove_folder(folder);
	return 0;
}
