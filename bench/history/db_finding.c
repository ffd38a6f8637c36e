/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/db_finding.h"

#include "history/db_driver.h"
#include "host/mem.h"
#include "result/finding.h"

#include <stdint.h>
#include <stdio.h>

struct storing {
	struct db *db;
	const char *id;
	struct error *error;
	bool good;
};

static void store_finding(void *context, const struct finding *f)
{
	static const char sql[] = "INSERT INTO hbench_finding (result, name, weight, state, amount)"
				  " VALUES ($1, $2, $3, $4, $5)";
	struct storing *s = context;
	char amount[24];
	const char *const values[] = {s->id, f->name, finding_weight_name(f->weight), f->state,
				      f->counted ? amount : NULL};

	snprintf(amount, sizeof(amount), "%ju", (uintmax_t)f->amount);
	s->good = s->good && s->db->driver->run(s->db->handle, sql, values, array_size(values), NULL, NULL, s->error);
}

bool db_finding_store(struct db *db, const char *id, const struct result *r, struct error *error)
{
	struct storing storing = {db, id, error, true};

	finding_each(r, store_finding, &storing);
	return storing.good;
}

struct differing {
	void (*differs)(void *context, const char *name, const char *a, const char *b);
	void *context;
};

static void differing_row(void *context, const char *const *c)
{
	const struct differing *d = context;

	d->differs(d->context, c[0], c[1], c[2]);
}

/* As finding_agrees() sees it. */
bool db_finding_differences(struct db *db, const char *result_a, const char *result_b,
			    void (*differs)(void *context, const char *name, const char *a, const char *b),
			    void *context, struct error *error)
{
	static const char sql[] =
		"SELECT a.name, COALESCE(CAST(a.amount AS TEXT), a.state), COALESCE(CAST(b.amount AS TEXT), b.state)"
		" FROM hbench_finding a JOIN hbench_finding b ON b.name = a.name"
		" WHERE a.result = $1 AND b.result = $2 AND (a.state <> b.state OR (a.weight <> b.weight AND"
		" (a.amount IS NULL OR b.amount IS NULL OR a.weight IN ('doubt', 'obstacle')"
		" OR b.weight IN ('doubt', 'obstacle')))) ORDER BY a.name";
	const char *const values[] = {result_a, result_b};
	struct differing d = {differs, context};

	return db->driver->run(db->handle, sql, values, array_size(values), differing_row, &d, error);
}
