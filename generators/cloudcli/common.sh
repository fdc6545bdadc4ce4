set -f # lists are words, and no patterns
dry=
changes=0

say() { echo "${0##*/}: $*" >&2; }

die() {
	say "error: $*"
	trap - EXIT
	exit "${code:-1}"
}

# refuse ends the script over what it was given, before it calls anything.
refuse() {
	code=2
	die "$*; for help: $0 --help"
}

# stopped tells of a call that failed, whose own message stands above.
stopped() {
	status=$?
	[ "$status" -eq 0 ] || say "stopped; what was done stays as it is, and the same command goes on from there"
}

# show prints a call as one would type it.
show() {
	line=
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*) word="'$(printf %s "$word" | sed "s/'/'\\\\''/g")'" ;;
		esac
		line="$line $word"
	done
	echo "${line# }"
}

# change shows a call that changes something and makes it, but for a dry run; $result is what it prints.
change() {
	changes=$((changes + 1))
	show "$@"
	result=
	[ -n "$dry" ] || result=$("$@" </dev/null)
}

# exists reports whether a thing is there: what a dry run would make has a name in parentheses.
exists() {
	case $1 in
	'' | '('*) return 1 ;;
	esac
}

# value is that of key $1 in the list $2 of pairs KEY=VALUE, or nothing.
value() {
	for pair in $2; do
		[ "${pair%%=*}" != "$1" ] || echo "${pair#*=}"
	done
}

# keys are those of a list of pairs.
keys() {
	for pair in $1; do
		echo "${pair%%=*}"
	done
}

# has reports whether the list $2, of words or lines, has the word $1.
has() {
	for word in $2; do
		[ "$word" != "$1" ] || return 0
	done
	return 1
}

# sorted is a list in one order and with commas, to be compared.
sorted() { echo "$1" | tr -s ' ,;\t' '[\n*]' | sed '/^$/d' | LC_ALL=C sort -u | paste -sd, -; }

# like refuses a word that an input must not hold: name, pattern, what it should be, words.
like() {
	for word in $4; do
		printf '%s\n' "$word" | grep -Eqx -- "$2" || refuse "$1 has $word; need $3"
	done
}

# needed refuses an input that is missing.
needed() { [ -n "$2" ] || refuse "$1 is not set; need $3"; }

# covers refuses inputs that do not say of each member where it is, or say it of another.
covers() {
	[ "$(sorted "$(keys "$1")")" = "$(sorted "$servers")" ] ||
		refuse "ETCD_LB_MEMBERS names $(sorted "$(keys "$1")"); need each member that the spec puts behind the load balancer, and no other: $(sorted "$servers")"
}

# finish says what came of a command.
finish() {
	trap - EXIT
	if [ "$changes" -eq 0 ]; then
		say "nothing to change"
	elif [ -n "$dry" ]; then
		say "$changes calls would be made"
	else
		say "$changes calls were made"
	fi
}

# main runs the command that the words ask for.
main() {
	[ "${2-}" != --dry-run ] || dry=yes
	case "$#:${1-}:${2-}" in
	1:apply: | 2:apply:--dry-run) work=apply ;;
	1:remove: | 2:remove:--dry-run) work=remove ;;
	1:status:) work=apply dry=yes ;;
	1:--help: | 1:-h:)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
	check_"$work"
	command -v "$tool" >/dev/null || die "there is no $tool here; install it"
	able
	trap stopped EXIT
	"$work"
	if [ "$1" = status ]; then
		health
		finish
		[ "$changes" -eq 0 ]
		return
	fi
	finish
}
