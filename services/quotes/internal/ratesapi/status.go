package ratesapi

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"example.com/portpair/services/twelve/logs"
)

const (
	keptCalls = 20
	slowCall  = time.Second

	// hangs is when a call under way counts as one that fails: a moment before
	// requests that know rates stop waiting for it, so that Status says so
	// right after Look.
	hangs = patienceStale - 100*time.Millisecond

	// limpsFor is how long a late answer tells of the next one.
	limpsFor = 5 * time.Second
)

// Call is one call to the backing service, its retries included.
type Call struct {
	Time     time.Time
	Duration time.Duration
	Status   int // of the last answer, or what HTTP would say to it; 0 when none came
	Attempts int
	Outcome  Outcome
	Error    string // empty when rates came
}

func (c Call) failed() bool { return c.Outcome != OK && c.Outcome != NoRates }

// State is how the attached resource does.
type State string

// The states.
const (
	Attached State = "attached" // it answers
	Slow     State = "slow"     // its last answer took over 1 s or a retry
	Stale    State = "stale"    // asking fails, known rates still serve
	Detached State = "detached" // nothing to serve
)

// Status is what is known of the attached resource.
type Status struct {
	Handle      string // redacted
	State       State
	Server      string    // how it names itself, cleaned; often empty
	RateDate    string    // of the newest rates known
	LastSuccess time.Time // zero: never
	Age         time.Duration
	LastError   string // of the last call, empty when it brought rates
	Breaker     string // closed, half-open or open
	Calls       []Call // newest first
}

// history is what Status is made of.
type history struct {
	mu          sync.Mutex
	calls       []Call // oldest first
	server      string
	lastSuccess time.Time
	pending     list.List // when each call under way began, the oldest first
}

// begin notes a call that is under way until the func that it returns is
// called.
func (h *history) begin(at time.Time) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	call := h.pending.PushBack(at)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.pending.Remove(call)
	}
}

// hanging is how long the oldest call under way has been so by now, if that
// is too long.
func (h *history) hanging(now time.Time) (since time.Duration, ok bool) {
	if oldest := h.pending.Front(); oldest != nil {
		since = now.Sub(oldest.Value.(time.Time))
	}
	return since, since >= hangs
}

// late says whether the answer to a call under way is late, or the last one
// was a moment ago.
func (h *history) late(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, hanging := h.hanging(now); hanging || len(h.calls) == 0 {
		return hanging
	}
	last := h.calls[len(h.calls)-1]
	return (last.Duration > slowCall || last.Outcome == GivenUp) && now.Sub(last.Time.Add(last.Duration)) < limpsFor
}

func (h *history) add(c Call, server string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.calls) == keptCalls {
		h.calls = slices.Delete(h.calls, 0, 1)
	}
	h.calls = append(h.calls, c)
	if c.Status != 0 {
		h.server = server
	}
	if !c.failed() {
		h.lastSuccess = c.Time.Add(c.Duration)
	}
}

// Status tells how the attached resource does, as far as calls have shown:
// the last one, or one that hangs.
func (c *Client) Status() Status {
	h := &c.status
	h.mu.Lock()
	calls := slices.Clone(h.calls)
	s := Status{Handle: c.handle.String(), State: Detached, Server: h.server, LastSuccess: h.lastSuccess, Breaker: c.breaker.State().String()}
	since, hanging := h.hanging(c.now())
	h.mu.Unlock()

	slices.Reverse(calls)
	s.Calls = calls
	var last Call
	if len(calls) > 0 {
		last = calls[0]
		s.LastError = last.Error
	}
	if hanging {
		s.LastError = fmt.Sprintf("no answer yet, asked %v ago", since.Round(100*time.Millisecond))
	}
	failed := hanging || last.failed()
	if k := c.latest.kept.Load(); k != nil {
		if standing := c.standing(k, c.options.MaxAge, failed); standing.Servable {
			s.State, s.RateDate, s.Age = Stale, k.table.Date().String(), standing.Age
		}
	}
	switch {
	case failed || len(calls) == 0:
	case last.Duration > slowCall || last.Attempts > 1:
		s.State = Slow
	default:
		s.State = Attached
	}
	return s
}

func callAttrs(ctx context.Context, path string, c Call) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("path", path),
		slog.String("outcome", string(c.Outcome)),
		slog.Int("status", c.Status),
		slog.Int("attempts", c.Attempts),
		slog.String("duration", c.Duration.Round(10*time.Microsecond).String()),
	}
	if c.Error != "" {
		attrs = append(attrs, slog.String("error", c.Error))
	}
	if r := logs.FromContext(ctx); r != nil {
		attrs = append(attrs, slog.String("request_id", r.ID), slog.String("trace_id", r.TraceID))
	}
	return attrs
}
