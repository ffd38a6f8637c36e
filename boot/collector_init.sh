#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck shell=dash
#
# The first and only process of the collector, boot/collector.py. Linux's command line has collector.size, collector.places and
# collector.home, without which the log goes to the serial line and the screen. After it was sent the machine is switched off.

export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev

# word NAME: the value of collector.NAME on the command line; say TEXT: to the serial line and the screen, if they are there.
word() { tr ' ' '\n' </proc/cmdline | sed -n "s/^collector\.$1=//p"; }
say() { for line in ttyS0 tty0; do { echo "collector: $*" >/dev/$line; } 2>/dev/null; done; }

# is_ram ADDRESS SIZE: whether the firmware has RAM there. Elsewhere the driver would write to devices.
is_ram() {
	for area in /sys/firmware/memmap/*; do
		[ "$(cat "$area/type")" = "System RAM" ] || continue
		[ $(($1)) -ge $(($(cat "$area/start"))) ] && [ $(($1 + $2 - 1)) -le $(($(cat "$area/end"))) ] && return
	done
	return 1
}

# find_log SIZE: puts the log into /tmp/log and removes it from RAM, so that it cannot be taken for the next one.
find_log() {
	for module in /modules/log/*; do
		case $module in *-ramoops.ko) ;; *) insmod "$module" ;; esac
	done
	for place in $(word places | tr , ' '); do
		is_ram "$place" "$1" || continue
		insmod /modules/log/*-ramoops.ko mem_address="$place" mem_size="$1" console_size="$1" record_size=0 ftrace_size=0 \
			pmsg_size=0 mem_type=0 || continue
		mount -t pstore none /sys/fs/pstore
		if [ -s /sys/fs/pstore/console-ramoops-0 ]; then
			cp /sys/fs/pstore/console-ramoops-0 /tmp/log
			rm /sys/fs/pstore/console-ramoops-0
			say "a log of $(wc -c </tmp/log) bytes at $place"
			return
		fi
		umount /sys/fs/pstore
		rmmod ramoops
	done
	echo "FLEET-BOOT-FAIL collector: there is no log in RAM: nothing began one, or the reset was no warm one" >/tmp/log
	say "$(cat /tmp/log)"
}

# send_through CARD: sends the log through a network card, a folder in /sys. Its address tells whose log it is.
send_through() {
	card=${1##*/}
	[ "$(cat "$1/carrier" 2>/dev/null)" = 1 ] || return
	udhcpc -i "$card" -n -q -t 3 -T 2 -s /tmp/address >/dev/null 2>&1 || return
	wget -q -O /dev/null --header "Content-Type: text/plain" --post-file /tmp/log "$home/$(tr : - <"$1/address")"
}

send() {
	cat >/tmp/address <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig "$interface" "$ip" netmask "${subnet:-255.255.255.0}"
[ -z "$router" ] || route add default gw "${router%% *}"
END
	chmod +x /tmp/address
	for module in /modules/net/*; do insmod "$module"; done
	for card in /sys/class/net/*; do ifconfig "${card##*/}" up; done
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		for card in /sys/class/net/*; do
			[ "${card##*/}" = lo ] || ! send_through "$card" || return 0
		done
		sleep 1
	done
	say "FLEET-BOOT-FAIL collector: after $try tries the log could not be sent to $home"
	return 1
}

show() {
	say "the log follows"
	for line in ttyS0 tty0; do { cat /tmp/log >/dev/$line; } 2>/dev/null; done
	say "the log ends; switch the machine off"
	while :; do sleep 1000; done
}

home=$(word home)
find_log "$(word size)"
[ -n "$home" ] || show
send || show
say "sent"
poweroff -f
