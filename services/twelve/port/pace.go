package port

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	paceEvery    = 250 * time.Millisecond
	manyRequests = 1500 // in that time
	calmAfter    = 8    // times in a row with fewer

	// headroom is how much more garbage may pile up under load, in bytes. An
	// app's heap is a megabyte, and is collected forty times a second
	// otherwise, which takes a sixth of the time.
	headroom = 32 << 20

	defaultGC = 100     // percent: the runtime's GOGC
	leastHeap = 4 << 20 // bytes: the runtime's, at that
)

// pacer gives the garbage collector headroom while there are many requests,
// and the memory back to the system when they are over. A GOGC that is always
// high would do the first, at a price that grows with the clients.
type pacer struct {
	served atomic.Int64
	raised bool
	calm   int // how often in a row there were few
}

// start begins to watch, unless GOGC is set: then whoever runs the app has
// decided. The func that it returns ends that.
func (p *pacer) start() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	tick, done := time.NewTicker(paceEvery), make(chan struct{})
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.look(p.served.Swap(0))
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// look sets the pace for so many requests since the last look.
func (p *pacer) look(served int64) {
	switch {
	case served >= manyRequests:
		p.raised, p.calm = true, 0
		debug.SetGCPercent(defaultGC + int(100*headroom/max(liveHeap(), leastHeap)))
	case p.raised:
		if p.calm++; p.calm == calmAfter {
			p.raised = false
			debug.SetGCPercent(defaultGC)
			debug.FreeOSMemory()
		}
	}
}

// liveHeap is what the last collection found in use, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
