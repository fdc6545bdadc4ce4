//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime is what the program has used of the processor so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no process's own usage
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
