#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds a copy of the sources in another folder; every image has to equal the one of the build under test, byte by byte.
# usage: reproducible_test.sh SOURCE BUILD BUILD_TYPE C_COMPILER
set -euo pipefail

source=$1 build=$2 build_type=$3 compiler=$4
copy=$(mktemp -d -t hedron-a-folder-with-quite-another-name.XXXXXX)
trap 'rm -rf "$copy"' EXIT

mkdir "$copy/source"
tar -C "$source" --exclude=./build --exclude=./.git --exclude=./site -cf - . | tar -C "$copy/source" -xf -
cmake -G Ninja -S "$copy/source" -B "$copy/objects" -DCMAKE_BUILD_TYPE="$build_type" -DCMAKE_C_COMPILER="$compiler" \
	-DCMAKE_ASM_COMPILER="$compiler" -DHEDRON_BENCH=OFF >"$copy/log" || { cat "$copy/log"; exit 1; }
cmake --build "$copy/objects" >"$copy/log" || { cat "$copy/log"; exit 1; }

compared=0 different=0
for image in "$build"/hypervisor "$build"/hypervisor.elf32 "$build"/*.elf; do
	name=${image##*/}
	if cmp "$image" "$copy/objects/$name"; then
		compared=$((compared + 1))
	else
		different=$((different + 1))
	fi
	if grep -q -F -e "$source" "$image"; then
		echo "FAIL: $name contains the path of its sources"
		different=$((different + 1))
	fi
done
((compared >= 3)) || { echo "FAIL: only $compared images compared"; exit 1; }
((different == 0)) || { echo "FAIL: $different images differ"; exit 1; }
echo "PASS: $compared images are the same"
