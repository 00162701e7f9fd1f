package ratesapi

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"example.com/portpair/services/twelve/logs"
)

const (
	levelWarn  = slog.LevelWarn
	levelDebug = slog.LevelDebug

	keptCalls = 20
	slowCall  = time.Second
)

// Call is one call to the backing service, its retries included.
type Call struct {
	Time     time.Time
	Duration time.Duration
	Status   int // of the last answer; 0 when none came
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
	Calls       []Call // newest first
}

// history is what Status is made of.
type history struct {
	mu          sync.Mutex
	calls       []Call // oldest first
	server      string
	lastSuccess time.Time
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

// Status tells how the attached resource does, as far as calls have shown.
func (c *Client) Status() Status {
	h := &c.status
	h.mu.Lock()
	calls := slices.Clone(h.calls)
	s := Status{Handle: c.handle.String(), State: Detached, Server: h.server, LastSuccess: h.lastSuccess}
	h.mu.Unlock()

	slices.Reverse(calls)
	s.Calls = calls
	if k := c.latest.kept.Load(); k != nil {
		failed := len(calls) > 0 && calls[0].failed()
		if standing := c.standing(k, c.options.MaxAge, failed); standing.Servable {
			s.State, s.RateDate, s.Age = Stale, k.table.Date().String(), standing.Age
		}
	}
	if len(calls) > 0 {
		s.LastError = calls[0].Error
		if last := calls[0]; !last.failed() {
			s.State = Attached
			if last.Duration > slowCall || last.Attempts > 1 {
				s.State = Slow
			}
		}
	}
	return s
}

func callAttrs(ctx context.Context, path string, c Call) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("path", "/v1/"+path),
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
