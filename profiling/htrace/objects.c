/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash table with open addressing for each kind, never more than half full. */
#include "objects.h"

#include "host/mem.h"

#include <stdlib.h>

#define KINDS (OBJECT_IDLE + 1)
#define FIRST_ROOM 64 /* a power of two */

struct table {
	struct slot {
		uint64_t address; /* 0: free */
		unsigned number;
	} * slots;
	size_t room, used;
};

struct objects {
	struct table tables[KINDS];
};

static struct slot *look(const struct table *t, uint64_t address)
{
	size_t i = (size_t)(address * 0x9e3779b97f4a7c15 >> 20);

	while (t->slots[i & (t->room - 1)].address && t->slots[i & (t->room - 1)].address != address)
		i++;
	return &t->slots[i & (t->room - 1)];
}

static void grow(struct table *t)
{
	struct table larger = {.room = 2 * t->room, .used = t->used};

	larger.slots = xcalloc(larger.room, sizeof(*larger.slots));
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].address)
			*look(&larger, t->slots[i].address) = t->slots[i];
	free(t->slots);
	*t = larger;
}

struct objects *objects_create(void)
{
	struct objects *objects = xcalloc(1, sizeof(*objects));

	for (size_t i = 0; i < KINDS; i++) {
		objects->tables[i].room = FIRST_ROOM;
		objects->tables[i].slots = xcalloc(FIRST_ROOM, sizeof(struct slot));
	}
	return objects;
}

void objects_add(struct objects *objects, enum object_kind kind, uint64_t address)
{
	struct table *t = &objects->tables[kind];

	if (!address || look(t, address)->address)
		return;
	if (2 * t->used >= t->room)
		grow(t);
	*look(t, address) = (struct slot){address, (unsigned)++t->used};
}

unsigned objects_find(const struct objects *objects, enum object_kind kind, uint64_t address)
{
	return address ? look(&objects->tables[kind], address)->number : 0;
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	for (size_t i = 0; i < KINDS; i++)
		free(objects->tables[i].slots);
	free(objects);
}
