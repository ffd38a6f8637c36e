/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that a bisection runs: git, builds, hbench itself. */
#pragma once

#include "host/error.h"

#include <stdbool.h>

/* The exit code of a program, or -1 with an error when it could not be started, was killed, or the user interrupted
 * it. What it says is appended to the file `log`. */
int command_run(char *const argv[], const char *folder, const char *log, struct error *error) must_check;

/* What a program that has to succeed writes, without the newline at the end; NULL with what it complained about. */
char *command_read(char *const argv[], const char *folder, struct error *error) must_check;
