here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
pending=$state/pending
PATH=$PATH:/usr/sbin:/sbin
umask 077

usage() {
	cat <<TEXT
usage: apply.sh COMMAND
  apply                         load the rules, IPv4 and IPv6, and let our ports through them
  apply --rollback-after 60s    the same, undone after that time unless confirmed (s, m)
  confirm                       keep what was applied with --rollback-after
  rollback                      undo it now
  remove                        withdraw our chain and the jump to it, nothing else
  status                        what is loaded, with counters; exit 1 when not all of it is
TEXT
}

say() { echo "apply.sh: $*" >&2; }

die() {
	say "error: $*"
	exit 1
}

# use chooses the tools and files of a family, 4 or 6.
use() {
	family=$1
	rules=$here/v$family.restore
	tool=iptables
	[ "$family" = 4 ] || tool=ip6tables
}

# Without IPv6 in the kernel there is nothing to filter.
families=4
[ ! -e /proc/net/if_inet6 ] || families='4 6'

run() { "$tool" -w 30 "$@"; }

# load reads rules from standard input; all of them take effect at once, or none. It holds the lock that run waits for, so
# nothing that feeds it may run the tool: edit collects the lines first.
load() { "$tool-restore" -w 30 --noflush "$@"; }

# edit loads the lines that "$@" prints.
edit() {
	lines=$("$@") || return 1
	printf '*filter\n%s\nCOMMIT\n' "$lines" | load
}

has_chain() { run -S "$chain" >/dev/null 2>&1; }

# present prints the rules of INPUT that jump to our chain.
present() { run -S INPUT | sed -n "/ -j $chain\$/p"; }

add_jump() { run -C INPUT "$@" -j "$chain" 2>/dev/null || run -I INPUT "$@" -j "$chain"; }

print_jump() { echo "-I INPUT $* -j $chain"; }

# connect makes INPUT jump to the chain with our ports, and with no others, such as those of an earlier spec.
connect() {
	"jumps$family" add_jump || return 1
	[ "$(present | wc -l)" -ne "$("jumps$family" print_jump | wc -l)" ] || return 0
	edit reconnection
}

reconnection() {
	present | sed 's/^-A/-D/'
	"jumps$family" print_jump
}

# snapshot keeps in folder $1 what our chain and its jumps are now, the jumps with their places in INPUT.
snapshot() {
	if has_chain; then
		run -S "$chain" >"$1/listed" || return 1
		sed "s/^-N $chain\$/:$chain - [0:0]/" "$1/listed" >"$1/v$family.chain"
	fi
	run -S INPUT >"$1/listed" || return 1
	awk -v chain="$chain" '
		/^-A/ { place++ }
		/^-A/ && $NF == chain && $(NF - 1) == "-j" { sub(/^-A INPUT /, ""); print place, $0 }
	' "$1/listed" >"$1/v$family.jumps"
}

# reinsert turns kept jumps into rules; a place beyond the end of what INPUT holds by now becomes the end.
reinsert() {
	awk -v end="$(run -S INPUT | sed "/ -j $chain\$/d" | grep -c '^-A')" '{
		end++
		place = $1 < end ? $1 : end
		sub(/^[0-9]+ /, "")
		print "-I INPUT", place, $0
	}' "$1"
}

# reversion prints the lines that bring our chain and its jumps back to what folder $1 keeps: where that is nothing, to
# nothing.
reversion() {
	present | sed 's/^-A/-D/'
	if [ -e "$1/v$family.chain" ]; then
		cat "$1/v$family.chain"
		reinsert "$1/v$family.jumps"
	elif has_chain; then
		echo "-F $chain"
		echo "-X $chain"
	fi
}

rollback() {
	undoing=$state/undoing
	rm -rf "$undoing"
	mv "$pending" "$undoing" 2>/dev/null || die "nothing waits for confirmation, so there is nothing to undo"
	failed=
	for f in $families; do
		use "$f"
		edit reversion "$undoing" || failed="$failed IPv$f"
	done
	if [ -n "$failed" ]; then
		mv "$undoing" "$pending"
		die "not undone:$failed; run this again: $here/apply.sh rollback"
	fi
	rm -rf "$undoing"
	say "undone: our rules are as they were before"
}

