/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hbench: measures Hedron on emulated and real machines, compares results and guards baselines. */
#include "cmd/verbs.h"

static const struct verb *const verbs[] = {
	&verb_list,     &verb_run_machine, &verb_import, &verb_show,    &verb_compare, &verb_gate,
	&verb_baseline, &verb_export,      &verb_store,  &verb_history, &verb_report,  &verb_bisect,
	&verb_fleet,    &verb_completion,  &verb_manual, NULL,
};

static const char manual[] =
	".SH EXIT STATUS\n"
	".TP\n0\nSame or better; all is well.\n.TP\n1\nRegressed.\n.TP\n2\nWrong usage.\n"
	".TP\n3\nNot enough data for a verdict.\n"
	".TP\n4\nA run or a file is not valid, of another machine, or the machine drifted.\n"
	".TP\n5\nA benchmark of the baseline is missing.\n.TP\n130\nInterrupted.\n"
	".SH ENVIRONMENT\n"
	".TP\n\\fBHBENCH_DB\\fR\nDatabase of all results: a file of SQLite, postgresql://..., or none.\n"
	".TP\n\\fBHBENCH_SUITES\\fR\nFolder with the descriptions of suites.\n"
	".TP\n\\fBHBENCH_QEMU\\fR, \\fBHBENCH_BOCHS\\fR, \\fBHBENCH_GRUB_MKRESCUE\\fR, \\fBHBENCH_GRUB_MODULES\\fR\n"
	"Other programs than those of the PATH, and another folder of GRUB modules.\n"
	".TP\n\\fBHBENCH_PATHCOST\\fR\nAnother profiling/pathcost.py, for bisect.\n"
	".TP\n\\fBHBENCH_FLEET\\fR, \\fBHBENCH_MKIMAGE\\fR\nInventory of the lab, and another boot/mkimage.\n"
	".TP\n\\fBNO_COLOR\\fR\nNo colours on terminals.\n"
	".TP\n\\fBSOURCE_DATE_EPOCH\\fR\nTaken as the date of results.\n"
	".TP\n\\fBTMPDIR\\fR\nWhere the temporary folders of runs go.\n"
	".SH FILES\n.TP\nresults/\\fImachine\\fR/\\fIsuite\\fR.json\nBaselines.\n"
	".TP\n~/.local/share/hbench/history.db\nThe database of all results, unless HBENCH_DB names another.\n";

const struct program program = {
	.name = "hbench",
	.summary = "measure Hedron, compare results and guard baselines",
	.more = "A first measurement:\n"
		"  hbench run --target qemu --kernel hypervisor.elf32 --roottask ipc.elf -o new.json\n"
		"  hbench gate --baseline results new.json\n\n"
		"Exit codes: 0 good, 1 regressed, 2 usage, 3 not enough data, 4 run or file not valid, 5 benchmark\n"
		"missing, 130 interrupted.\n",
	.about = "Boots a kernel in an emulator or on a real machine, lets a benchmark roottask measure it, compares "
		 "what came out with earlier results, and fails a build when a path got longer.",
	.manual = manual,
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	return verb_main(argc, argv);
}
