// Command etcdlbgen compiles a description of an etcd cluster behind a load balancer into the files that run it, and
// lints such files.
package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
)

func main() {
	// The program lives for moments and keeps most of what it makes: it collects late, but stays small.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(240 << 20)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// collectFor lets a fleet whose specs are larger than 700 KiB, more than a thousand clusters, grow beyond that limit: what it
// keeps is more, and keeping to the limit would mean to collect all the time.
func collectFor(specs []string) {
	var size int64
	for _, path := range specs {
		files := []string{path}
		if inside, err := filepath.Glob(filepath.Join(path, "*.cue")); err == nil {
			files = append(files, inside...)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
		}
	}
	if size > 700<<10 {
		debug.SetGCPercent(200)
		debug.SetMemoryLimit(math.MaxInt64)
	}
}
