// Command etcdlbgen compiles a description of an etcd cluster behind a load balancer into the files that run it, and
// lints such files.
package main

import (
	"math"
	"os"
	"runtime/debug"
)

func main() {
	// The program lives for moments and keeps most of what it makes: it collects late, but stays small.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(240 << 20)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// collectForFleet is for fleets whose files alone exceed the memory limit, where keeping to it would mean to collect all
// the time.
func collectForFleet(clusters int) {
	if clusters > 1000 {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
	}
}
