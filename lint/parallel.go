package lint

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel does something for all numbers below n, on all cores. What is done for one number must be by itself: whoever calls
// puts the results in order.
func inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wait.Wait()
}

// large is the size of files of which one is read at a time, so that the memory that it takes is not taken twice.
const large = 64 << 10

var heavy sync.Mutex

// guarded does something with files of a size, large ones one at a time.
func guarded(size int64, do func()) {
	if size >= large {
		heavy.Lock()
		defer heavy.Unlock()
	}
	do()
}
