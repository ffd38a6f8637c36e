/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for the files of one test program. */
#pragma once

#include "host/file.h"

#include <stdlib.h>

static char folder[] = "/tmp/hbench-test-XXXXXX";

static inline int scratch_set_up(void **state)
{
	(void)state;
	return !mkdtemp(folder);
}

static inline int scratch_tear_down(void **state)
{
	(void)state;
	file_remove_folder(folder);
	return 0;
}
