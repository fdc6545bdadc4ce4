//go:build !unix

package main

import "time"

var started = time.Now()

// processorTime is the time since the program began, where nothing says what it has used of the processor.
func processorTime() time.Duration { return time.Since(started) }
