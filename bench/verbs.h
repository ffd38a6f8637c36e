/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hbench can be told to do; each verb is cmd_<verb>.c. They return an exit code. */
#pragma once

#include "result.h"
#include "suite.h"

int cmd_list(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_baseline(int argc, char **argv);

/* The suite of a result, for goals and thresholds: NULL when it is not known here. Free with suite_free(). */
const struct suite *verb_suite_of(const struct result *result, struct suite *storage);

/* A whole number from min to max from the command line; otherwise ends the program with EXIT_USAGE. */
unsigned verb_number(const char *option, const char *text, unsigned min, unsigned max);
