# SPDX-License-Identifier: GPL-2.0-or-later
"""How the programs for the command line end: their exit codes, and what they do when they are cut off."""

import os
import sys

EXCEEDED, USAGE, INVALID, SKIPPED = 1, 2, 4, 77  # docs/pathcost.md


def run(main, name):
    """Ends the process with what main() returns for the words of the command line."""
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(INVALID)
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted")
