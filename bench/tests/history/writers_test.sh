#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: writers_test.sh HBENCH DATABASE RESULT...
# Eight programs at once store the same results into a database that is empty: each result is stored by one of them and
# is there already for the others. For SQLite DATABASE is `file`, one in a temporary folder.

set -eu
hbench=$1 database=$2
shift 2
writers=8

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
[ "$database" != file ] || database=$folder/deeper/history.db

pids=
for i in $(seq $writers); do
	"$hbench" store --db "$database" "$@" >"$folder/$i.out" 2>&1 &
	pids="$pids $!"
done
failed=0
for pid in $pids; do
	wait "$pid" || failed=$((failed + 1))
done
cat "$folder"/*.out | sort | uniq -c
stored=$(cat "$folder"/*.out | grep -c '^stored: ')
there=$(cat "$folder"/*.out | grep -c '^there already: ')
[ $failed = 0 ] || { echo "$failed of $writers writers failed"; exit 1; }
[ "$stored" = $# ] || { echo "$stored results were stored and not $#"; exit 1; }
[ "$there" = $(($# * (writers - 1))) ] || { echo "$there results were there already"; exit 1; }
