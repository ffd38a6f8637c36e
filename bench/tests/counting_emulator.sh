#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for QEMU where numbers matter. Prints the log HBENCH_FAKE_LOG, which is bench/tests/data/good.log, with a null hypercall
# of as many instructions as the last line of the kernel says ("null 41"), else as the n-th word in HBENCH_FAKE_FOLDER/counts for
# the n-th boot; the last word goes for all boots that follow. The file boots there gets a line for each.

if [ "$1" = --version ]; then
	echo "Fake emulator version 1.0"
	exit 0
fi
kernel=
while [ $# -gt 0 ]; do
	if [ "$1" = -kernel ]; then
		kernel=$2
	fi
	shift
done
echo "$kernel" >>"$HBENCH_FAKE_FOLDER/boots"
count=$(tail -n 1 "$kernel" | tr -d '\000' | sed -n 's/^null \([0-9]*\)$/\1/p')
if [ -z "$count" ]; then
	boot=$(wc -l <"$HBENCH_FAKE_FOLDER/boots")
	# shellcheck disable=SC2046 # words
	set -- $(cat "$HBENCH_FAKE_FOLDER/counts")
	while [ "$boot" -gt 1 ] && [ $# -gt 1 ]; do
		shift
		boot=$((boot - 1))
	done
	count=$1
fi
sample="\"min\":$count,\"p50\":$count,\"p90\":$count,\"p99\":$count,\"p999\":$count,\"max\":$count"
sed "s/\"min\":40,.*/$sample,\"sum\":$((64 * count)),\"hist\":[[$count,1,64]]}/" "$HBENCH_FAKE_LOG"
exit 33
