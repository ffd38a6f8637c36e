/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctf.h"

#include "fields.h"

#include <inttypes.h>
#include <string.h>

static const char types[] = "/* CTF 1.8 */\n\n"
			    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
			    "typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
			    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
			    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
			    "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64_t;\n\n";

static const char streams[] = "typealias integer { size = 64; align = 8; signed = false; map = clock.tsc.value; } := "
			      "tsc_t;\n\n"
			      "stream {\n\tid = 0;\n"
			      "\tevent.header := struct { uint16_t id; tsc_t timestamp; };\n"
			      "\tpacket.context := struct {\n"
			      "\t\ttsc_t timestamp_begin;\n\t\ttsc_t timestamp_end;\n"
			      "\t\tuint64_t content_size;\n\t\tuint64_t packet_size;\n"
			      "\t\tuint64_t events_discarded;\n\t\tuint32_t cpu_id;\n\t};\n};\n";

/* A string literal: nothing that could end it. */
static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		fputc(*text == '"' || *text == '\\' || *text < ' ' || *text > '~' ? '?' : *text, out);
	fputc('"', out);
}

static void print_trace(FILE *out, const struct view *view, const unsigned char uuid[16])
{
	static const char *const keys[] = {"suite", "boot_line", "kernel_build_id", "cpu_brand", "when"};

	fputs("trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"", out);
	for (unsigned i = 0; i < 16; i++)
		fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	fputs("\";\n\tbyte_order = le;\n"
	      "\tpacket.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; };\n};\n\n"
	      "env {\n\tdomain = \"hypervisor\";\n\ttracer_name = \"htrace\";\n",
	      out);
	for (size_t i = 0; i < array_size(keys); i++) {
		fprintf(out, "\t%s = ", keys[i]);
		print_string(out, trace_text(&view->trace, keys[i]));
		fputs(";\n", out);
	}
	fprintf(out,
		"};\n\nclock {\n\tname = \"tsc\";\n\tdescription = \"time-stamp counter\";\n\tfreq = %" PRIu64
		";\n\toffset = 0;\n};\n\n",
		1000 * trace_khz(&view->trace));
}

struct labels {
	const char *field;
	unsigned event; /* TRACE_EVENTS: all */
	const char *(*name)(unsigned value);
};

/* Numbers that have names; one without stays a number. */
static const struct labels labels[] = {
	{"number", TRACE_HYPERCALL, field_hypercall},
	{"status", TRACE_EVENTS, field_status},
	{"reason", TRACE_EVENTS, field_exit},
	{"vector", TRACE_EVENTS, field_exception},
	{"how", TRACE_EVENTS, field_way},
	{"mode", TRACE_EVENTS, field_mode},
};

static const struct labels *labels_of(unsigned event, const char *field)
{
	for (size_t i = 0; i < array_size(labels); i++)
		if (!strcmp(labels[i].field, field) && (labels[i].event == TRACE_EVENTS || labels[i].event == event))
			return &labels[i];
	return NULL;
}

static void print_labels(FILE *out, const struct labels *l)
{
	const char *separator = "";

	fputs("enum : uint16_t { ", out);
	for (unsigned value = 0; value < 256; value++)
		if (*l->name(value)) {
			fprintf(out, "%s\"%s\" = %u", separator, l->name(value), value);
			separator = ", ";
		}
	fputs(" }", out);
}

static void print_event(FILE *out, unsigned event)
{
	const struct trace_record empty = {.event = (uint16_t)event};
	struct field fields[FIELDS];

	fields_of(&empty, fields);
	fprintf(out, "\nevent {\n\tname = \"hedron:%s\";\n\tid = %u;\n\tstream_id = 0;\n\tfields := struct {\n",
		trace_event_name(event), event);
	for (unsigned i = 0; i < FIELDS; i++) {
		const struct labels *l = labels_of(event, fields[i].name);

		if (!*fields[i].name)
			continue;
		fputs("\t\t", out);
		if (l)
			print_labels(out, l);
		else
			fputs(i ? "hex64_t" : "uint16_t", out);
		/* An underscore in front is no part of the name, and keeps it from being a keyword. */
		fprintf(out, " _%s;\n", fields[i].name);
	}
	fputs("\t};\n};\n", out);
}

void ctf_metadata(FILE *out, const struct view *view, const unsigned char uuid[16])
{
	fputs(types, out);
	print_trace(out, view, uuid);
	fputs(streams, out);
	for (unsigned event = 0; event < TRACE_EVENTS; event++)
		print_event(out, event);
}
