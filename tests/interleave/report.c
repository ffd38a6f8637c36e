/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "machine.h"
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORY_MAX 200000
#define NAMES_MAX 96
#define RACES_MAX 64

static char failure[300];
static bool failed;

/* ---- names ---- */

static struct {
	uint64_t start, size;
	char name[32];
} names[NAMES_MAX];
static unsigned name_count;

void report_name(const void *start, uint64_t size, const char *name)
{
	if (name_count == NAMES_MAX)
		return;
	names[name_count].start = (uint64_t)start;
	names[name_count].size = size;
	snprintf(names[name_count++].name, sizeof(names[0].name), "%s", name);
}

static const char *name_of(uint64_t address)
{
	static char text[64];

	for (unsigned i = 0; i < name_count; i++)
		if (address - names[i].start < names[i].size) {
			snprintf(text, sizeof(text), "%s+%#lx", names[i].name, address - names[i].start);
			return text;
		}
	snprintf(text, sizeof(text), "%#lx", address);
	return text;
}

/* ---- places in the source, all asked for at once ---- */

extern const char __executable_start; /* the linker's */

struct place {
	uint64_t pc;
	char text[120];
};

static void look_up(struct place *places, unsigned count)
{
	char list[] = "/tmp/interleave-XXXXXX", command[200];
	int fd = mkstemp(list);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		return;
	for (unsigned i = 0; i < count; i++)
		fprintf(f, "%#lx\n", places[i].pc - (uint64_t)&__executable_start - 1); /* within the call */
	fclose(f);
	snprintf(command, sizeof(command), "addr2line -f -s -e /proc/%d/exe <%s 2>/dev/null", getpid(), list);
	f = popen(command, "r");
	for (unsigned i = 0; f && i < count; i++) {
		char function[60] = "?", line[60] = "?";
		if (!fgets(function, sizeof(function), f) || !fgets(line, sizeof(line), f))
			break;
		function[strcspn(function, "\n")] = 0;
		line[strcspn(line, " \n")] = 0;
		snprintf(places[i].text, sizeof(places[i].text), "%s (%s)", function, line);
	}
	if (f)
		pclose(f);
	remove(list);
}

/* ---- failures ---- */

void report_reset(void)
{
	failed = false;
	name_count = 0;
}

const char *report_failure(void)
{
	return failed ? failure : NULL;
}

void report_fail(const char *fmt, ...)
{
	va_list args;

	if (!failed) {
		failed = true;
		va_start(args, fmt);
		vsnprintf(failure, sizeof(failure), fmt, args);
		va_end(args);
	}
	machine_abort();
}

/* ---- races ---- */

static struct {
	const void *first, *second;
} races[RACES_MAX];
static unsigned race_count;
static unsigned real_races; /* without those that are accepted */

/*
 * Unmarked on purpose, because a marked load costs an instruction on a measured path:
 * reap() compares an aligned word with zero; which of the two it is cannot change while the object is queued.
 */
static bool is_accepted(const char *place)
{
	return !strncmp(place, "reap (", 6);
}

unsigned report_races(void)
{
	return real_races;
}

void report_race(uint64_t address, unsigned first, bool first_writes, const void *first_pc, unsigned second,
		 bool second_writes, const void *second_pc)
{
	struct place places[2] = {{(uint64_t)first_pc, "?"}, {(uint64_t)second_pc, "?"}};

	for (unsigned i = 0; i < race_count; i++)
		if (races[i].first == first_pc && races[i].second == second_pc)
			return;
	if (race_count == RACES_MAX)
		return;
	races[race_count].first = first_pc;
	races[race_count++].second = second_pc;
	look_up(places, 2);
	if (is_accepted(places[0].text) || is_accepted(places[1].text))
		return;
	real_races++;
	printf("data race on %s: CPU %u %s in %s, CPU %u %s in %s\n", name_of(address), first,
	       first_writes ? "writes" : "reads", places[0].text, second, second_writes ? "writes" : "reads",
	       places[1].text);
}

/* ---- stories ---- */

static struct line {
	int cpu;
	uint64_t pc, address, value;
	unsigned size, access;
	char text[80];
} story[STORY_MAX];
static unsigned lines;
static bool kept;

void report_keep_story(bool on)
{
	kept = on;
	lines = 0;
}

static struct line *add(void)
{
	if (!kept || lines == STORY_MAX)
		return NULL;
	struct line *l = &story[lines++];
	*l = (struct line){.cpu = machine_running()};
	return l;
}

void report_access(const void *p, unsigned size, unsigned access, const void *pc)
{
	struct line *l = add();
	if (!l)
		return;
	l->pc = (uint64_t)pc;
	l->address = (uint64_t)p;
	l->size = size;
	l->access = access;
	memcpy(&l->value, p, size);
}

void report_note(const char *fmt, ...)
{
	struct line *l = add();
	va_list args;
	if (!l)
		return;
	va_start(args, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, args);
	va_end(args);
}

void report_switch(int to)
{
	if (to >= 0)
		report_note("goes on");
}

void report_kick(unsigned to)
{
	report_note("sends an NMI to CPU %u", to);
}

static void print(const struct line *l, const struct place *p)
{
	int indent = l->cpu < 0 ? 0 : l->cpu * 4;

	printf("%*sCPU %d  ", indent, "", l->cpu);
	if (l->text[0])
		printf("%s\n", l->text);
	else
		printf("%s %s at %s, was %#lx\n",
		       l->access & ACCESS_WRITE     ? "writes"
		       : l->access & ACCESS_BY_CALL ? "swaps"
						    : "reads",
		       name_of(l->address), p->text, l->value);
}

void report_story(void)
{
	struct place *places = calloc(lines + 1, sizeof(*places));

	if (!places)
		return;
	for (unsigned i = 0; i < lines; i++)
		places[i].pc = story[i].pc;
	look_up(places, lines);
	for (unsigned i = 0; i < lines; i++)
		print(&story[i], &places[i]);
	free(places);
}
