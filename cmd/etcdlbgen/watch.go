package main

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// allowance is what the evaluation of specs may cost. It is stated in time of the processor, which is the same however
// busy the machine is.
type allowance struct {
	cpu    time.Duration
	memory uint64 // of the whole program, in bytes
}

// What specs may cost: those of a build, and all that one call of lint meets, which is run on what anybody writes. A
// cluster in a fleet takes half a millisecond and 50 KiB, one that sets all options four times as much.
var (
	patient = allowance{cpu: 2 * time.Minute, memory: 4 << 30}
	hasty   = allowance{cpu: 1200 * time.Millisecond, memory: 96 << 20}
)

// load reads a spec that is to be built or shown.
func (s *streams) load(paths, tags []string) (*schema.Result, diag.List, error) {
	giveUp, end := watch(patient)
	defer end()
	return schema.Load(schema.Input{Paths: paths, Tags: tags, Stdin: s.in, GiveUp: giveUp})
}

// watchLint watches over the specs that are linted.
func watchLint() (giveUp <-chan string, end func()) {
	debug.SetMemoryLimit(int64(hasty.memory)) // what is in use is then what is kept
	giveUp, stop := watch(hasty)
	return giveUp, func() {
		stop()
		debug.SetMemoryLimit(lintMemory)
	}
}

// watch says, on a channel, when an allowance is used up from now on. What it returns as well ends it.
func watch(a allowance) (giveUp <-chan string, end func()) {
	why, done := make(chan string, 1), make(chan struct{})
	until := processorTime() + a.cpu
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			fault := ""
			switch {
			case processorTime() > until:
				fault = fmt.Sprintf("more than %v of the processor's time", a.cpu)
			case memoryInUse() > a.memory+a.memory/8:
				fault = fmt.Sprintf("more than %d MiB of memory", a.memory>>20)
			default:
				continue
			}
			why <- "loading specs takes " + fault + " by here, so this one is given up, and nothing else is read; " +
				"need fewer values that are made of each other, or fewer clusters: split the fleet, and lint its parts by themselves"
			return
		}
	}()
	return why, func() { close(done) }
}

// memoryInUse is what the program has from the system, in bytes.
func memoryInUse() uint64 {
	m := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(m)
	return m[0].Value.Uint64() - m[1].Value.Uint64()
}
