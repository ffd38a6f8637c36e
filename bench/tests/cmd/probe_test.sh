#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: probe_test.sh HBENCH KERNEL PROBE ROOTTASK
# The probe looks at a machine of QEMU; what it finds is read, kept with a result of that machine, and compared.

set -eu
export HBENCH_DB=none
hbench=$1 kernel=$2 probe=$3 roottask=$4

if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "skipped: qemu-system-x86 is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

measure() {
	"$hbench" run --target qemu --kernel "$kernel" --timeout 600 --quiet "$@"
}

expect() {
	grep -q "$1" "$folder/out" || {
		cat "$folder/out"
		echo "no line has $1"
		exit 1
	}
}

measure --roottask "$probe" --root-append seconds=0 -o "$folder/probe.json"
"$hbench" show "$folder/probe.json" >"$folder/out"
expect '^hypervisor  *obstacle  *TCGTCGTCGTCG '
expect '^turbo  *fact  *off '
expect '^serial  *fact  *port 0x3f8 '
expect '^interruptions  *fact  *0 '
expect '^the machine is not fit to measure: 2 obstacles, 0 doubts$'

measure --roottask "$roottask" --root-append "case=null windows=4" --probe "$folder/probe.json" -o "$folder/a.json"
# Which kernel it was, each roottask says in its first line.
for log in probe a; do
	cp "$folder/$log.log" "$folder/out"
	expect '^HBENCH {"type":"run",.*,"kernel_build_id":"[0-9a-f]\{40\}",.*,"crc":'
done
sed '/"turbo"/,/}/ s/"off"/"on"/' "$folder/a.json" >"$folder/b.json"
"$hbench" gate --baseline "$folder/a.json" "$folder/b.json" >"$folder/out"
expect '^warning: the machine is not as it was, turbo: A "off" (fact), B "on" (fact)$'
expect '^1 cases: 1 same\.$'
