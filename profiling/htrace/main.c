/* SPDX-License-Identifier: GPL-2.0-or-later */
/* htrace: shows what the kernel recorded about itself, and turns it into what other tools read. */
#include "htrace.h"

static const struct verb *const verbs[] = {
	&verb_text,   &verb_stat,   &verb_json,       &verb_ctf,    &verb_perf, &verb_perfdata,
	&verb_folded, &verb_import, &verb_completion, &verb_manual, NULL,
};

const struct program program = {
	.name = "htrace",
	.summary = "look at traces that Hedron recorded",
	.more = "A first look:\n"
		"  hbench run --trace -k hypervisor.elf32 -r ipc.elf -t qemu -o new.json\n"
		"  htrace stat new.htrace\n"
		"  htrace text new.htrace | less\n\n"
		"Exit codes: 0 good, 2 usage, 4 a file cannot be used.\n",
	.about = "Shows what the kernel recorded about itself while it was traced: events with their times, "
		 "histograms of "
		 "how long paths took, samples of what ran. Other tools get it in their formats: Perfetto, "
		 "babeltrace2, "
		 "perf and FlameGraph.",
	.manual = ".SH EXIT STATUS\n.TP\n0\nAll is well.\n.TP\n2\nWrong usage.\n.TP\n4\nA file cannot be used.\n"
		  ".SH SEE ALSO\n\\fBhbench\\fR(1), \\fBbabeltrace2\\fR(1), \\fBperf\\-report\\fR(1), "
		  "\\fBperf\\-script\\fR(1)\n",
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	return verb_main(argc, argv);
}
