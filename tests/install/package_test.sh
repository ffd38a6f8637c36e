#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: package_test.sh BUILD SOURCE [--fresh]
# Makes the Debian package, lets lintian look at it, installs it into a root of its own, measures there as an ordinary user, and
# removes it again without a trace. The root has this system's folders through overlays; with --fresh it comes from a Debian mirror
# by debootstrap, and the package's dependencies with it. Ends with 77, which means skipped, where that cannot be.

set -euo pipefail

skip() {
	echo "SKIP: $*"
	exit 77
}

if [[ ${1:-} != --inside ]]; then
	build=$(readlink -f "$1") source=$(readlink -f "$2") fresh=${3:-}
	net=(-n)
	[[ -z $fresh ]] || net=()
	((EUID == 0)) || skip "only root can install packages"
	unshare -m true 2>/dev/null || skip "this system forbids namespaces: unshare -m"
	command -v dpkg-shlibdeps >/dev/null || skip "dpkg-shlibdeps is not installed (dpkg-dev)"
	place=$(mktemp -d "${TMPDIR:-/tmp}/package-test.XXXXXX") status=0
	unshare "${net[@]}" -m "$(readlink -f "$0")" --inside "$build" "$source" "$fresh" "$place" || status=$?
	rmdir "$place"
	exit "$status"
fi

build=$2 source=$3 fresh=$4 place=$5
# All lies in a file system of the namespace and goes with it: nothing is removed here, where the host's /dev and /proc are
# mounted.
mount -t tmpfs none "$place"
mkdir "$place/root" "$place/upper" "$place/work"

fail() {
	echo "FAIL: $*"
	[[ ! -f $place/log ]] || tail -n 20 "$place/log"
	exit 1
}

quietly() {
	"$@" >"$place/log" 2>&1 </dev/null || fail "$*"
}

# This system's programs, packages and settings, and nothing else: what is written to them goes to a tmpfs.
make_root() {
	local folder
	for folder in usr etc var; do
		mkdir -p "$place/root/$folder" "$place/upper/$folder" "$place/work/$folder"
		mount -t overlay -o "lowerdir=/$folder,upperdir=$place/upper/$folder,workdir=$place/work/$folder" none \
			"$place/root/$folder" 2>/dev/null || skip "/$folder cannot be the lower layer of an overlay"
	done
	for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
		[[ ! -L $folder ]] || cp -P "$folder" "$place/root/"
	done
	for folder in "$source" "$build"; do
		[[ ! -d $place/root$folder ]] || mount -t tmpfs none "$place/root$folder"
	done
	for folder in dev proc root tmp; do
		mkdir "$place/root/$folder"
	done
}

fresh_root() {
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	quietly debootstrap --variant=minbase bookworm "$place/root"
}

inside() {
	PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$place/root" "$@"
}

as_user() {
	inside setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp/home "$@"
}

echo "making the package"
(cd "$place" && quietly cpack -G DEB -B "$place" --config "$build/CPackConfig.cmake")
deb=$(echo "$place"/*.deb)
if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error,warning "$deb" >"$place/log" 2>&1 || fail "lintian"
else
	echo "lintian is not installed: nobody looked at the package's form"
fi

echo "installing it"
if [[ -n $fresh ]]; then fresh_root; else make_root; fi
mount --rbind /dev "$place/root/dev"
mount -t proc none "$place/root/proc" 2>/dev/null || mount --rbind /proc "$place/root/proc"
mkdir -p "$place/root/tmp/home"
chmod 1777 "$place/root/tmp" "$place/root/tmp/home"
cp "$deb" "$place/root/tmp/hedron.deb"
if [[ -n $fresh ]]; then
	quietly inside apt-get -q -y install --no-install-recommends /tmp/hedron.deb qemu-system-x86 grub-common grub-pc-bin \
		grub-efi-amd64-bin xorriso mtools
else
	quietly inside dpkg -i /tmp/hedron.deb
fi

echo "measuring there"
quietly as_user hbench run -t qemu --suite sm --no-db -q -o /tmp/home/sm.json
quietly as_user hbench show /tmp/home/sm.json
grep -q up_busy "$place/log" || fail "the result has no numbers"
hello=(--kernel /usr/share/hedron/hypervisor --roottask /usr/share/hedron/hello.elf)
quietly as_user hedron-mkimage iso -o /tmp/home/hello.iso "${hello[@]}"
quietly inside hedron-mkimage iso -o /tmp/hello.iso "${hello[@]}" # as root, whose Python leaves files beside its modules
quietly as_user hedron-emulate --timeout 300 /tmp/home/hello.iso

echo "removing it"
quietly inside dpkg --purge hedron
left=$(inside sh -c 'ls -d /usr/share/hedron /usr/bin/hbench /usr/bin/hedron-* /usr/share/doc/hedron 2>/dev/null' || true)
[[ -z $left ]] || fail "the package left behind: $left"
echo "all is well"
