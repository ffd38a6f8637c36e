#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: gate_test.sh HBENCH BUILD RESULTS SUITE qemu|bochs[-CPU] [KERNEL]
# Measures a suite of BUILD, on its kernel or another one, and compares the exact counts with the baseline in RESULTS. Fails with
# the table when a path executes more instructions, or is not measured any more. Counts do not depend on how often they are
# taken, so a few windows are enough.

set -eu
export HBENCH_DB=none
hbench=$1 build=$2 results=$3 suite=$4 target=${5%%-*} kernel=${6:-$2/hypervisor.elf32}
cpu=${5#"$target"}
cpu=${cpu#-}

case $target in
qemu) emulator=qemu-system-x86_64 ;;
*) emulator=$target ;;
esac
if ! command -v "$emulator" >/dev/null; then
	echo "SKIP: $emulator is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$hbench" run --target "$target" ${cpu:+--cpu "$cpu"} --kernel "$kernel" --roottask "$build/$suite.elf" --suite "$suite" \
	--root-append windows=4 --timeout 600 --quiet -o "$folder/$suite.json"
if ! "$hbench" gate --baseline "$results" "$folder/$suite.json" >"$folder/gate.txt"; then
	cat "$folder/gate.txt"
	exit 1
fi
# What passed is said in a line: so `./run test` can show it.
printf '%s in %s: %s\n' "$suite" "$target${cpu:+, $cpu}" "$(grep -E '^[0-9]+ cases: ' "$folder/gate.txt")"
