#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Counts what the micro benchmarks of the kernel's data structures (bench/micro) execute, one by one: instructions, cycles and
misses per iteration with the counters of the CPU, by perf; where there are none, instructions by Valgrind. Or records where
their time goes.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import callgrind
import exits
import perf
import report

HERE = pathlib.Path(__file__).resolve().parent
THREADS = re.compile(r"/threads:(?!1$)\d+$")
SHORT = 0.1  # of the time of a long run
LONG, PATIENCE = 1000000, 10  # instructions, seconds: beyond either, a single iteration is enough
TOP = 10  # functions that are shown

EXAMPLES = """\
examples:
  micro.py                              all benchmarks
  micro.py --program cap,sched          those of two programs
  micro.py --filter '^rotate'           those whose names match
  micro.py --record --program cap       where the time goes: functions, call stacks for flame graphs, a file for `perf report`

exit codes: 0 all is well; 2 wrong usage; 4 a benchmark failed or does not exist, or a tool failed
"""


class MicroError(Exception):
    """There is no valid result; the text says why."""


def arguments(words):
    parser = argparse.ArgumentParser(prog="micro.py", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/micro", metavar="FOLDER",
                        help="of the preset micro (default: build/micro)")
    parser.add_argument("--program", default="", metavar="NAME,...", help="only these of bench/micro, without _bench")
    parser.add_argument("--filter", default=".", metavar="REGEX", help="only benchmarks whose names match")
    parser.add_argument("--counters", choices=("auto", "perf", "callgrind", "none"), default="auto",
                        help="where counts come from (default: perf if it can count here, else callgrind)")
    parser.add_argument("--min-time", type=float, default=0.2, metavar="SECONDS", help="of a benchmark (default: %(default)g)")
    parser.add_argument("--record", action="store_true", help="do not count, but record where the time goes")
    parser.add_argument("--output", type=pathlib.Path, default=HERE.parent / "build/profile/micro", metavar="FOLDER",
                        help="for files (default: build/profile/micro)")
    return parser.parse_args(words)


def programs(args):
    """Paths of the programs that were asked for."""
    folder = args.build / "bench/micro"
    found = {file.name.removesuffix("_bench"): file for file in sorted(folder.glob("*_bench")) if os.access(file, os.X_OK)}
    wanted = [name for name in args.program.split(",") if name] or list(found)
    missing = [name for name in wanted if name not in found]
    if not found:
        raise MicroError(f"there is no program in {folder}: ./run profile micro makes them")
    if missing:
        raise MicroError(f"no program {', '.join(missing)}; there are: {', '.join(found)}")
    return [found[name] for name in wanted]


def command(program, name, min_time):
    """Runs the benchmark of exactly this name, or those that match a compiled expression."""
    choice = name.pattern if isinstance(name, re.Pattern) else f"^{re.escape(name)}$"
    return [program, f"--benchmark_filter={choice}", "--benchmark_format=json", f"--benchmark_min_time={min_time:g}"]


def results(text, program):
    """{name: (iterations, nanoseconds)} from what a program of Google's library writes."""
    scales = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    try:
        entries = json.loads(text)["benchmarks"]
        failed = [entry["name"] for entry in entries if entry.get("error_occurred")]
        if failed:
            raise MicroError(f"{program.name}: {', '.join(failed)} failed")
        return {entry["name"]: (entry["iterations"], entry["cpu_time"] * scales[entry["time_unit"]]) for entry in entries}
    except (ValueError, KeyError, TypeError):
        raise MicroError(f"{program.name} did not write a result: {text.strip()[-200:]}") from None


