/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded console, damaged in every place: what is accepted is what was measured. Lines of the kernel carry no
 * checksum; they give a result its description and no number, so damage to them may change the description only.
 */
#include "test.h"

#include "host/mem.h"
#include "measure/lines.h"
#include "measure/session.h"

#include "recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSERTED_MAX 64

static struct {
	char *data, *copy;
	size_t size;
	char *numbers, *words; /* what it says when it is whole */
	struct lines lines;
	size_t accepted, refused;
} tape;

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	session_line(context, line, len, cut);
}

static void play(struct session *session, const char *data, size_t size)
{
	session_init(session, "ipc", false);
	tape.lines.used = 0;
	lines_feed(&tape.lines, data, size, on_line, session);
	lines_finish(&tape.lines, on_line, session);
	session_finish(session);
}

static void print_hist(FILE *out, const struct hist *hist)
{
	for (size_t i = 0; i < hist->used; i++)
		fprintf(out, "[%ju,%ju,%ju]", (uintmax_t)hist->bins[i].lower, (uintmax_t)hist->bins[i].width,
			(uintmax_t)hist->bins[i].count);
	fputc('\n', out);
}

static void print_run(FILE *out, const struct run_record *r)
{
	fprintf(out, "%jd %s %s %s %s %s %s\n", (intmax_t)r->protocol, r->suite, r->kernel, r->kernel_build_id,
		r->cpu, r->vendor, r->cmdline);
	fprintf(out, "%jd %jd %jd %jd %jd %jd %jd\n", (intmax_t)r->api, (intmax_t)r->family, (intmax_t)r->model,
		(intmax_t)r->stepping, (intmax_t)r->tsc_khz, (intmax_t)r->cpus, (intmax_t)r->memory_mb);
	fprintf(out, "%d %d %d %s %s %s %s %s\n", r->tsc_invariant, r->traced, r->smt, r->features,
		r->arch_capabilities, r->microcode, r->firmware, r->hypervisor);
}

static void print_measurement(FILE *out, const struct measurement *m)
{
	const struct sample *s = &m->sample;

	fprintf(out, "%s %ju %ju %ju %ju %ju %ju\n", m->name, (uintmax_t)s->batch, (uintmax_t)s->n,
		(uintmax_t)s->overhead, (uintmax_t)s->min, (uintmax_t)s->max, (uintmax_t)s->sum);
	for (size_t i = 0; i < s->order_count; i++)
		fprintf(out, "%ju ", (uintmax_t)s->order[i]);
	print_hist(out, &s->hist);
	print_hist(out, &s->smi);
}

/* All that a result takes from the lines of the roottask. */
static char *numbers_of(const struct session *s)
{
	const struct calibration_record *c = &s->calibration;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print_run(out, &s->run);
	fprintf(out, "%ju %ju %d %ju\n", (uintmax_t)c->overhead, (uintmax_t)c->overhead_max, c->stable,
		(uintmax_t)c->clock);
	print_hist(out, &c->hist);
	for (size_t i = 0; i < s->measured_count; i++)
		print_measurement(out, &s->measured[i]);
	for (size_t i = 0; i < s->skipped_count; i++)
		fprintf(out, "%s %s\n", s->skipped[i].name, s->skipped[i].why);
	fclose(out);
	return text;
}

/* What it takes from those of the kernel. */
static char *words_of(const struct session *s)
{
	return xasprintf("%s|%s", s->boot_line, s->registers);
}

static void set_up_tape(const char *name)
{
	struct session s;

	tape.data = recorded(name, &tape.size);
	tape.copy = xcalloc(tape.size + INSERTED_MAX, 1);
	tape.accepted = tape.refused = 0;
	play(&s, tape.data, tape.size);
	assert_int_equal(s.fault, FAULT_NONE);
	tape.numbers = numbers_of(&s);
	tape.words = words_of(&s);
	session_free(&s);
}

static void free_tape(void)
{
	free(tape.data);
	free(tape.copy);
	free(tape.numbers);
	free(tape.words);
}

/* What a wire did is not a fault of the roottask, and is worth another try. */
static bool says_so(enum fault fault)
{
	return fault == FAULT_DAMAGED || fault == FAULT_COUNT || fault == FAULT_TRUNCATED;
}

/* Judges the damaged copy; the damage begins at `at`. */
static void judge(size_t size, size_t at, bool of_kernel, const char *how)
{
	struct session s;
	char *numbers, *words;

	play(&s, tape.copy, size);
	numbers = numbers_of(&s);
	words = words_of(&s);
	tape.accepted += s.fault == FAULT_NONE;
	tape.refused += s.fault != FAULT_NONE;
	if (s.fault == FAULT_NONE && (strcmp(numbers, tape.numbers) || (!of_kernel && strcmp(words, tape.words))))
		fail_msg("%s at byte %zu: another result was accepted:\n%s%s", how, at, numbers, words);
	if (s.fault != FAULT_NONE && (of_kernel || !says_so(s.fault)))
		fail_msg("%s at byte %zu: %s (%s)", how, at, fault_text(s.fault), s.detail.text);
	free(numbers);
	free(words);
	session_free(&s);
}

