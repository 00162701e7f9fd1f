package web

import (
	"net/http"
	"strconv"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
)

type backingReply struct {
	Name        string      `json:"name"`
	Handle      string      `json:"handle"`
	State       string      `json:"state"`
	Server      string      `json:"server"`
	RateDate    *string     `json:"rateDate"`
	LastSuccess *time.Time  `json:"lastSuccess"`
	Age         *string     `json:"age"`
	LastError   *string     `json:"lastError"`
	Breaker     string      `json:"breaker"`
	Calls       []callReply `json:"calls"`
}

type callReply struct {
	Time     time.Time `json:"time"`
	Status   int       `json:"status"` // 0: no answer came
	Duration string    `json:"duration"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"`
}

// stateWords is what the page says of each state.
var stateWords = map[ratesapi.State]string{
	ratesapi.Attached: "It answers.",
	ratesapi.Slow:     "It answers, but its last answer took over a second, or a retry.",
	ratesapi.Stale:    "Asking it fails. What it said before still serves.",
	ratesapi.Detached: "Asking it fails, and nothing known from before is fresh enough.",
}

// Words are the state's.
func (b backingReply) Words() string { return stateWords[ratesapi.State(b.State)] }

// Outcome, Says and Clock are what the page shows of a call.
func (c callReply) Outcome() string {
	switch {
	case c.Error != "":
		return "failed"
	case c.Attempts > 1:
		return "retried"
	}
	return "fine"
}

func (c callReply) Says() string {
	if c.Status == 0 {
		return "no answer"
	}
	return strconv.Itoa(c.Status)
}

func (c callReply) Clock() string { return c.Time.Format("15:04:05") }

// backing shows the attached resource as it is now.
func backing(rates *ratesapi.Client) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		rates.Look(r.Context())
		return writeJSON(w, http.StatusOK, newBackingReply(rates.Status()))
	}
}

func newBackingReply(s ratesapi.Status) backingReply {
	reply := backingReply{Name: "rates", Handle: s.Handle, State: string(s.State), Server: s.Server, Breaker: s.Breaker, Calls: []callReply{}}
	if s.RateDate != "" {
		age := s.Age.Truncate(time.Second).String()
		reply.RateDate, reply.Age = &s.RateDate, &age
	}
	if !s.LastSuccess.IsZero() {
		at := s.LastSuccess.UTC().Truncate(time.Millisecond)
		reply.LastSuccess = &at
	}
	if s.LastError != "" {
		reply.LastError = &s.LastError
	}
	for _, c := range s.Calls {
		reply.Calls = append(reply.Calls, callReply{
			Time: c.Time.UTC().Truncate(time.Millisecond), Status: c.Status, Attempts: c.Attempts, Error: c.Error,
			Duration: c.Duration.Round(100 * time.Microsecond).String(),
		})
	}
	return reply
}