def output_of(words):
    """What a program writes that has to succeed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MicroError(f"{words[0].name}: {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}")
    return done.stdout


def names(program, expression):
    return output_of([program, "--benchmark_list_tests", f"--benchmark_filter={expression.pattern}"]).split()


def time_all(program, expression, min_time):
    """{name: nanoseconds} without any counting."""
    return {name: time for name, (_, time) in results(output_of(command(program, expression, min_time)), program).items()}


def count_with_perf(program, name, min_time):
    """{event: count per iteration}: the difference of a long and a short run, in which start and preparation are the same."""
    runs = []
    for time in (min_time * SHORT, min_time):
        with tempfile.TemporaryDirectory() as folder:
            text, counts = perf.stat(command(program, name, time), pathlib.Path(folder, "stat"))
        runs.append((results(text, program)[name][0], counts))
    (few, less), (many, more) = runs
    if many <= few:
        return {}
    return {event: (more[event] - less[event]) / (many - few) for event in perf.EVENTS
            if more.get(event) is not None and less.get(event) is not None}


def count_with_callgrind(program, name, min_time):
    """
    Callgrind writes its counts at both ends of the loop, and a short loop may by then have run only once: it is measured again for
    a longer time. Threads cannot be told apart.
    """
    if THREADS.search(name):
        return {}
    while True:
        with tempfile.TemporaryDirectory() as folder:
            text, runs = callgrind.count(command(program, name, min_time), folder)
        iterations = results(text, program)[name][0]
        if iterations > 1 or runs[-1] > LONG or min_time > PATIENCE:
            return {"instructions": callgrind.per_iteration(runs, iterations)}
        min_time *= 4


def choose(wanted):
    """(way of counting or None, lines that explain it)."""
    ways = {"perf": (perf.why_not, count_with_perf), "callgrind": (callgrind.why_not, count_with_callgrind)}
    lines = []
    for way in ("perf", "callgrind") if wanted == "auto" else () if wanted == "none" else (wanted,):
        why_not, count = ways[way]
        reason = why_not()
        if not reason:
            lines.append(f"counts by {way}, of the program alone")
            return count, lines
        lines.append(f"no counts by {way}: {reason}")
    if wanted not in ("auto", "none"):
        raise MicroError(lines[-1])
    return None, lines


def count_all(tasks, count, min_time):
    """[counts of each (program, name)]. Valgrind's do not depend on what else the machine does."""
    if not count:
        return [{} for _ in tasks]
    workers = os.cpu_count() if count is count_with_callgrind else 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda task: count(*task, min_time), tasks))


def table(rows):
    """Lines; `rows` are documents of benchmarks."""
    columns = [event for event in perf.EVENTS if any(event in row["counts"] for row in rows)]
    head = ["benchmark", "ns", *(event.replace("instructions", "instr.") for event in columns)]
    text = [[f"{row['program']}/{row['name']}", f"{row['nanoseconds']:.1f}",
             *(f"{row['counts'][event]:.1f}" if event in row["counts"] else "." for event in columns)] for row in rows]
    return list(report.columns([head, *text], 1))


def show_counts(args, expression):
    count, lines = choose(args.counters)
    times = {program: time_all(program, expression, args.min_time) for program in programs(args) if names(program, expression)}
    tasks = [(program, name) for program, found in times.items() for name in found]
    if not tasks:
        raise MicroError(f"no benchmark matches {args.filter}")
    counts = count_all(tasks, count, args.min_time)
    rows = [{"program": program.name.removesuffix("_bench"), "name": name, "nanoseconds": times[program][name], "counts": found}
            for (program, name), found in zip(tasks, counts)]
    lines += ["", *table(rows)]
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "table.txt").write_text("\n".join([*lines, ""]))
    (args.output / "results.json").write_text(json.dumps({"benchmarks": rows}, indent="\t") + "\n")
    print("\n".join([*lines, "", f"In {args.output}: table.txt, results.json"]))


def record_with_perf(program, expression, args):
    """Lines about one program."""
    event = perf.CLOCK if perf.why_not() else "cycles"
    data, folded = (args.output / f"{program.name}{suffix}" for suffix in (".perf.data", ".folded"))
    perf.record(command(program, expression, args.min_time), data, event)
    stacks = perf.folded(data)
    folded.write_text("\n".join([*stacks, ""]))
    yield f"{program.name}: samples of {event}, in {data.name} (perf report -i) and {folded.name}"
    yield from (f"{share:>7.1%}  {name}" for share, name in perf.top(stacks, TOP))


def record_with_callgrind(program, expression, args):
    output = args.output / f"{program.name}.callgrind"
    lines = callgrind.profile(command(program, expression, args.min_time), output)
    yield f"{program.name}: executed instructions, in {output.name} (callgrind_annotate, KCachegrind)"
    yield from (line[:120] for line in lines[1:TOP + 1])


def show_records(args, expression):
    if shutil.which("perf") and args.counters != "callgrind":
        show = record_with_perf
    elif not callgrind.why_not():
        show = record_with_callgrind
    else:
        raise MicroError(f"nothing can be recorded: {perf.why_not()}; {callgrind.why_not()}")
    args.output.mkdir(parents=True, exist_ok=True)
    chosen = [program for program in programs(args) if names(program, expression)]
    if not chosen:
        raise MicroError(f"no benchmark matches {args.filter}")
    for program in chosen:
        print("\n".join([*show(program, expression, args), ""]), flush=True)
    print(f"All of it is in {args.output}")


def main(words):
    args = arguments(words)
    try:
        expression = re.compile(args.filter)
        (show_records if args.record else show_counts)(args, expression)
    except re.error as error:
        print(f"micro.py: --filter: {error}", file=sys.stderr)
        return exits.USAGE
    except (MicroError, perf.PerfError, callgrind.CallgrindError, OSError) as error:
        print(f"micro.py: {error}", file=sys.stderr)
        return exits.INVALID
    return 0


if __name__ == "__main__":
    exits.run(main, "micro.py")
