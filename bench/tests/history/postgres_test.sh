#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: postgres_test.sh DB_TEST HBENCH RESULT...
# Starts a PostgreSQL server of its own, which listens on a socket in a temporary folder only, and runs the database's
# tests and the program against it.

set -eu
db_test=$1 hbench=$2 result=$3
shift 2

bin=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
	echo "the package postgresql is not installed"
	exit 1
fi
folder=$(mktemp -d)
# The server refuses to run as root; Debian's package has a user for it. Root of a user namespace (unshare -r) is an ordinary user
# outside and can become no other; a namespace inside that one gives it the number of nobody.
owner=
if [ "$(id -u)" != 0 ]; then
	as_user=
elif runuser -u postgres -- true 2>/dev/null; then
	as_user="runuser -u postgres --" owner=postgres
else
	as_user="unshare --user --map-user=$(id -u nobody) --map-group=$(id -g nobody)"
fi
as_server() {
	# shellcheck disable=SC2086
	(cd "$folder" && $as_user "$@")
}
stop() {
	as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop || true
	rm -rf "$folder"
}
trap stop EXIT
[ -z "$owner" ] || chown "$owner" "$folder"
chmod 755 "$folder"

as_server "$bin/initdb" -D "$folder/data" -U hbench -A trust --no-sync --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 || {
	cat "$folder/initdb.log"
	exit 1
}
as_server "$bin/pg_ctl" -D "$folder/data" -w -t 600 -s -l "$folder/server.log" \
	-o "-k $folder -c listen_addresses= -c fsync=off" start || {
	cat "$folder/server.log"
	exit 1
}
for name in unit program writers; do
	as_server "$bin/createdb" -h "$folder" -U hbench "$name"
done

"$db_test" "postgresql://hbench@/unit?host=$folder"

url="postgresql://hbench@/program?host=$folder"
"$hbench" store --db "$url" "$result"
"$hbench" store --db "$url" "$result" | grep 'there already'
"$hbench" history --db "$url" ipc/null | grep '^ipc/null on .* 1 results'
"$hbench" history --db "$url" | grep 'ipc/null'

"$(dirname "$0")/writers_test.sh" "$hbench" "postgresql://hbench@/writers?host=$folder" "$@"