/* Whether the byte belongs to a line of the kernel. */
static bool in_kernel_line(size_t at)
{
	const char *line = at ? memrchr(tape.data, '\n', at) : NULL;

	line = line ? line + 1 : tape.data;
	return (size_t)(tape.data + tape.size - line) < strlen(PROTOCOL_PREFIX) ||
	       memcmp(line, PROTOCOL_PREFIX, strlen(PROTOCOL_PREFIX));
}

/* `removed` bytes from `at` on are replaced by `count` others; gives the new size. */
static size_t damage(size_t at, size_t removed, const char *inserted, size_t count)
{
	assert_true(count <= INSERTED_MAX && at + removed <= tape.size);
	memcpy(tape.copy, tape.data, at);
	memcpy(tape.copy + at, inserted, count);
	memcpy(tape.copy + at + count, tape.data + at + removed, tape.size - at - removed);
	return tape.size - removed + count;
}

static void replace(size_t at, char byte, const char *how)
{
	judge(damage(at, 1, &byte, 1), at, in_kernel_line(at), how);
}

static void damage_byte(size_t at)
{
	char old = tape.data[at], twice[] = {old, old};

	judge(damage(at, 1, "", 0), at, in_kernel_line(at), "a lost byte");
	judge(damage(at, 1, twice, 2), at, in_kernel_line(at), "a doubled byte");
	for (int bit = 0; bit < 8; bit++)
		replace(at, (char)(old ^ 1 << bit), "a flipped bit");
	for (char digit = '0'; old >= '0' && old <= '9' && digit <= '9'; digit++)
		if (digit != old)
			replace(at, digit, "another digit");
}

UNIT_TEST(every_byte)
{
	set_up_tape("sealed");
	for (size_t at = 0; at < tape.size; at++)
		damage_byte(at);
	assert_true(tape.refused > 4 * tape.accepted); /* the kernel's lines are the smaller part */
	free_tape();
}

UNIT_TEST(every_pair_of_neighbours)
{
	set_up_tape("sealed");
	for (size_t at = 0; at + 1 < tape.size; at++) {
		char swapped[] = {tape.data[at + 1], tape.data[at]};

		judge(damage(at, 2, swapped, 2), at, in_kernel_line(at) && in_kernel_line(at + 1), "swapped bytes");
	}
	free_tape();
}

static size_t line_at(size_t at)
{
	const char *end = memchr(tape.data + at, '\n', tape.size - at);

	return end ? (size_t)(end - tape.data) + 1 : tape.size;
}

/* The first line, from `a` on, changes places with the second, from `b` on. */
static void swap_lines(size_t a, size_t b)
{
	size_t a_size = line_at(a) - a, b_size = line_at(b) - b, between = b - a - a_size;
	char *to = tape.copy;

	memcpy(to, tape.data, tape.size);
	memcpy(to + a, tape.data + b, b_size);
	memcpy(to + a + b_size, tape.data + a + a_size, between);
	memcpy(to + a + b_size + between, tape.data + a, a_size);
	judge(tape.size, a, in_kernel_line(a) && in_kernel_line(b), "swapped lines");
}

static void double_line(size_t at)
{
	size_t end = line_at(at), size = end - at;
	char *copy = tape.copy;

	tape.copy = xcalloc(tape.size + size, 1);
	memcpy(tape.copy, tape.data, end);
	memcpy(tape.copy + end, tape.data + at, tape.size - at);
	judge(tape.size + size, at, in_kernel_line(at), "a doubled line");
	free(tape.copy);
	tape.copy = copy;
}

UNIT_TEST(every_line)
{
	set_up_tape("sealed");
	for (size_t at = 0; at < tape.size; at = line_at(at)) {
		judge(damage(at, line_at(at) - at, "", 0), at, in_kernel_line(at), "a lost line");
		double_line(at);
		for (size_t other = line_at(at); other < tape.size; other = line_at(other))
			swap_lines(at, other);
	}
	free_tape();
}

/* Words of the kernel in any place: a panic is named, and only a panic is. */
static void expect_words(const char *words, enum fault fault, bool always)
{
	size_t found = 0;

	set_up_tape("sealed");
	for (size_t at = 0; at <= tape.size; at++) {
		struct session s;

		play(&s, tape.copy, damage(at, 0, words, strlen(words)));
		found += s.fault == fault;
		if (always && s.fault != fault)
			fail_msg("`%s` at byte %zu: %s", words, at, fault_text(s.fault));
		if (!always && s.fault != FAULT_NONE && !says_so(s.fault))
			fail_msg("`%s` at byte %zu: %s", words, at, fault_text(s.fault));
		session_free(&s);
	}
	assert_true(found);
	free_tape();
}

UNIT_TEST(words_of_the_kernel_anywhere)
{
	expect_words("error: PANIC: bug: x < y at sm.c:12\r\n", FAULT_PANIC, true);
	expect_words("error: Panic button pressed\r\n", FAULT_DAMAGED, false);
	expect_words("Panic button pressed\r\n", FAULT_DAMAGED, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),
		cmocka_unit_test(every_pair_of_neighbours),
		cmocka_unit_test(every_line),
		cmocka_unit_test(words_of_the_kernel_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
