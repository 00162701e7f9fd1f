package port

import (
	"runtime/debug"
	"testing"
)

// gcPercent is the runtime's now.
func gcPercent() int {
	percent := debug.SetGCPercent(defaultGC)
	debug.SetGCPercent(percent)
	return percent
}

func TestGarbageMayPileUpWhileThereAreManyRequests(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(defaultGC))
	var p pacer
	look := func(served int64, times int) {
		for range times {
			p.look(served)
		}
	}
	look(manyRequests-1, 1)
	if got := gcPercent(); got != defaultGC {
		t.Errorf("few requests: GOGC %d, want it left alone", got)
	}
	look(manyRequests, 1)
	if got := gcPercent(); got <= defaultGC || got > defaultGC+100*headroom/leastHeap {
		t.Errorf("many requests: GOGC %d, want more than %d and at most %d MB of garbage more", got, defaultGC, headroom>>20)
	}
	look(0, calmAfter-1)
	if got := gcPercent(); got <= defaultGC {
		t.Error("a pause ends it")
	}
	look(manyRequests, 1)
	look(0, calmAfter)
	if got := gcPercent(); got != defaultGC {
		t.Errorf("after the load: GOGC %d, want %d", got, defaultGC)
	}
}

// As large as the heap may be.
func TestHeadroomDoesNotGrowWithTheHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(defaultGC))
	live := make([]byte, 64<<20)
	debug.FreeOSMemory()
	new(pacer).look(manyRequests)
	if got, most := gcPercent(), defaultGC+100*headroom/len(live); got > most {
		t.Errorf("GOGC %d at a heap of %d MB, want at most %d", got, len(live)>>20, most)
	}
	live[0] = 1
}
