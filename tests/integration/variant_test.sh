#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the kernel in another way and boots the roottasks of the build under test on it.
# usage: variant_test.sh SOURCE BUILD PATTERN CMAKE-OPTION...   (PATTERN: what the kernel's boot line has to show)
set -uo pipefail

source=$1 build=$2 pattern=$3
shift 3
objects=$(mktemp -d -t hedron-variant.XXXXXX)
trap 'rm -rf "$objects"' EXIT

if ! { cmake -G Ninja -S "$source" -B "$objects" -DHEDRON_BENCH=OFF -DBUILD_TESTING=OFF "$@" &&
	cmake --build "$objects"; } >"$objects/log"; then
	cat "$objects/log"
	exit 1
fi

failed=0
boot() { # boot FOLDER ROOTTASK JUDGE CPUS OPTION...
	printf '%s: ' "$2"
	"$source/tests/integration/boot_test.py" --build "$objects" --modules-from "$1" --module "$2" --judge "$3" --cpus "$4" \
		--memory 512 --want "^Hedron Hypervisor .*$pattern" "${@:5}" || failed=$((failed + 1))
}

boot "$objects" hello.elf exit 1 # built the same way as the kernel
for roottask in "$build"/guest_*.elf; do
	boot "$build" "${roottask##*/}" tests 1 --icount # deadlines of virtual CPUs come in time, however busy this machine is
done
boot "$build" "smp_basic.elf effort=20" tests 4
exit $((failed != 0))
