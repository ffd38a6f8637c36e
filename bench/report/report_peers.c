/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_peers.h"

#include <stdint.h>
#include <string.h>

void report_columns_init(struct report_columns *columns, const char *const *titles, const struct peers *peers,
			 const struct result *result)
{
	size_t count = 0;

	*columns = (struct report_columns){0};
	for (; titles[count] && count < REPORT_TITLES_MAX - PEERS_BESIDE_MAX; count++)
		columns->titles[count] = titles[count];
	columns->peer_count = peers_beside(peers, result, columns->peers);
	for (size_t i = 0; i < columns->peer_count; i++) {
		snprintf(columns->names[i], sizeof(columns->names[i]), ">%s", columns->peers[i]->title);
		columns->titles[count++] = columns->names[i];
	}
}

void report_peer_cells(struct table *table, const struct report_columns *columns, const char *name,
		       const struct benchmark *ours)
{
	for (size_t i = 0; i < columns->peer_count; i++) {
		uint64_t theirs = peer_value(columns->peers[i], name);

		if (!theirs)
			table_cell(table, COLOUR_NONE, "%s", "");
		else if (ours && peer_ahead(columns->peers[i], name, ours->merged.min))
			table_cell(table, COLOUR_BAD, "!%ju", (uintmax_t)theirs);
		else
			table_cell(table, COLOUR_DIM, "%ju", (uintmax_t)theirs);
	}
}

static void count_ahead(const struct peer *peer, const struct result *ours, size_t *ahead, size_t *of)
{
	*ahead = *of = 0;
	for (size_t i = 0; i < ours->count; i++) {
		const struct benchmark *b = &ours->benchmarks[i];

		*of += peer_value(peer, b->name) != 0;
		*ahead += peer_ahead(peer, b->name, b->merged.min);
	}
}

void report_peer_notes(FILE *out, const struct report_columns *columns, const struct result *ours, const char *bullet)
{
	if (columns->peer_count)
		fprintf(out,
			"%s!: fewer there than here. Others have other contracts, and instructions are no time.\n",
			bullet);
	for (size_t i = 0; i < columns->peer_count; i++) {
		const struct peer *peer = columns->peers[i];
		size_t ahead, of;

		count_ahead(peer, ours, &ahead, &of);
		fprintf(out, "%s%s %s: ahead in %zu of %zu cases. It differs: %s.", bullet, peer->name, peer->version,
			ahead, of, peer->differs);
		if (strcmp(peer->machine, result_text(ours, "machine")))
			fprintf(out, " Measured on %s, where paths may differ.", peer->machine);
		fputc('\n', out);
	}
}
