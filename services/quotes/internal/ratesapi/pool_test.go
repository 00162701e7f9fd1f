package ratesapi

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

// together answers requests in groups: each waits until n have come, so that
// every one of a group has a connection of its own.
func together(n int) http.HandlerFunc {
	var mu sync.Mutex
	come, all := 0, make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		mine := all
		if come++; come == n {
			close(all)
			come, all = 0, make(chan struct{})
		}
		mu.Unlock()
		select {
		case <-mine:
			io.WriteString(w, good)
		case <-r.Context().Done():
		}
	}
}

// askTogether makes n calls at once.
func askTogether(t *testing.T, c *attached, n int) {
	t.Helper()
	var asking sync.WaitGroup
	for range n {
		asking.Go(func() {
			if _, err := c.Latest(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
}

func TestAsManyConnectionsAreKeptAsRequestsAreWorkedOn(t *testing.T) {
	const many = 128
	u := serve(t, together(many))
	c := u.attach(t, "?max_age=0s&timeout=30s")
	for range 3 {
		askTogether(t, c, many)
		want(t, "connections accepted", u.accepted.Load(), many)
	}
	want(t, "requests, each on its own", u.requests.Load(), 3*many)
}

func TestConnectionsAreKeptAfterAFailedCall(t *testing.T) {
	const many = 16
	ok := together(many)
	for name, tt := range map[string]struct {
		fail  http.HandlerFunc
		costs int64 // connections that the failed call itself breaks
	}{
		"status 503":                 {status(503, ""), 0},
		"status 503 with a page":     {status(503, "<html>"+strings.Repeat("x", 2000)), 0},
		"no rates service":           {answer("<html>"), 0},
		"credentials refused":        {status(401, `{"message":"unauthorized"}`), 0},
		"a body cut short each time": {cutShort, 3},
		"too large an answer":        {answer(strings.Repeat("x", 4<<20)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			failing := false
			u := serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				h := ok
				if failing {
					h = tt.fail
				}
				mu.Unlock()
				h(w, r)
			})
			fails := func(yes bool) {
				mu.Lock()
				defer mu.Unlock()
				failing = yes
			}
			c := u.attach(t, "?max_age=0s&max_stale=0s&timeout=30s")
			askTogether(t, c, many)
			fails(true)
			if _, err := c.On(t.Context(), date(t, "2026-08-21")); err == nil {
				t.Fatal("got rates from a call that was to fail")
			} else {
				wantErr(t, err, quote.ErrRatesUnavailable)
			}
			fails(false)
			askTogether(t, c, many)
			if got := u.accepted.Load(); got > many+tt.costs {
				t.Errorf("got %d connections, want %d and at most %d in place of those that broke", got, many, tt.costs)
			}
		})
	}
}
