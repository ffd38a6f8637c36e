/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the same operations cost in other systems, measured in the same emulators: results/peers, a file for each. */
#pragma once

#include "host/error.h"
#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEERS_BESIDE_MAX = 8 };

/* The texts belong to the file's JSON. */
struct peer {
	const char *name, *version, *date, *machine, *metric;
	const char *title;   /* of a column: the name and what of the version fits */
	const char *how;     /* it was measured */
	const char *differs; /* its contract from ours */
	json_t *root;
};

struct peers {
	struct peer *list; /* sorted by the names of their files */
	size_t count;
};

/* Loads a file, or all in a folder. */
bool peers_load(struct peers *peers, const char *path, struct error *error) must_check;

/*
 * Those with a case that the result has, too, counted in the same metric on the same machine or on one that the
 * peer's file says may stand beside it; their number. A table has room for PEERS_BESIDE_MAX.
 */
size_t peers_beside(const struct peers *peers, const struct result *result, const struct peer *out[PEERS_BESIDE_MAX]);

/* What a case costs there, 0 if it was not measured. */
uint64_t peer_value(const struct peer *peer, const char *name);

/* True when the case costs less there than `ours`. */
bool peer_ahead(const struct peer *peer, const char *name, uint64_t ours);

void peers_free(struct peers *peers);
