# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of other packages, run so that the same input gives the same output."""

import os
import subprocess

# When nobody sets SOURCE_DATE_EPOCH: the start of 2020. FAT cannot tell of times before 1980.
EPOCH_DEFAULT = 1577836800
EPOCH_MIN, EPOCH_MAX = 315532800, 4354819199  # 1980 to 2107
PACKAGES = {"grub-mkimage": "grub-common", "xorriso": "xorriso", "mformat": "mtools", "mcopy": "mtools", "mmd": "mtools",
            "openssl": "openssl"}


class ToolError(Exception):
    """A program is missing or failed; the text says what to do."""


def epoch():
    """Seconds since 1970: the date of everything on a medium."""
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH_DEFAULT))
    if not text.isdecimal():
        raise ToolError(f"SOURCE_DATE_EPOCH is not a number of seconds: {text!r}")
    return min(max(int(text), EPOCH_MIN), EPOCH_MAX)


def environment():
    """The environment of programs: nothing in it lets the same input give another output, or messages in another language."""
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(epoch()), "MTOOLSRC": os.devnull,
            "MTOOLS_SKIP_CHECK": "1"}


def run(command, data=None):
    """Run a program quietly and return its output; what it complains about becomes the error's text."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, input=data or b"", capture_output=True, env=environment(), check=False)
    except FileNotFoundError:
        raise ToolError(f"{command[0]} is missing: install {PACKAGES.get(command[0], command[0])}") from None
    if done.returncode:
        text = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise ToolError(f"{command[0]} failed:\n{text[-2000:]}")
    return done.stdout
