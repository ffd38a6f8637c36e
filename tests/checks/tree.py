# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the source tree, for the checks."""

import os
import pathlib

SKIPPED = {".git", "build", "site", "__pycache__"}


def files(source):
    """Paths of all files, relative to `source`, sorted."""
    found = []
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [pathlib.Path(folder, name).relative_to(source) for name in names if name not in SKIPPED]
    return sorted(found)


def report(title, complaints, count):
    """Print the result and end the program."""
    for text in complaints:
        print(f"FAIL: {text}")
    if complaints:
        raise SystemExit(f"{title}: {len(complaints)} complaints")
    if not count:
        raise SystemExit(f"{title}: nothing was checked")
    print(f"PASS: {title}: {count} checked")
