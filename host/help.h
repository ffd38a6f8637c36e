/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts for shells and the manual page, made of the same tables that options are parsed with. */
#pragma once

#include "host/verb.h"

#include <stdio.h>

void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

/* The program's page of section 1, for man. */
void manual_page(FILE *out);
