#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for ipmitool and a management controller, in the present folder. `calls` gets what it was asked for. Files say how the
# controller behaves: `busy` is a session that nothing ends, `deaf` does not end when its terminal does, `say.N` is what the machine
# says in the Nth session, which is dropped then if there is a `drop.N`.

case "$*" in *-f\ /*) ;; *) echo "no password" >&2; exit 1 ;; esac
while [ "$1" != sol ]; do shift; done
echo "$2${3:+ $3}" >>calls
case $2 in
deactivate)
	[ ! -f busy ] || { echo "Error de-activating SOL payload" >&2; exit 1; }
	exit
	;;
esac
[ ! -f busy ] || { echo "Info: SOL payload already active on another session" >&2; exit 1; }
[ -t 0 ] || exit 0
times=$(grep -c '^activate' calls)
printf '\n[SOL Session operational.  Use ~? for help]\n'
[ ! -f "say.$times" ] || cat "say.$times"
[ ! -f "drop.$times" ] || { echo "SOL session closed by BMC" >&2; exit 1; }
[ ! -f deaf ] || exec sleep 1000
cat >/dev/null 2>&1
echo returned >>calls
