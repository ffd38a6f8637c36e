/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other systems beside ours in tables of text: a column for each, and what has to be said about the numbers. */
#pragma once

#include "host/table.h"
#include "result/peers.h"

enum { REPORT_TITLES_MAX = 16 + PEERS_BESIDE_MAX };

/* A table's titles with those of peers behind them, and the peers. */
struct report_columns {
	const char *titles[REPORT_TITLES_MAX + 1];
	const struct peer *peers[PEERS_BESIDE_MAX];
	size_t peer_count;
	char names[PEERS_BESIDE_MAX][32];
};

/* titles: those of our own columns, NULL at the end. peers: NULL for none. */
void report_columns_init(struct report_columns *columns, const char *const *titles, const struct peers *peers,
			 const struct result *result);

/* The cells of a row. ours: NULL when we have no number. */
void report_peer_cells(struct table *table, const struct report_columns *columns, const char *name,
		       const struct benchmark *ours);

/* Below the table: who is ahead, and what the numbers do not say. */
void report_peer_notes(FILE *out, const struct report_columns *columns, const struct result *ours,
		       const char *bullet);
