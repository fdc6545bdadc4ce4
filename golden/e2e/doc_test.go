//go:build e2e

// Package e2e proves on running programs what the generated files promise: real etcd members, proxies, firewalls and
// Prometheus, each on a machine of its own, which is a network namespace on a switch that the test makes. Traffic
// never leaves these namespaces. Everything in `etcdlbgen build`'s output is used as it was written.
//
// A test takes a Rig, puts a Cluster on it, lets Build compile a spec for it, starts what was written (HAProxy, NGINX,
// Firewall), puts a Load on it and makes a Fault.
package e2e
