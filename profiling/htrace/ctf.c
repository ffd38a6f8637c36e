/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctf.h"

#include "fields.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0xc1fc1fc1

/* As the metadata say. */
struct packet {
	uint32_t magic;
	unsigned char uuid[16];
	uint32_t stream_id;
	uint64_t begin, end;
	uint64_t content_size, packet_size; /* bits */
	uint64_t discarded;
	uint32_t cpu;
} __attribute__((__packed__));

struct event_header {
	uint16_t id;
	uint64_t timestamp;
} __attribute__((__packed__));

static void put_event(FILE *out, const struct trace_record *r)
{
	const struct event_header header = {r->event, r->tsc};
	struct field fields[FIELDS];

	fwrite(&header, sizeof(header), 1, out);
	fields_of(r, fields);
	for (unsigned i = 0; i < FIELDS; i++)
		if (*fields[i].name)
			fwrite(&fields[i].value, i ? sizeof(uint64_t) : sizeof(uint16_t), 1, out);
}

/* All events of a CPU in one packet; times ascend in the view, also where an NMI was between two records. */
static void put_events(FILE *out, const struct view *view, unsigned cpu, struct packet *packet)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct event *e = &view->events[i];

		if (e->cpu != cpu)
			continue;
		put_event(out, e->r);
		packet->end = e->r->tsc;
		if (!packet->begin)
			packet->begin = e->r->tsc;
	}
}

static bool write_stream(const struct view *view, unsigned cpu, struct packet *packet, const char *path,
			 struct error *error)
{
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);
	bool good;

	if (!out)
		return error_set(error, "out of memory");
	fwrite(packet, sizeof(*packet), 1, out);
	put_events(out, view, cpu, packet);
	good = !fclose(out) || error_set(error, "out of memory");
	if (good) {
		packet->content_size = packet->packet_size = 8 * size;
		memcpy(data, packet, sizeof(*packet));
		good = file_replace(path, data, size, error);
	}
	free(data);
	return good;
}

static bool write_streams(const struct view *view, const char *folder, const unsigned char uuid[16],
			  struct error *error)
{
	bool good = true;

	for (unsigned i = 0; i < HEDRON_CPU_MAX && good; i++) {
		struct packet packet = {.magic = MAGIC, .cpu = i, .discarded = view->trace.cpus[i].lost};
		char *path;

		if (!view->trace.cpus[i].count)
			continue;
		memcpy(packet.uuid, uuid, sizeof(packet.uuid));
		path = xasprintf("%s/cpu%u", folder, i);
		good = write_stream(view, i, &packet, path, error);
		free(path);
	}
	return good;
}

static bool write_metadata(const struct view *view, const char *folder, const unsigned char uuid[16],
			   struct error *error)
{
	char *data = NULL, *path = xasprintf("%s/metadata", folder);
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);
	bool good = out;

	if (out) {
		ctf_metadata(out, view, uuid);
		good = !fclose(out);
	}
	if (!good)
		error_store(error, "out of memory");
	good = good && file_replace(path, data, size, error);
	free(data);
	free(path);
	return good;
}

/* The same trace has the same one, and another trace another one (RFC 4122, version 4 by its looks). */
static bool make_uuid(const struct view *view, unsigned char uuid[16], struct error *error)
{
	char *data = NULL, hash[65];
	size_t size = 0;
	bool good = trace_write(&view->trace, &data, &size, error) &&
		    (hash_sha256(data, size, hash) || error_set(error, "cannot compute a SHA-256"));

	for (unsigned i = 0; good && i < 16; i++) {
		const char byte[3] = {hash[2 * i], hash[2 * i + 1], '\0'};

		uuid[i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80);
	free(data);
	return good;
}

bool ctf_write(const struct view *view, const char *folder, struct error *error)
{
	unsigned char uuid[16] = {0};

	return make_uuid(view, uuid, error) && write_metadata(view, folder, uuid, error) &&
	       write_streams(view, folder, uuid, error);
}
