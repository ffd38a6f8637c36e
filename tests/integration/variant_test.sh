#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds kernel and roottasks in another way and boots them once.
# usage: variant_test.sh SOURCE ROOTTASK PATTERN CMAKE-OPTION...   (PATTERN: what the serial line has to show)
set -euo pipefail

source=$1 roottask=$2 pattern=$3
shift 3
objects=$(mktemp -d -t hedron-variant.XXXXXX)
trap 'rm -rf "$objects"' EXIT

cmake -G Ninja -S "$source" -B "$objects" -DHEDRON_BENCH=OFF "$@" >"$objects/log" || { cat "$objects/log"; exit 1; }
cmake --build "$objects" >"$objects/log" || { cat "$objects/log"; exit 1; }
"$source/tests/integration/boot_test.py" --build "$objects" --module "$roottask" --judge exit --want "$pattern"
