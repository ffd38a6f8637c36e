/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of other systems: what is refused, which stand beside a result, and those in results/peers. */
#include "test.h"

#include "host/mem.h"
#include "result/peers.h"
#include "result/suite.h"

#include "build.h"
#include "scratch.h"

#include <string.h>

#define PEER(schema, metric, cases, more)                                                          \
	"{\"schema\":\"" schema                                                                    \
	"\",\"peer\":\"L4\",\"title\":\"L4 1\",\"version\":\"1.0\",\"date\":\"2024\",\"machine\":" \
	"\"m\",\"metric\":\"" metric "\",\"how\":\"h\",\"differs\":\"d\",\"cases\":" cases more "}"

static void write_peer(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct error error;

	assert_true(file_replace(path, text, strlen(text), &error));
	free(path);
}

static bool load(struct peers *peers, const char *name, struct error *error)
{
	char *path = xasprintf("%s/%s", folder, name);
	bool good = peers_load(peers, path, error);

	free(path);
	return good;
}

UNIT_TEST(refused)
{
	static const char *const rows[][2] = {
		{"{", "x.json"},
		{"[]", "schema"},
		{PEER("hbench-1", "instructions", "{\"a/b\":1}", ""), "schema"},
		{PEER("hbench-peer-1", "yards", "{\"a/b\":1}", ""), "the metric \"yards\" is not known"},
		{PEER("hbench-peer-1", "instructions", "{}", ""), "\"cases\" is missing or empty"},
		{PEER("hbench-peer-1", "instructions", "{\"a/b\":0}", ""), "\"a/b\" must be a number above 0"},
		{PEER("hbench-peer-1", "instructions", "{\"a/b\":1.5}", ""), "\"a/b\" must be a number above 0"},
		{PEER("hbench-peer-1", "instructions", "{\"a/b\":1}", ",\"beside\":\"m\""),
		 "must be a list of machines"},
		{PEER("hbench-peer-1", "instructions", "{\"a/b\":1}", ",\"beside\":[1]"),
		 "must be a list of machines"},
		{"{\"schema\":\"hbench-peer-1\",\"peer\":\"\"}", "\"peer\" is missing"},
	};
	struct peers peers;
	struct error error;

	for (size_t i = 0; i < array_size(rows); i++) {
		write_peer("x.json", rows[i][0]);
		assert_false(load(&peers, "x.json", &error));
		if (!strstr(error.text, rows[i][1]))
			fail_msg("%s: %s", rows[i][1], error.text);
		assert_int_equal(peers.count, 0);
	}
	assert_false(load(&peers, "nothing.json", &error));
}

UNIT_TEST(beside)
{
	const struct peer *found[PEERS_BESIDE_MAX];
	struct peers peers;
	struct result r;
	struct error error;

	write_peer("x.json", PEER("hbench-peer-1", "instructions", "{\"ipc/null\":59,\"ipc/sm_up\":40}",
				  ",\"beside\":[\"n\"]"));
	assert_true(load(&peers, "x.json", &error));
	assert_int_equal(peer_value(&peers.list[0], "ipc/null"), 59);
	assert_int_equal(peer_value(&peers.list[0], "ipc/nothing"), 0);
	assert_true(peer_ahead(&peers.list[0], "ipc/null", 60));
	assert_false(peer_ahead(&peers.list[0], "ipc/null", 59));
	assert_false(peer_ahead(&peers.list[0], "ipc/nothing", 59));
	static const struct {
		const char *machine, *metric, *name;
		size_t count;
	} rows[] = {
		{"m", "instructions", "ipc/null", 1},  {"n", "instructions", "ipc/null", 1},
		{"o", "instructions", "ipc/null", 0},  {"m", "ticks", "ipc/null", 0},
		{"m", "instructions", "ipc/other", 0},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		result_init(&r, rows[i].machine, "ipc", rows[i].metric);
		build_constant(&r, rows[i].name, 40, 4);
		assert_int_equal(peers_beside(&peers, &r, found), rows[i].count);
		assert_int_equal(peers_beside(NULL, &r, found), 0);
		result_free(&r);
	}
	peers_free(&peers);
}

UNIT_TEST(folders)
{
	struct peers peers;
	struct error error;

	write_peer("x.json", PEER("hbench-peer-1", "instructions", "{\"a/b\":1}", ""));
	write_peer("y.json", PEER("hbench-peer-1", "instructions", "{\"a/b\":2}", ""));
	write_peer("README.md", "no peer");
	assert_true(peers_load(&peers, folder, &error));
	assert_int_equal(peers.count, 2);
	assert_int_equal(peer_value(&peers.list[1], "a/b"), 2);
	peers_free(&peers);
	write_peer("y.json", "{}");
	assert_false(peers_load(&peers, folder, &error));
	assert_false(peers_load(&peers, "/nonexistent", &error));
	assert_false(peers_load(&peers, TEST_DATA "/..", &error));
	assert_non_null(strstr(error.text, "there are no peers"));
}

/* Each case that the recorded ones have is one of ours: another name would never be shown. */
UNIT_TEST(recorded)
{
	struct peers peers;
	struct error error;
	const char *name;
	json_t *value;

	if (!peers_load(&peers, TEST_PEERS, &error))
		fail_msg("%s", error.text);
	assert_true(peers.count >= 6);
	for (size_t i = 0; i < peers.count; i++) {
		json_object_foreach(json_object_get(peers.list[i].root, "cases"), name, value)
		{
			char *path = xasprintf("%s/%.*s.json", TEST_SUITES, (int)strcspn(name, "/"), name);
			struct suite suite;

			assert_true(suite_load_file(&suite, path, NULL, &error));
			if (!suite_find(&suite, name))
				fail_msg("%s of %s is no case of ours", name, peers.list[i].title);
			suite_free(&suite);
			free(path);
		}
	}
	peers_free(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(beside),
		cmocka_unit_test(folders),
		cmocka_unit_test(recorded),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
