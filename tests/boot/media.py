# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of boot media have in common."""

import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "boot"))

# Each means something to a shell, to GRUB, to iPXE or to QEMU, and has to reach the roottask as it is.
ODD = ("$HOME $x $(ls) `id` {a} }b [c]* ;d e; |f & <g >h !i ~j %k ^l (m) n=o,p,,q @r :s ?t -u --help --name - -- * "
       "http://v/?w=x&y/../z").split()
ODD_FOR_GRUB = "${v} #w # ; || &&".split()  # iPXE would understand them: boot/mkimage refuses them for network boot


def load(path, *words):
    """What --roottask and --module take."""
    return " ".join((f'"{path}"',) + words)


def command(name, *args, **options):
    """Run a command of boot/ and return what became of it."""
    return subprocess.run([sys.executable, SOURCE / "boot" / name, *map(str, args)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def mkimage(*args, **options):
    """Run boot/mkimage, which has to succeed without a word."""
    done = command("mkimage", *args, **options)
    if done.returncode or done.stdout or done.stderr:
        raise AssertionError(f"mkimage {args}: exit code {done.returncode}:\n{done.stdout}{done.stderr}")
