# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's machine protocol."""

import json
import socket
import time

import guest  # noqa: F401 (first: it finds machine)
import machine


PATIENCE = 120  # seconds: all CPUs of the guest may be busy, and the host's, too


class Monitor:
    """QEMU's machine protocol, for as long as the machine runs."""

    def __init__(self, path, process):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if process.poll() is not None:
                    raise machine.MachineError("QEMU does not start") from None
                time.sleep(0.05)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()  # the greeting
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                raise ConnectionError("QEMU has gone")
            answer = json.loads(line)
            if "event" not in answer:
                return answer["return"]
