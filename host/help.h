/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion scripts for shells, and the manual page, made from the tables that options are parsed with. */
#pragma once

#include "host/verb.h"

#include <stdio.h>

void help_bash(FILE *out);
void help_zsh(FILE *out);
void help_fish(FILE *out);

/* The program's page of section 1, for man. */
void help_manual(FILE *out);
