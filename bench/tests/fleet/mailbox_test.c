/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs that machines send, from the request to the run that awaits them. */
#include "test.h"

#include "fleet/http_upload.h"
#include "fleet/mailbox.h"
#include "host/mem.h"

#include "scratch.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE "log/52-54-00-77-00-01"
#define TWO "log/52-54-00-77-00-02"

static struct inventory_machine machines[] = {
	{.name = (char *)"one",
	 .mac = (char *)"52:54:00:77:00:01",
	 .console = {.type = CONSOLE_RAM, .kib = 4},
	 .boot = BOOT_NETWORK},
	{.name = (char *)"two", .mac = (char *)"52:54:00:77:00:02", .console = {.type = CONSOLE_TTY}},
	{.name = (char *)"three"},
	{.name = (char *)"four", .mac = (char *)"52:54:00:77:00:ab"},
};
static struct inventory inventory = {
	.lab.folders.boot = folder, .machines = machines, .machines_count = array_size(machines)};
static struct mailbox mailbox;
static int served;

static void await(void)
{
	struct error error;

	if (!mailbox_open(&mailbox, &inventory, &machines[0], &error))
		fail_msg("%s", error.text);
}

static void refused(const char *path, unsigned wanted)
{
	unsigned status = 0;

	assert_null(http_upload_begin(served, &inventory, path, &status));
	assert_int_equal(status, wanted);
}

static struct http_upload *begin(void)
{
	unsigned status = 0;
	struct http_upload *upload = http_upload_begin(served, &inventory, ONE, &status);

	assert_non_null(upload);
	return upload;
}

static void expect_log(const char *wanted)
{
	int fd = mailbox_take(&mailbox);
	char text[64] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(wanted));
	assert_string_equal(text, wanted);
	close(fd);
}

UNIT_TEST(a_log)
{
	struct http_upload *upload;

	await();
	assert_int_equal(mailbox_take(&mailbox), -1);
	upload = begin();
	assert_int_equal(mailbox_take(&mailbox), -1);
	http_upload_take(upload, "hel", 3);
	assert_int_equal(mailbox_take(&mailbox), -1);
	http_upload_take(upload, "lo\n", 3);
	assert_int_equal(http_upload_end(upload), MHD_HTTP_OK);
	http_upload_free(upload);
	expect_log("hello\n");
	/* It is not replaced by another. */
	refused(ONE, MHD_HTTP_CONFLICT);
	expect_log("hello\n");
	mailbox_close(&mailbox);
	refused(ONE, MHD_HTTP_CONFLICT);
}

/* The connection broke: nothing of it counts, and the machine may try again. */
UNIT_TEST(half_a_log)
{
	struct http_upload *upload;

	await();
	upload = begin();
	http_upload_take(upload, "hel", 3);
	refused(ONE, MHD_HTTP_CONFLICT);
	http_upload_free(upload);
	assert_int_equal(mailbox_take(&mailbox), -1);
	upload = begin();
	assert_int_equal(http_upload_end(upload), MHD_HTTP_BAD_REQUEST); /* nothing is no log */
	http_upload_free(upload);
	upload = begin();
	http_upload_take(upload, "x", 1);
	assert_int_equal(http_upload_end(upload), MHD_HTTP_OK);
	http_upload_free(upload);
	expect_log("x");
	mailbox_close(&mailbox);
}

UNIT_TEST(too_large)
{
	static char data[4096];
	struct http_upload *upload;

	await();
	upload = begin();
	http_upload_take(upload, data, sizeof(data));
	http_upload_take(upload, data, 1);
	http_upload_take(upload, data, sizeof(data));
	assert_int_equal(http_upload_end(upload), MHD_HTTP_CONTENT_TOO_LARGE);
	http_upload_free(upload);
	assert_int_equal(mailbox_take(&mailbox), -1);
	upload = begin();
	http_upload_take(upload, data, sizeof(data));
	assert_int_equal(http_upload_end(upload), MHD_HTTP_OK);
	http_upload_free(upload);
	mailbox_close(&mailbox);
}

/* Paths that nobody awaits, and files that are none of ours. */
UNIT_TEST(strangers)
{
	static const char *const paths[] = {
		"",      "log",   "log/",         "log/x", TWO,
		ONE "/", ONE "x", ONE ".fetched", "log/?", "log/../log/52-54-00-77-00-01"};
	char *secret = xasprintf("%s/secret", folder), *there;

	for (size_t i = 0; i < array_size(paths); i++)
		refused(paths[i], MHD_HTTP_METHOD_NOT_ALLOWED);
	refused(ONE, MHD_HTTP_CONFLICT);
	await();
	there = xasprintf("%s/" ONE, folder);
	close(open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_true(!unlink(there) && !symlink(secret, there));
	refused(ONE, MHD_HTTP_CONFLICT);
	assert_true(!unlink(there) && !mkfifo(there, 0600));
	refused(ONE, MHD_HTTP_CONFLICT);
	mailbox_close(&mailbox);
	free(there);
	free(secret);
}

UNIT_TEST(what_was_fetched)
{
	static const char *const others[] = {"node/52-54-00-77-00-02.ipxe", "node/52-54-00-77-00-01", "boot.ipxe",
					     "payload/1/boot.ipxe", "node/52-54-00-77-00-01.ipxe.x"};
	static const char *const own[] = {"node/52-54-00-77-00-01.ipxe", "node/52-54-00-77-00-01/job.efi"};
	const char *rest;

	assert_ptr_equal(inventory_find_path(&inventory, "node/52-54-00-77-00-AB/job.efi", "node", &rest),
			 &machines[3]);
	assert_string_equal(rest, "/job.efi");
	assert_null(inventory_find_path(&inventory, "node/52-54-00-77-00-ab", "log", &rest));
	assert_null(inventory_find_path(&inventory, "node52-54-00-77-00-ab", "node", &rest));
	mailbox_note_fetch(served, &inventory, own[0]);
	for (size_t i = 0; i < array_size(own); i++) {
		await(); /* earlier ones do not count */
		for (size_t k = 0; k < array_size(others); k++)
			mailbox_note_fetch(served, &inventory, others[k]);
		assert_false(mailbox_has_fetched(&mailbox));
		mailbox_note_fetch(served, &inventory, own[i]);
		assert_true(mailbox_has_fetched(&mailbox));
		mailbox_close(&mailbox);
	}
}

UNIT_FIXTURE(set_up)
{
	if (scratch_set_up(state))
		return -1;
	served = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return served >= 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log),     cmocka_unit_test(half_a_log),       cmocka_unit_test(too_large),
		cmocka_unit_test(strangers), cmocka_unit_test(what_was_fetched),
	};

	return cmocka_run_group_tests(tests, set_up, scratch_tear_down);
}
