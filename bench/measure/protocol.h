/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a machine's console, decoded: docs/bench-protocol.md. The line comes over a serial wire that others
 * write to as well, so nothing about it is trusted. No I/O and no state here: the fuzzer calls this directly.
 */
#pragma once

#include "host/error.h"
#include "result/finding.h"
#include "result/sample.h"

#include <stddef.h>
#include <stdint.h>

enum {
	PROTOCOL_VERSION = 3,
	PROTOCOL_UNSEALED = 1, /* the first version: lines carry neither numbers nor checksums */
	PROTOCOL_LINE_MAX = 131072,
	PROTOCOL_STRING_MAX = 120,
	PROTOCOL_NAME_MAX = 256,
};

#define PROTOCOL_PREFIX "HBENCH "

typedef char protocol_string[PROTOCOL_STRING_MAX + 1];

enum record_type {
	RECORD_NONE, /* not a line of the protocol */
	RECORD_RUN,
	RECORD_CALIBRATION,
	RECORD_SAMPLE,
	RECORD_SKIP,
	RECORD_FAIL,
	RECORD_FINDING,
	RECORD_END,
};

struct run_record {
	int64_t protocol;
	protocol_string suite, kernel, cpu, vendor, cmdline;
	int64_t api, family, model, stepping, tsc_khz, cpus;
	bool tsc_invariant;
	bool traced; /* optional: the kernel recorded what it did, which takes time */
	/* Optional: "" or 0 when the roottask does not tell */
	protocol_string kernel_build_id, features, arch_capabilities, microcode, firmware, hypervisor, frequency;
	int64_t memory_mb;
	int64_t placement; /* seed of where things lay in this boot; 0: where they always do */
	int smt;           /* 1: on, -1: off, 0: not told */
};

struct calibration_record {
	uint64_t overhead, overhead_max;
	bool stable;
	uint64_t skew, skew_bound; /* of the CPUs' counters: certain, and possible; optional, bound 0: not told */
	uint64_t clock;   /* rate of the core over that of the counter, in thousandths; optional, 0: not told */
	struct hist hist; /* optional: of empty measurements */
};

struct record {
	enum record_type type;
	bool damaged;                 /* of a line that was refused: it came otherwise than it was written */
	bool sealed;                  /* it carries the checksum that belongs to it */
	uint64_t line;                /* its number, if it is sealed */
	protocol_string suite;        /* sample, skip, fail */
	char name[PROTOCOL_NAME_MAX]; /* same: "case/param:value", params in alphabetical order */
	protocol_string why;          /* skip, fail */
	uint64_t lines;               /* end */
	uint64_t drift;               /* end: of the CPUs' counters, in ticks; optional */
	struct run_record run;
	struct calibration_record calibration;
	struct sample sample;
	struct finding finding;
};

/*
 * Decodes one line without its LF. True when it is a good protocol line or none at all (RECORD_NONE); false with the
 * reason when the prefix is there and what follows is not a line of the protocol.
 */
bool protocol_parse(const char *line, size_t len, struct record *record, struct error *error) must_check;

/* Whether lines of this version can be read. */
bool protocol_version_known(int64_t version);

void record_free(struct record *record);
