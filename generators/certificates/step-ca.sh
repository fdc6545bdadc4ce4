usage() {
	echo "usage: step-ca.sh NAME CERTIFICATE KEY [OPTION OF STEP…]"
	echo "NAME is one of:"
	list
}

if [ $# -lt 3 ]; then
	usage >&2
	exit 2
fi
name=$1 certificate=$2 key=$3
shift 3
if ! known "$name"; then
	echo "step-ca.sh: error: there is no certificate $name" >&2
	usage >&2
	exit 2
fi
umask 077
# What a client certificate carries is its common name; step then takes that as its alternative name.
for san in $sans; do
	set -- --san "$san" "$@"
done
exec step ca certificate "$@" "$subject" "$certificate" "$key"
