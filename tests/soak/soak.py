#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Lets roottasks that stress and fuzz run for a long time, with fresh seeds, on machines of one, two and four CPUs in QEMU and Bochs,
with all kernels that are named. What fails is kept, with a command that repeats it. `./run soak` is the command for people.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import random
import re
import shlex
import signal
import sys
import tempfile
import threading
import time

import attempt as attempts
import plan

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STATUS_EVERY = 30  # seconds
LAST, LAST_PART = 20, 0.1  # seconds, and part of the whole time, in which runs may come to their end when time is over
KEPT_MAX = 40  # failures: the folders of more would be too much


def shown(path):
    """A path as somebody would type it here."""
    near = os.path.relpath(path)
    return shlex.quote(near if not near.startswith("../..") else str(path))


def again_command(folder):
    front = shown(SOURCE / "run")
    return f"{front if '/' in front else './' + front} soak --again {shown(folder)}"


def clock(seconds):
    return f"{int(seconds) // 60:3}:{int(seconds) % 60:02}"


class Soak:
    """The runs under way, their results, and what is said about them."""

    def __init__(self, args, kernels):
        self.args, self.kernels = args, kernels
        self.plan = plan.attempts(args.seed, args.programs, kernels, args.emulator, args.cpus)
        self.lock, self.interrupted = threading.Lock(), threading.Event()
        self.begin = time.monotonic()
        self.end = self.begin + 60 * args.minutes if args.minutes else None
        self.started = self.kept = 0
        self.running, self.results = {}, []
        self.log = open(args.output / "runs.jsonl", "w", encoding="utf-8")

    def say(self, text):
        print(f"{clock(time.monotonic() - self.begin)}  {text}", flush=True)

    def over(self, late=0):
        """No further run begins; or, `late` seconds later, those that go on are cut."""
        return self.interrupted.is_set() or bool(self.end and time.monotonic() > self.end + late)

    def cut(self):
        return self.over(min(LAST, LAST_PART * 60 * (self.args.minutes or 0)))

    def next(self):
        """What to run now, or None."""
        with self.lock:
            if self.over() or (self.args.runs and self.started >= self.args.runs):
                return None
            attempt = next(self.plan, None)
            if attempt:
                self.started += 1
                self.running[attempt.number] = attempt
            return attempt

    def work(self):
        """What one of the threads does. An emulator inherits what is blocked: signals to the group are for us, who then end it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        while attempt := self.next():
            kernel, program = self.kernels[attempt.kernel], self.args.build / f"{attempt.program}.elf"
            with tempfile.TemporaryDirectory(prefix="hedron-soak.") as name:
                made = pathlib.Path(name)
                result = attempts.run(attempt, kernel, program, made, self.args.limits, self.cut)
                self.note(result, kernel, program, made)

    def note(self, result, kernel, program, made):
        with self.lock:
            del self.running[result.attempt.number]
            self.results.append(dataclasses.replace(result, outcome=None))
            line = {**dataclasses.asdict(result.attempt), "seconds": round(result.seconds, 1), "cut": result.cut,
                    "complaints": result.complaints}
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
            if result.cut:
                self.say(f"cut after {result.seconds:.0f} s, counts as nothing: {result.attempt}")
            elif result.complaints:
                self.failure(result, kernel, program, made)
            elif self.args.verbose:
                self.say(f"passed in {result.seconds:.0f} s: {result.attempt}")

    def failure(self, result, kernel, program, made):
        self.say(f"FAILED after {result.seconds:.0f} s: {result.attempt}")
        for text in result.complaints[:5]:
            print(f"          {text[:200]}")
        if self.kept >= KEPT_MAX:
            print(f"          not kept: there are {KEPT_MAX} already", flush=True)
            return
        self.kept += 1
        folder = attempts.keep(result, kernel, program, made, self.args.output)
        print(f"          once more: {again_command(folder)}", flush=True)

    def status(self):
        with self.lock:
            failed = sum(bool(result.complaints) for result in self.results)
            now = ", ".join(sorted({f"{attempt.program}/{attempt.emulator}" for attempt in self.running.values()}))
            self.say(f"{len(self.results)} runs, {failed} failed; now {now}")

    def run(self):
        threads = [threading.Thread(target=self.work) for _ in range(self.args.jobs)]
        for thread in threads:
            thread.start()
        due = time.monotonic() + STATUS_EVERY
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.1)
            if time.monotonic() > due:
                self.status()
                due += STATUS_EVERY
        self.log.close()


def table(results):
    """Runs, and in parentheses failures, of each program and kernel on each machine."""
    runs, failures = collections.Counter(), collections.Counter()
    for result in results:
        if not result.cut:
            runs[result.attempt.place()] += 1
            failures[result.attempt.place()] += bool(result.complaints)
    rows = sorted({row for row, _ in runs})
    columns = [f"{emulator} {cpus}" for emulator in plan.EMULATORS for cpus in sorted({int(c.split()[1]) for _, c in runs})
               if any(f"{emulator} {cpus}" == column for _, column in runs)]
    yield ["roottask (kernel)", *columns]
    for row in rows:
        cells = ((runs[row, column], failures[row, column]) for column in columns)
        yield [row, *(f"{count} ({failed})" if failed else str(count or ".") for count, failed in cells)]


def summary(results):
    lines = list(table(results))
    widths = [max(map(len, column)) for column in zip(*lines)]
    print("\nruns, and in parentheses those that failed, by emulator and number of CPUs\n")
    for line in lines:
        print("  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]).rstrip())
    reasons = collections.Counter(re.sub(r"\d+", "N", result.complaints[0])[:110] for result in results if result.complaints)
    if reasons:
        print("\nhow often, and why (first complaint, numbers left out)\n")
        for text, count in reasons.most_common(20):
            print(f"{count:5}  {text}")


def verdict(results):
    """The last line and the exit code."""
    cut = sum(result.cut for result in results)
    failed = sum(bool(result.complaints) for result in results)
    passed = len(results) - cut - failed
    print(f"\n{cut} cut\n" if cut else "")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0 if passed else 3


def repeat(args):
    """Runs what was kept, the same way; CPUs of QEMU that run in parallel do not meet the same way each time."""
    results, stopped = [], threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    for number in range(args.times):
        result = attempts.again(args.again, args.limits, stopped.is_set)
        results.append(result)
        words = "cut" if result.cut else "FAILED" if result.complaints else "passed"
        print(f"{number + 1}: {words} after {result.seconds:.0f} s: {result.attempt}", flush=True)
        for text in result.complaints:
            print(f"    {text[:300]}", flush=True)
        if stopped.is_set():
            break
    return verdict(results)


def a_program(text):
    """NAME [WORDS]: a roottask that is none of ours, or one with other words."""
    name, _, words = text.partition(" ")
    return plan.Program(name.removesuffix(".elf"), dict.fromkeys(plan.EMULATORS, words))


def a_kernel(text):
    name, _, folder = text.partition("=")
    if not re.fullmatch(r"[\w.-]+", name) or not (pathlib.Path(folder) / attempts.KERNEL32).is_file():
        raise argparse.ArgumentTypeError(f"{text}: not NAME=FOLDER with a hypervisor.elf32 in it")
    return name, pathlib.Path(folder).resolve()


def arguments():
    parser = argparse.ArgumentParser(prog="run soak", description=__doc__, epilog="exit codes: 0 all runs passed, 1 some failed, "
                                     "2 wrong usage, 3 no run came to its end")
    parser.add_argument("minutes", nargs="?", type=float, help="how long (default: 10, or what --runs takes)")
    parser.add_argument("--runs", type=int, metavar="N", help="end after so many")
    parser.add_argument("--seed", type=int, metavar="N", help="of the order of the runs and of their seeds (default: by chance)")
    parser.add_argument("--only", metavar="PATTERN", default="", help="roottasks whose names this regular expression finds")
    parser.add_argument("--program", type=a_program, action="append", metavar='"NAME [WORDS]"',
                        help="this roottask instead of ours (may be repeated)")
    parser.add_argument("--emulator", choices=plan.EMULATORS, action="append", help="only this one (may be repeated)")
    parser.add_argument("--cpus", type=int, action="append", metavar="N", help="only so many (may be repeated; default: 1, 2, 4)")
    parser.add_argument("--build", type=pathlib.Path, metavar="FOLDER", default=SOURCE / "build/release", help="with the roottasks")
    parser.add_argument("--kernel", type=a_kernel, action="append", metavar="NAME=FOLDER",
                        help="kernels to run on (default: release and debug)")
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count(), help="emulators side by side")
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER", default=SOURCE / "build/soak", help="for what failed")
    parser.add_argument("--verbose", action="store_true", help="tell of runs that passed, too")
    parser.add_argument("--silence", type=float, metavar="SECONDS", default=attempts.Limits.host,
                        help="that a machine may be silent before it can be said to hang (default: %(default)s)")
    parser.add_argument("--again", type=pathlib.Path, metavar="FOLDER", help="nothing else than a failure that was kept, once more")
    parser.add_argument("--times", type=int, metavar="N", default=1, help="with --again: how often")
    return parser, parser.parse_args()


def check(parser, args):
    """What the options leave open, and what they get wrong."""
    scale = args.silence / attempts.Limits.host
    args.limits = attempts.Limits(args.silence, attempts.Limits.work * scale)
    if args.again:
        if not (args.again / attempts.ATTEMPT).is_file():
            parser.error(f"{args.again}: no failure was kept there")
        return
    args.programs = args.program or [program for program in plan.PROGRAMS if re.search(args.only, program.name)]
    args.emulator, args.cpus = args.emulator or plan.EMULATORS, args.cpus or plan.CPUS
    args.kernel = dict(args.kernel or [a_kernel(f"{name}={SOURCE}/build/{name}") for name in ("release", "debug")])
    for program in args.programs:
        if not (args.build / f"{program.name}.elf").is_file():
            parser.error(f"there is no {program.name}.elf in {args.build}")
    if not any(program.fits(emulator, cpus) for program in args.programs for emulator in args.emulator for cpus in args.cpus):
        parser.error("nothing is left to run")
    if args.minutes is None and not args.runs:
        args.minutes = 10
    args.seed = random.SystemRandom().randrange(plan.SEED_MAX) if args.seed is None else args.seed
    args.output.mkdir(parents=True, exist_ok=True)


def main():
    parser, args = arguments()
    try:
        check(parser, args)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    if args.again:
        sys.exit(repeat(args))
    soak = Soak(args, args.kernel)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: soak.interrupted.set())
    limit = " and ".join(filter(None, (args.minutes and f"{args.minutes:g} minutes", args.runs and f"{args.runs} runs")))
    print(f"{limit} with --seed {args.seed}, {args.jobs} emulators side by side; failures go to {shown(args.output)}", flush=True)
    soak.run()
    if soak.interrupted.is_set():
        print("stopped before its time")
    summary(soak.results)
    sys.exit(verdict(soak.results))


if __name__ == "__main__":
    main()
