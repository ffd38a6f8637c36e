#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck shell=dash
#
# The first and only process of a guest of boot/demo. Linux's command line has demo.me and demo.other, the addresses of this guest
# and of the one next to it.

export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
exec >/dev/ttyS0 2>&1

# word NAME: the value of demo.NAME on the command line.
word() { tr ' ' '\n' </proc/cmdline | sed -n "s/^demo\.$1=//p"; }

echo "this is $(uname -sr), $(grep -c ^processor /proc/cpuinfo) processor(s) and $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
for module in /modules/*; do insmod "$module"; done
ifconfig eth0 "$(word me)" netmask 255.255.255.0 up

# heard: whether the other one has asked, too. The answers to it are counted in the line "Icmp:", in the column OutEchoReps.
heard() {
	awk '/^Icmp: In/ { while ($(++place) != "OutEchoReps"); } /^Icmp: [0-9]/ { exit !$(place) }' /proc/net/snmp
}

# soon COMMAND...: tries it for some time. The other one comes to this point earlier or later.
soon() {
	for _ in $(seq 60); do
		"$@" && return
		sleep 1
	done
	return 1
}

soon ping -c 1 -W 2 "$(word other)" >/dev/null && echo "$(word other) answers me, $(word me)"
soon heard && echo "$(word other) has asked me, $(word me)"
echo "up for $(cut -d ' ' -f 1 /proc/uptime) s; switching off"
poweroff -f
