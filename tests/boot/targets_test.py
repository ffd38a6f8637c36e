#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The build's target `images` makes all three media, with a menu of the benchmark suites. usage: targets_test.py CMAKE BUILD"""

import json
import pathlib
import subprocess
import sys

import media  # first: it finds the others
import machine

WANTED = ("hedron.iso", "hedron.img", "netboot/boot.ipxe", "netboot/job.efi")


def main():
    cmake, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    done = subprocess.run([cmake, "--build", build, "--target", "images"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"FAIL: the target does not build:\n{done.stdout}{done.stderr}")
    images = build / "images"
    for name in WANTED:
        if not (images / name).is_file():
            sys.exit(f"FAIL: images/{name} is missing")
    jobs = json.loads((images / "netboot/manifest.json").read_text())["jobs"]
    titles = [job["title"] for job in jobs]
    if titles[0] != "ipc" or not {"vmexit", "hello"} <= set(titles):
        sys.exit(f"FAIL: the menu has {titles}")
    outcome = machine.run(machine.Machine(disk=str(images / "hedron.img"), memory=512), until=r"^HBENCH \{", timeout=240)
    if outcome.why != "matched" or not all(title in outcome.serial for title in titles):
        sys.exit(f"FAIL: no results of the first entry, or no menu:\n{outcome.serial}")
    print("PASS")


if __name__ == "__main__":
    main()
