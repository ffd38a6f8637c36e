#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: prefix_test.sh BUILD SOURCE
# Installs into a folder with a blank in its name, moves that folder, hides sources and build folder, and uses everything as an
# ordinary user without network. Ends with 77, which means skipped, where there can be no namespaces.

set -euo pipefail

if [[ ${1:-} != --inside ]]; then
	build=$(readlink -f "$1") source=$(readlink -f "$2")
	map=()
	((EUID == 0)) || map=(-r)
	unshare "${map[@]}" -n -m true 2>/dev/null || {
		echo "SKIP: this system forbids namespaces: unshare ${map[*]} -n -m (containers do, and sysctls)"
		exit 77
	}
	exec unshare "${map[@]}" -n -m "$(readlink -f "$0")" --inside "$build" "$source" "$EUID"
fi

build=$2 source=$3 outside=$4
place=$(mktemp -d "${TMPDIR:-/tmp}/install test.XXXXXX")
trap 'cd /; rm -rf --one-file-system "$place"' EXIT
chmod 755 "$place"

fail() {
	echo "FAIL: $*"
	exit 1
}

# What the caller is, outside of the namespace: root of a user namespace is an ordinary user already.
as_user() {
	if ((outside == 0)); then
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$place/home" "$@"
	else
		env HOME="$place/home" "$@"
	fi
}

cmake --install "$build" --prefix "$place/first/usr" >"$place/install.txt" || fail "cmake --install"
mv "$place/first" "$place/second"
usr=$place/second/usr
mkdir "$place/home" "$place/work"
chmod 777 "$place/home" "$place/work"
cd "$place/work"
for folder in "$source" "$build"; do
	[[ ! -d $folder ]] || mount -t tmpfs none "$folder"
done
[[ ! -e $source/README.md && ! -e $build/hbench ]] || fail "sources and build folder are still there"

PATH=$usr/bin:$PATH
echo "measuring"
as_user hbench list >list.txt
grep -q '^ipc:' list.txt || fail "hbench finds no suites"
as_user hbench run -t qemu --suite sm --no-db -q -o sm.json || fail "hbench run"
as_user hbench gate --baseline "$usr/share/hedron/results" sm.json | tail -n 2
as_user htrace --version >version.txt || fail "htrace --version"

echo "booting media"
as_user hedron-mkimage iso -o hello.iso --kernel "$usr/share/hedron/hypervisor" --roottask "'$usr/share/hedron/hello.elf'" ||
	fail "hedron-mkimage"
as_user hedron-emulate --timeout 300 hello.iso >boot.txt || { tail -n 5 boot.txt; fail "hedron-emulate"; }

echo "reading"
for page in "$usr"/share/man/man1/*.gz; do
	zcat "$page" | groff -man -Tutf8 -z -wmac 2>&1 | grep . && fail "$page is not well-formed"
done
bash -n "$usr/share/bash-completion/completions/hbench" || fail "completion of bash"
as_user hbench fleet check -i "$usr/share/doc/hedron/examples/lab.yaml" >check.txt 2>&1 || {
	cat check.txt
	fail "the example of an inventory"
}
if command -v systemd-analyze >/dev/null; then
	# It looks for hbench where services are started from, which is not here.
	systemd-analyze verify "$usr/lib/systemd/system/hedron-fleet.service" 2>&1 |
		grep -v 'hbench.*not executable\|Command hbench is not' | grep hedron-fleet && fail "the unit of systemd"
fi
echo "all is well"
