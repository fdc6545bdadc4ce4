package main

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// allowance is what the evaluation of a spec may cost. It is stated in time of the processor, which is the same however
// busy the machine is.
type allowance struct {
	cpu    time.Duration
	memory uint64 // of the whole program, in bytes
	waits  bool   // for files that somebody else is to write, as pipes are
}

// What specs may cost. A cluster takes some 20 ms, and one more in a fleet half a millisecond and 50 KiB.
var (
	patient = allowance{cpu: 2 * time.Minute, memory: 4 << 30, waits: true}
	hasty   = allowance{cpu: time.Second, memory: 96 << 20}
)

// load reads a spec that is to be built or shown.
func (s *streams) load(paths, tags []string) (*schema.Result, diag.List, error) {
	giveUp, end := watch(patient)
	defer end()
	return schema.Load(schema.Input{Paths: paths, Tags: tags, Stdin: s.in, GiveUp: giveUp})
}

// watchLint watches over a spec that is linted, in which so many clusters are written out.
func watchLint(clusters int) (giveUp <-chan string, end func()) {
	a := hasty
	a.cpu += time.Duration(clusters) * 2 * time.Millisecond
	a.memory += uint64(clusters) * 60 << 10
	debug.SetMemoryLimit(int64(a.memory)) // what is in use is then what is kept
	giveUp, stop := watch(a)
	return giveUp, func() {
		stop()
		debug.SetMemoryLimit(max(lintMemory, int64(a.memory)))
	}
}

// watch says, on a channel, when an allowance is used up from now on. What it returns as well ends it.
func watch(a allowance) (giveUp <-chan string, end func()) {
	why, done := make(chan string, 1), make(chan struct{})
	before := processorTime()
	until, ticks := before+a.cpu, 0
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			used, idle := processorTime(), false
			if ticks++; ticks%idleTicks == 0 {
				idle = used-before < idleTime
				before = used
			}
			fault := ""
			switch {
			case idle && !a.waits:
				fault = "waits for a file that does not come, as a pipe does"
			case used > until:
				fault = fmt.Sprintf("takes more than %v of the processor's time", a.cpu)
			case memoryInUse() > a.memory+a.memory/8:
				fault = fmt.Sprintf("takes more than %d MiB of memory", a.memory>>20)
			default:
				continue
			}
			why <- "loading the spec " + fault + ", so it is given up, and nothing else is read; need fewer values that are made of each other"
			return
		}
	}()
	return why, func() { close(done) }
}

// Loading a spec stands still when in so many ticks it takes less than so much of the processor's time, of which the
// ticks themselves take half. None come while the program is kept from running.
const (
	idleTicks = 300
	idleTime  = idleTicks * 100 * time.Microsecond
)

// memoryInUse is what the program has from the system, in bytes.
func memoryInUse() uint64 {
	m := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(m)
	return m[0].Value.Uint64() - m[1].Value.Uint64()
}
