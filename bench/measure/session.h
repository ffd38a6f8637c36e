/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One boot, line by line of its console: collects the measurements and finds the fault that makes them worthless. The
 * first fault counts. Each has a text and advice for the user.
 */
#pragma once

#include "host/trace_lines.h"
#include "measure/protocol.h"

#define FAULT_LIST(X)                                                                                               \
	X(NONE, "the run is good", "")                                                                              \
	X(PANIC, "the kernel panicked",                                                                             \
	  "The kernel's last words are in the console log. Reproduce it with a debug build of the kernel.")         \
	X(FOREIGN, "another system panicked",                                                                       \
	  "Its message is not of this kernel: another system was booted, or it runs below or above this one. Look " \
	  "at the start of the console log for what came up.")                                                      \
	X(NO_BOOT, "the kernel did not boot",                                                                       \
	  "Check that --kernel is a kernel image (hypervisor.elf32 for QEMU), that it writes to the serial line "   \
	  "that is read (--append serial=...) and that --cpu and --memory give it what it needs.")                  \
	X(NO_RUN, "the roottask reported nothing",                                                                  \
	  "Check that --roottask is a benchmark roottask and look in the console log for a message of the kernel "  \
	  "about its image.")                                                                                       \
	X(PROTOCOL, "the roottask speaks another version of the protocol",                                          \
	  "Build the roottask and hbench from the same revision.")                                                  \
	X(DAMAGED, "a line was damaged on its way",                                                                 \
	  "Another writer on the serial port, or a bad line: speed, flow control, length. What the line was "       \
	  "is not guessed: measure again.")                                                                         \
	X(MALFORMED, "a protocol line cannot be read",                                                              \
	  "The line is in the console log. Another writer on the serial port, or a fault of the roottask: "         \
	  "docs/bench-protocol.md says what the line should be.")                                                   \
	X(ORDER, "protocol lines came in the wrong order",                                                          \
	  "Expected: run, calibration, then samples, then end. A second `run` line usually means that the machine " \
	  "was reset in between.")                                                                                  \
	X(SUITE, "the roottask runs another suite", "Give the suite that the roottask has, or another --roottask.") \
	X(DUPLICATE, "a case was measured twice",                                                                   \
	  "`case` with `params`, or the name of a finding, must be unique in a run: this is a fault of the "        \
	  "roottask.")                                                                                              \
	X(CLOCK, "the machine's clock is no measure of time",                                                       \
	  "Use another machine. In a virtual one pass the CPU's invariant time-stamp counter on: QEMU with "        \
	  "-cpu host,+invtsc.")                                                                                     \
	X(UNSTABLE, "the calibration is not stable",                                                                \
	  "The cost of an empty measurement changes, so nothing else can be measured. In an emulator check that "   \
	  "instructions are counted (QEMU: -icount); on a real machine turn off frequency scaling and other load.") \
	X(FAILED, "an operation gave a wrong result",                                                               \
	  "A number measured beside a failure means nothing: the kernel or the roottask must be repaired first.")   \
	X(TRUNCATED, "the log is cut off: there is no `end` line",                                                  \
	  "The roottask died or the machine stopped on the way. Look at the end of the console log.")               \
	X(COUNT, "protocol lines were lost",                                                                        \
	  "The serial line dropped, doubled or mixed up output. Look in the console log for damaged lines.")        \
	X(TRACE, "the trace that was asked for is not there",                                                       \
	  "Tracing needs a kernel that announces it and a roottask that sends the trace (docs/tracing.md). If the " \
	  "serial line dropped output: --trace-records gives it less to carry.")                                    \
	X(NO_SAMPLE, "nothing was measured", "Every case was skipped: the reasons are in the console log.")         \
	X(TIMEOUT, "the time is over",                                                                              \
	  "The last lines of the console log show where it stopped. Give more time with --timeout if it was still " \
	  "measuring.")                                                                                             \
	X(EMULATOR, "the emulator gave up",                                                                         \
	  "Check --cpu and --memory. KVM in a virtual machine often cannot do all that a kernel needs: --accel "    \
	  "tcg.")                                                                                                   \
	X(START, "the command of --start failed",                                                                   \
	  "Run it by hand. It has HBENCH_KERNEL, HBENCH_ROOTTASK, HBENCH_APPEND, HBENCH_ROOT_WORDS and "            \
	  "HBENCH_BOOT in its environment.")                                                                        \
	X(EXIT, "the machine ended in another way than it should",                                                  \
	  "A triple fault or a reset looks like this. Look at the end of the console log.")

enum fault {
#define FAULT_ENUM(name, text, advice) FAULT_##name,
	FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
};

const char *fault_text(enum fault fault);
const char *fault_advice(enum fault fault);

struct measurement {
	char name[PROTOCOL_NAME_MAX];
	struct sample sample;
};

/* A case that was not measured, and why. */
struct skip {
	char name[PROTOCOL_NAME_MAX];
	protocol_string why;
};

struct session {
	const char *expected_suite; /* or NULL */
	bool measures_time;         /* ticks are not instructions, so they must be of equal length */
	bool wants_trace;           /* a run without one, or with a damaged one, is not valid */

	enum fault fault;
	struct error detail;

	char boot_line[256], registers[128]; /* lines of the kernel; "" when they did not come */
	struct run_record run;
	struct calibration_record calibration;
	struct measurement *measured;
	size_t measured_count;
	struct skip *skipped;
	size_t skipped_count;
	struct skip *failed; /* cases with a wrong result */
	size_t failed_count;
	struct finding *findings; /* about the machine */
	size_t finding_count;
	struct trace_lines trace_lines;         /* while they come */
	struct trace *trace;                    /* when all of it is there; NULL: there is none */
	uint64_t console_lines, protocol_lines; /* so far */
	uint64_t drift;                         /* of the CPUs' counters against each other, in ticks */
	bool sealed;                            /* the `run` line carries a checksum, so all must */
	bool seen_run, seen_calibration, seen_end;
	bool reason_follows;   /* the reason of a panic comes in the next line */
	char last_remark[256]; /* last console line about a killed EC or a refused image */
	char last_line[256];   /* last console line that is not empty */
};

void session_init(struct session *session, const char *expected_suite, bool measures_time);

/* True for the line with which the kernel begins. */
bool session_boots(const char *line, size_t len);

/* The next console line. After a fault or the end, lines are still looked at for a panic and otherwise ignored. */
void session_line(struct session *session, const char *line, size_t len, bool cut);

/*
 * What of a console line may have been written by others: all of it, or what comes before and (which is returned)
 * after a whole object of the protocol, which may quote anything. When two write to a line at once, the words of one
 * begin in the middle of the other's.
 */
const char *session_loose_text(const char *line, size_t *len);
/* Tells the user of a log whose damage nobody would notice. */
void session_note_seals(const struct session *session);

/* True when nothing more needs to come. */
bool session_over(const struct session *session);

/* The console is silent for good: what is missing becomes a fault. */
void session_finish(struct session *session);

/* The same when the limit of `seconds` is over and the machine still runs. */
void session_time_over(struct session *session, unsigned seconds);

/* Records a fault of the machine around the session (timeout, exit), unless one is known already. */
void session_fault(struct session *session, enum fault fault, const char *fmt, ...) printf_like(3, 4);

void session_free(struct session *session);
