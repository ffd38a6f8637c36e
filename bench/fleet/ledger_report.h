/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fleet run for people (table, HTML) and for programs (JUnit, JSON). */
#pragma once

#include "fleet/ledger.h"

#include <stdio.h>

void ledger_table(FILE *out, const struct ledger *ledger);
void ledger_junit(FILE *out, const struct ledger *ledger);
void ledger_json(FILE *out, const struct ledger *ledger);
void ledger_html(FILE *out, const struct ledger *ledger);

/* Writes junit.xml, report.json, index.html, and results.html with the charts, into the run's folder. */
bool ledger_write(const struct ledger *ledger, struct error *error) must_check;
