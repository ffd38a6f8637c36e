#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
profiling/gdb/hedron.py on a kernel in QEMU that is stopped within a call, and within a wake-up.
usage: gdb_test.py BUILD GDB
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

import suite  # knows where boot/ is
import machine

BUILD, GDB = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
HELPERS = pathlib.Path(suite.__file__).parent / "gdb/hedron.py"

COMMANDS = [
    "hedron cpus",  # nothing is there yet
    # the answer to a call, while the other CPU sleeps
    "hbreak *ipc_reply if ((struct ec *)$r9)->special == 0 && ((struct cpu *)0xffffffffc0010000)->sleeping",
    "continue", "set $self = (struct ec *)$r9",
    "echo == cpus\\n", "hedron cpus",
    "echo == queue\\n", "hedron queue",
    "echo == ec\\n", "hedron ec",
    "echo == caller\\n", "hedron ec $self->caller",
    "echo == chain\\n", "hedron chain",
    "echo == above\\n", "hedron chain $self->caller",
    "echo == caps\\n", "hedron caps $self->caller->pd 0x20 0x22",
    "echo == all\\n", "hedron caps $self->caller->pd",
    "echo == server\\n", "hedron caps", "hedron caps . 3",
    "echo == object\\n", "hedron object $self",
    "echo == printers\\n", "print $self->parked", "print (cap_t)((unsigned long)$self | 9)", "print (cap_t)0",
    "echo == errors\\n", "hedron object", "hedron caps nonsense", "hedron ec 0x10", "hedron chain 0x10", "hedron frobnicate",
    "delete",
    "hbreak *sm_up_slow",
    "continue", "set $sm = (struct sm *)$rdi",
    "echo == sm\\n", "hedron sm $sm",
    "echo == waiter\\n", "hedron queue 0",
    "echo == alone\\n", "hedron chain",
    "kill",
]


def boot(folder):
    """What GDB writes, by the headings above."""
    # CPUs take turns, or the second might not have come to rest when the first is stopped.
    box = machine.Machine(kernel=str(BUILD / "hypervisor.elf32"), cpus=2, icount=True, gdb=str(folder / "gdb"),
                          modules=[(str(BUILD / "ipc.elf"), "case=call_reply_cross/words:0,sm_up_wake")])
    ended = []

    def run():
        try:
            ended.append(machine.run(box, timeout=240))
        except machine.MachineError:
            pass  # killed before it said anything: the test will miss the rest

    thread = threading.Thread(target=run)
    thread.start()
    # GDB loses count of packets when QEMU has not answered within two seconds, which a busy machine may make it wait.
    options = [f"-ex={command}" for command in ["set remotetimeout 300", f"target remote {folder}/gdb", *COMMANDS]]
    while not (folder / "gdb").exists() and thread.is_alive():
        thread.join(0.05)
    done = subprocess.run([GDB, "-nx", "-batch", BUILD / "hypervisor", "-x", HELPERS, *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    thread.join()
    parts = re.split(r"^== (\w+)\n", done.stdout, flags=re.MULTILINE)
    return {"start": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


class Helpers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="hedron-gdb.") as folder:
            cls.said = boot(pathlib.Path(folder))

    def has(self, part, *patterns):
        self.assertIn(part, self.said, f"GDB did not come so far:\n{self.said}")
        for pattern in patterns:
            self.assertRegex(self.said[part], re.compile(pattern, re.MULTILINE))

    def test_before_the_kernel(self):
        self.has("start", "there is nothing to see")

    def test_cpus(self):
        self.has("cpus", r"^CPU 0 at 0xffffffffc0000000$",
                 r"^  running  SC 0x\w+: priority 64, running, of EC", r"address space of PD 0x\w+$",
                 r"^CPU 1 at 0xffffffffc0010000$", r"^  running  nobody$", r"^  idle$", r"sleeps: SLEEPING_(MWAIT|HALTED)")

    def test_queue(self):
        self.has("queue", r"^CPU 0:\n  running   SC 0x\w+: priority 64", r"^  preempted SC 0x\w+: priority 1, preempted",
                 r"^CPU 1:")

    def test_ec(self):
        self.has("ec", r"^EC 0x(\w+) of PD 0x\w+, rip 0x4\w+$", r"goes on by CONT_SYSRET", r"^     rax [0-9a-f]{16}")

    def test_caller(self):
        self.has("caller", r"of PD 0x\w+ \(roottask\), .*GLOBAL, called EC", r"^  -> EC 0x\w+ of PD 0x\w+, rip")

    def test_chain(self):
        """The same chain from both of its ends."""
        pattern = (r"^{}EC 0x(\w+) of PD 0x\w+ \(roottask\), .*called EC 0x(\w+)\n{}  EC 0x\2 of PD 0x\w+, rip 0x\w+\n"
                   r"paid on CPU 0 by SC 0x\w+: priority 64, running, of EC 0x\1, runs EC 0x\2$")
        self.has("chain", pattern.format("  ", r"\* "))
        self.has("above", pattern.format(r"\* ", "  "))
        self.assertEqual(re.findall(r"0x\w+", self.said["chain"]), re.findall(r"0x\w+", self.said["above"]))
        self.has("alone", r"\A\* EC 0x(\w+) of PD [^\n]*\npaid on CPU 0 by SC [^\n]* of EC 0x\1, runs EC 0x\1\n")

    def test_caps(self):
        self.has("caps", r"^     0x20  create      PD .*roottask's$",
                 r"^     0x21  ctrl sc pt  EC .*GLOBAL", r"^     0x22  ctrl        SC",
                 r"^3 capabilities of PD 0x\w+ \(roottask\)$")

    def test_all(self):
        """Of a PD that is not the current one: its tables are walked."""
        self.has("all", r"^      0x0  ctrl call   PT .*mtd 0x\w+", r"^ 0x100000 ",
                 r" up down     SM 0x\w+: 1 caps, 1 refs, (count 0|1 waiting)")

    def test_server(self):
        self.has("server", r"^     0x1e  ctrl call   PT", r"^32 capabilities of PD 0x\w+$", r"^      0x3 .*\n1 capabilities of PD")

    def test_object(self):
        self.has("object", r"^EC 0x\w+: 1 caps, \d refs, CPU 0, local, PD 0x\w+$")

    def test_printers(self):
        self.has("printers", r"= list of 0$", r"= EC 0x\w+: .*, ctrl pt$", r"= empty$")

    def test_errors(self):
        self.has("errors", "hedron object ADDRESS", 'No symbol "nonsense"', "Cannot access memory",
                 'Undefined hedron command: "frobnicate"')
        self.assertNotIn("Traceback", "".join(self.said.values()))
        self.assertNotIn("Python Exception", "".join(self.said.values()))

    def test_semaphore(self):
        self.has("sm", r"^SM 0x\w+: 1 waiting\n  EC 0x\w+ of PD .*BLOCKED, waits on SM")
        self.has("waiter", r"^CPU 0:\n  running")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
