#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds kernel and roottasks with clang and boots them once.
# usage: clang_test.sh SOURCE ROOTTASK
set -euo pipefail

source=$1 roottask=$2
objects=$(mktemp -d -t hedron-clang.XXXXXX)
trap 'rm -rf "$objects"' EXIT

cmake -G Ninja -S "$source" -B "$objects" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_ASM_COMPILER=clang \
	-DHEDRON_BENCH=OFF >"$objects/log" || { cat "$objects/log"; exit 1; }
cmake --build "$objects" >"$objects/log" || { cat "$objects/log"; exit 1; }
"$source/tests/integration/boot_test.py" --build "$objects" --module "$roottask" --want clang
