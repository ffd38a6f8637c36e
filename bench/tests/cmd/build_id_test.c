/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernel was measured: the roottask tells it with a checksum, the kernel's own line without one. */
#include "program.h"

#include "host/line_seal.h"
#include "host/mem.h"
#include "measure/protocol.h"
#include "result/result.h"

#include "recorded.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/*
 * The console of sealed.log, to be freed, with 16 other digits of a build in the kernel's line, and a roottask that
 * tells the build id.
 */
static char *log_of(const char *shown, const char *id)
{
	static const char run[] = PROTOCOL_PREFIX "{\"type\":\"run\"", build[] = "849bf34f9866c3ac";
	size_t size;
	char *log = recorded("sealed", &size), *start = strstr(log, run) + strlen(PROTOCOL_PREFIX);
	char *seal = strstr(start, ",\"crc\""), *end = strchr(start, '\n'), *json, *text;

	memcpy(strstr(log, build), shown, strlen(build));
	json = xasprintf("%.*s,\"kernel_build_id\":\"%s\"", (int)(seal - start), start, id);
	text = xasprintf("%.*s%s" LINE_SEAL_FORMAT "%s", (int)(start - log), log, json,
			 line_seal_crc(json, strlen(json)), end);
	free(json);
	free(log);
	return text;
}

static void identified_boot(const char *name, const char *shown, const char *id)
{
	char *text = log_of(shown, id);

	write_file(name, text, strlen(text));
	free(text);
}

/* A damaged digit in the kernel's line makes no other kernel, and a right one not the same. */
UNIT_TEST(builds)
{
	static const char id[] = "849bf34f9866c3ac0123456789abcdef01234567";
	char *path = in_folder("builds.json");
	struct result r;
	struct error error;

	identified_boot("whole.log", "849bf34f9866c3ac", id);
	identified_boot("damaged.log", "849bf34f9866c3ad", id);
	identified_boot("other.log", "849bf34f9866c3ac", "849bf34f9866c3ac0123456789abcdef01234568");
	expect(0, "import --machine lab-1 -M instructions -o builds.json whole.log");
	lacks("note:");
	expect(0, "import --machine lab-1 -M instructions -o builds.json whole.log damaged.log");
	has("2 boots");
	has("note: the kernel's first line was damaged: it says build 849bf34f9866c3ad, and the roottask, with a "
	    "checksum, 849bf34f9866c3ac");
	assert_true(result_load(&r, path, &error));
	assert_string_equal(result_text(&r, "kernel_build_id"), id);
	result_free(&r);
	expect(4, "import --machine lab-1 -M instructions -o builds.json whole.log other.log");
	has("the boots are not of the same thing: kernel_build_id");
	free(path);
}

/* A kernel's file with a build id of 20 times the byte. */
static void kernel_file(const char *name, unsigned char byte)
{
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr segment;
		Elf32_Nhdr note;
		char owner[4];
		unsigned char id[20];
	} image = {
		.head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
			 .e_phoff = sizeof(Elf32_Ehdr),
			 .e_phnum = 1},
		.segment = {.p_type = PT_NOTE,
			    .p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			    .p_filesz = sizeof(Elf32_Nhdr) + 24},
		.note = {4, 20, NT_GNU_BUILD_ID},
		.owner = "GNU",
	};

	memset(image.id, byte, sizeof(image.id));
	write_file(name, (const char *)&image, sizeof(image));
}

/* The roottask tells which kernel ran: the machine may have booted something else than it was given. */
UNIT_TEST(another_kernel)
{
	char *log = log_of("abababababababab", "abababababababababababababababababababab");
	char *path = in_folder("said.log");

	machine("good", "33", false);
	write_file("said.log", log, strlen(log));
	setenv("HBENCH_FAKE_LOG", path, 1);
	kernel_file("ab.elf", 0xab);
	kernel_file("cd.elf", 0xcd);
	expect(4, "run -t qemu -k cd.elf -r root.elf -o another.json");
	has("cd.elf is not the kernel that ran: its build id is cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd, and the "
	    "machine's abababababababababababababababababababab");
	assert_false(exists("another.json"));
	expect(0, "run -t qemu -k ab.elf -r root.elf -o another.json");
	expect(0, "run -t qemu -k kernel.elf -r root.elf -o another.json"); /* a file that has none */
	free(path);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds),
		cmocka_unit_test(another_kernel),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
