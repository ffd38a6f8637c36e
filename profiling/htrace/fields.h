/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the three numbers of a record mean, by the names that TRACE_LIST gives them. */
#pragma once

#include "view.h"

#define FIELDS 3
#define FIELD_TEXT_MAX 160

struct field {
	const char *name; /* "": there is none */
	uint64_t value;
};

/* extra, a, b. */
void fields_of(const struct trace_record *record, struct field fields[FIELDS]);

/* A field in words: "BAD_CAP", "EC3", "ec_up+0x12". */
void field_text(const struct view *view, const struct trace_record *record, const struct field *field,
		char out[FIELD_TEXT_MAX]);

/* The kind of object that a field of this name holds the address of; false: none. */
bool field_object(const char *name, enum object_kind *kind);

const char *field_hypercall(unsigned number); /* "call"; "" when there is none */
const char *field_exit(unsigned reason);      /* "cpuid" */
const char *field_exception(unsigned vector); /* "#PF" */
const char *field_status(unsigned status);    /* "BAD_CAP" */
const char *field_way(unsigned how);          /* "sysret" */
const char *field_mode(unsigned mode);        /* "kernel" */
