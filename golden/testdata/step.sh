#!/bin/sh
# Stands for step and a step-ca in tests: issues what "step ca certificate" is asked for, from the CA in $CA and
# $CA.key, and knows no more options than step-ca.sh uses.
set -eu
[ "$1 $2" = "ca certificate" ]
shift 2
sans=
while [ "$1" = --san ]; do
	case $2 in
	*:* | *.*.*.*[0-9])
		sans="$sans,IP:$2" ;;
	*)
		sans="$sans,DNS:$2" ;;
	esac
	shift 2
done
[ $# = 3 ]
# Like step, a certificate without alternative names gets its common name as one.
[ -n "$sans" ] || sans=",DNS:$1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$3" -out "$2" -subj "/CN=$1" -days 365 \
	-addext "subjectAltName=${sans#,}" -addext extendedKeyUsage=serverAuth,clientAuth -addext keyUsage=digitalSignature \
	-addext basicConstraints=CA:FALSE -CA "$CA" -CAkey "$CA.key" 2>&1
