/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/peers.h"

#include "host/json_file.h"
#include "host/mem.h"
#include "result/metric.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20 };

static bool check_cases(const json_t *cases, struct error *error)
{
	const char *name;
	json_t *value;

	if (!json_object_size(cases))
		return error_set(error, "\"cases\" is missing or empty");
	json_object_foreach((json_t *)cases, name, value)
	{
		if (!json_is_integer(value) || json_integer_value(value) <= 0)
			return error_set(error, "\"%.100s\" must be a number above 0", name);
	}
	return true;
}

static bool check_beside(const json_t *beside, struct error *error)
{
	json_t *machine;
	size_t i;

	if (beside && !json_is_array(beside))
		return error_set(error, "\"beside\" must be a list of machines");
	json_array_foreach(beside, i, machine)
	{
		if (!json_is_string(machine))
			return error_set(error, "\"beside\" must be a list of machines");
	}
	return true;
}

static bool read_peer(struct peer *peer, json_t *root, struct error *error)
{
	const struct {
		const char *key, **out;
	} texts[] = {
		{"peer", &peer->name},       {"version", &peer->version}, {"date", &peer->date},
		{"machine", &peer->machine}, {"metric", &peer->metric},   {"how", &peer->how},
		{"differs", &peer->differs}, {"title", &peer->title},
	};
	const char *schema = json_string_value(json_object_get(root, "schema"));

	*peer = (struct peer){.root = root};
	if (!schema || strcmp(schema, "hbench-peer-1"))
		return error_set(error, "\"schema\" is not hbench-peer-1");
	for (size_t i = 0; i < array_size(texts); i++) {
		*texts[i].out = json_string_value(json_object_get(root, texts[i].key));
		if (!*texts[i].out || !**texts[i].out)
			return error_set(error, "\"%s\" is missing", texts[i].key);
	}
	if (!metric_find(peer->metric))
		return error_set(error, "the metric \"%.60s\" is not known", peer->metric);
	return check_cases(json_object_get(root, "cases"), error) &&
	       check_beside(json_object_get(root, "beside"), error);
}

static bool add_file(struct peers *peers, const char *path, struct error *error)
{
	json_t *root = json_file_load(path, FILE_MAX, error);
	struct error why;
	struct peer peer;

	if (!root)
		return false;
	if (!read_peer(&peer, root, &why)) {
		json_decref(root);
		return json_file_error(error, path, &why);
	}
	peers->list = xreallocarray(peers->list, peers->count + 1, sizeof(*peers->list));
	peers->list[peers->count++] = peer;
	return true;
}

static int is_peer(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 5, ".json");
}

static bool add_folder(struct peers *peers, const char *folder, struct error *error)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_peer, alphasort);
	bool good = count > 0 || error_set(error, "%s: there are no peers, which are files of JSON", folder);

	for (int i = 0; i < count; i++) {
		char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

		good = good && add_file(peers, path, error);
		free(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return good;
}

bool peers_load(struct peers *peers, const char *path, struct error *error)
{
	struct stat status;
	bool folder = !stat(path, &status) && S_ISDIR(status.st_mode);
	bool good;

	*peers = (struct peers){0};
	good = folder ? add_folder(peers, path, error) : add_file(peers, path, error);
	if (!good)
		peers_free(peers);
	return good;
}

static bool stands_beside(const struct peer *peer, const char *machine)
{
	json_t *other;
	size_t i;

	json_array_foreach(json_object_get(peer->root, "beside"), i, other)
	{
		if (!strcmp(json_string_value(other), machine))
			return true;
	}
	return !strcmp(peer->machine, machine);
}

size_t peers_beside(const struct peers *peers, const struct result *result, const struct peer *out[PEERS_BESIDE_MAX])
{
	size_t count = 0;

	for (size_t i = 0; peers && i < peers->count && count < PEERS_BESIDE_MAX; i++) {
		const struct peer *peer = &peers->list[i];
		bool shared = false;

		for (size_t k = 0; k < result->count; k++)
			shared = shared || peer_value(peer, result->benchmarks[k].name);
		if (shared && !strcmp(peer->metric, result_text(result, "metric")) &&
		    stands_beside(peer, result_text(result, "machine")))
			out[count++] = peer;
	}
	return count;
}

uint64_t peer_value(const struct peer *peer, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(json_object_get(peer->root, "cases"), name));
}

bool peer_ahead(const struct peer *peer, const char *name, uint64_t ours)
{
	uint64_t theirs = peer_value(peer, name);

	return theirs && theirs < ours;
}

void peers_free(struct peers *peers)
{
	for (size_t i = 0; i < peers->count; i++)
		json_decref(peers->list[i].root);
	free(peers->list);
	*peers = (struct peers){0};
}
