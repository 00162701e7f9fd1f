package ratesapi

import (
	"bytes"
	"container/list"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// question is what the backing service is asked: the newest day, a day, or the
// days of a pair.
type question struct {
	path string     // below /v1/, or rates:
	date quote.Date // the day, if one is asked for
	days span       // the days, if some are
	pair [2]quote.Currency
}

// span is days, both ends among them.
type span struct{ from, to quote.Date }

var newest = question{path: "latest"}

func ofDay(date quote.Date) question { return question{path: date.String(), date: date} }

// ofDays asks in euro, as always: so that a chart has the rates that a
// conversion on each of its days has.
func ofDays(days span, source, target quote.Currency) question {
	return question{
		path: fmt.Sprintf("%v..%v?symbols=%s", days.from, days.to, strings.Join(codesOf(source, target), ",")),
		days: days, pair: [2]quote.Currency{source, target},
	}
}

// codesOf are those of a pair that are published: all but the euro.
func codesOf(source, target quote.Currency) []string {
	codes := slices.DeleteFunc([]string{source.Code, target.Code}, func(code string) bool { return code == quote.Base })
	slices.Sort(codes)
	return codes
}

// isRange says whether days are asked for, not a day.
func (q question) isRange() bool { return q.days != span{} }

// what names that which is asked for, in errors.
func (q question) what() string {
	if q.isRange() {
		return fmt.Sprintf("%s and %s from %v to %v", q.pair[0].Code, q.pair[1].Code, q.days.from, q.days.to)
	}
	return q.date.String()
}

// slot keeps the last good answer to one question and the call under way for
// it, if any.
type slot struct {
	kept atomic.Pointer[kept]
	mu   sync.Mutex
	call *call
}

// kept is a good answer.
type kept struct {
	table    *quote.Table    // of a day
	days     []quote.DayRate // of a pair
	body     []byte          // what was said
	answered time.Time
	age      time.Duration // how old the answer said it was then
}

// same takes over what was read of the answer before, if this one says the
// same.
func (k *kept) same(before *kept) bool {
	if before == nil || !bytes.Equal(before.body, k.body) {
		return false
	}
	k.table, k.days, k.body = before.table, before.days, before.body
	return true
}

// date is the newest reference date in the answer.
func (k *kept) date() quote.Date {
	if k.table != nil {
		return k.table.Date()
	}
	return k.days[len(k.days)-1].Date
}

// call is one question on its way; kept or err are there when done is closed.
type call struct {
	done chan struct{}
	kept *kept
	err  error
}

// slots are the places for some questions; the least recently asked go first.
type slots struct {
	most int
	mu   sync.Mutex
	all  map[question]*list.Element // of *named
	used *list.List                 // most recently used first
}

type named struct {
	question question
	slot     slot
}

func newSlots(most int) *slots {
	return &slots{most: most, all: map[question]*list.Element{}, used: list.New()}
}

// of finds or makes the place of a question's answer.
func (s *slots) of(q question) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.all[q]; ok {
		s.used.MoveToFront(e)
		return &e.Value.(*named).slot
	}
	if s.used.Len() >= s.most {
		oldest := s.used.Remove(s.used.Back()).(*named)
		delete(s.all, oldest.question)
	}
	n := &named{question: q}
	s.all[q] = s.used.PushFront(n)
	return &n.slot
}

// forget gives up the place of a question that has no answer, or days that
// nobody has rates for would push out those that are kept.
func (s *slots) forget(q question, empty *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.all[q]; ok && &e.Value.(*named).slot == empty {
		s.used.Remove(e)
		delete(s.all, q)
	}
}