# loading reports whether the apply that started this is still at work; a lost login may have ended it.
loading() { [ -e "$pending/loading" ] && kill -0 "$$" 2>/dev/null; }

# expire rolls back after $1 seconds unless the apply it belongs to was confirmed, undone or removed meanwhile.
expire() {
	trap '' HUP
	left=$1
	while [ "$left" -gt 0 ] || loading; do
		sleep 1
		left=$((left - 1))
		[ "$(cat "$pending/token" 2>/dev/null)" = "$token" ] || return 0
	done
	rollback
}

# check refuses what cannot be loaded before anything changes.
check() {
	command -v "$tool-restore" >/dev/null || die "this machine has IPv$family but no $tool-restore; install it"
	[ -r "$rules" ] || die "$rules is missing; install the whole folder"
	run -S INPUT >/dev/null || die "$tool cannot read the firewall; root is needed"
	load --test <"$rules" || die "$rules is refused; nothing was changed"
}

load_all() {
	for f in $families; do
		use "$f"
		load <"$rules" || return 1
	done
	for f in $families; do
		use "$f"
		connect || return 1
	done
}

# apply loads both families, or neither; with $1 it is undone after that many seconds.
apply() {
	[ ! -e "$pending" ] || die "an earlier apply waits; first: $here/apply.sh confirm, or rollback"
	[ "$families" != 4 ] || say "notice: the kernel has no IPv6, so v6.restore is left out"
	for f in $families; do
		use "$f"
		check
	done
	token=$$-$(date +%s)
	next=$state/next.$$
	mkdir -p "$next"
	: >"$next/loading"
	echo "$token" >"$next/token"
	for f in $families; do
		use "$f"
		snapshot "$next" || die "$tool cannot list our chain; nothing was changed"
	done
	mv "$next" "$pending"
	if [ -n "$1" ]; then
		(
			exec </dev/null >"$state/rollback.log" 2>&1 # so that a login does not wait for it
			expire "$1"
		) &
	fi
	if ! load_all; then
		rollback
		die "the rules could not be loaded; see above"
	fi
	rm -f "$pending/loading"
	if [ -z "$1" ]; then
		rm -rf "$pending"
		say "applied"
	else
		say "applied, to be undone in $1 s; to keep it: $here/apply.sh confirm"
	fi
}

confirm() {
	kept=$state/kept.$$
	mv "$pending" "$kept" 2>/dev/null || die "nothing waits for confirmation; it may have been undone, see: $here/apply.sh status"
	rm -rf "$kept"
	say "confirmed"
}

remove() {
	rm -rf "$pending" "$state/rollback.log"
	for f in $families; do
		use "$f"
		! has_chain || edit reversion "$state" || die "the IPv$f chain $chain is still there"
	done
	rmdir "$state" 2>/dev/null || :
	say "removed"
}

status() {
	missing=0
	for f in $families; do
		use "$f"
		if has_chain && [ -n "$(present)" ]; then
			echo "IPv$f: applied"
			run -n -v -L "$chain"
		else
			echo "IPv$f: not applied"
			missing=1
		fi
	done
	[ ! -e "$pending" ] || echo "waits for confirmation: $here/apply.sh confirm, or rollback"
	return "$missing"
}

# seconds turns 60s, 2m or 60 into seconds.
seconds() {
	case $1 in
	*m) number=${1%m} unit=60 ;;
	*) number=${1%s} unit=1 ;;
	esac
	case $number in
	'' | 0* | *[!0-9]*) return 1 ;;
	esac
	echo $((number * unit))
}

case "$#:${1-}:${2-}" in
1:apply:) apply '' ;;
3:apply:--rollback-after)
	after=$(seconds "$3") || die "--rollback-after $3 is no time; need a number with s or m, such as 60s"
	apply "$after"
	;;
1:confirm:) confirm ;;
1:rollback:) rollback ;;
1:remove:) remove ;;
1:status:) status ;;
*)
	usage >&2
	exit 2
	;;
esac
