package resp

import (
	"bytes"
	"errors"
	"math"
	"sort"
	"strconv"

	"example.com/portpair/services/rates/internal/fx"
)

// How days are asked for.
const (
	byOption = iota // as an option says
	byRank
	byScore
)

// daysThere reports whether a key is the days', or answers for another one.
func (c *client) daysThere(t *fx.Table, name []byte, ifNone func()) bool {
	switch find(t, name).kind {
	case days:
		return true
	case none:
		ifNone()
	default:
		c.w.fail(errWrongType)
	}
	return false
}

func zcard(c *client, t *fx.Table, args [][]byte) {
	if c.daysThere(t, args[1], func() { c.w.int(0) }) {
		c.w.int(t.Len())
	}
}

func zscore(c *client, t *fx.Table, args [][]byte) {
	if !c.daysThere(t, args[1], c.w.null) {
		return
	}
	if d, ok := parseDay(args[2]); ok {
		if _, found := t.Find(d); found {
			c.w.score(score(d))
			return
		}
	}
	c.w.null()
}

func zcount(c *client, t *fx.Table, args [][]byte) {
	from, to, err := scores(t, args[2], args[3])
	if err != nil {
		c.w.fail(err.Error())
		return
	}
	if c.daysThere(t, args[1], func() { c.w.int(0) }) {
		c.w.int(max(to-from, 0))
	}
}

// daysQuery is what ZRANGE and its older sisters ask for.
type daysQuery struct {
	by            int
	reverse       bool
	withScores    bool
	offset, limit int // limit under 0: all
}

// zrange makes the command; what the options of ZRANGE say, its sisters have
// in their names.
func zrange(by int, reverse bool) func(*client, *fx.Table, [][]byte) {
	return func(c *client, t *fx.Table, args [][]byte) {
		q := daysQuery{by: by, reverse: reverse, limit: -1}
		if err := q.parse(args[4:], by == byOption); err != nil {
			c.w.fail(err.Error())
			return
		}
		from, to, err := q.rows(t, args[2], args[3])
		if err != nil {
			c.w.fail(err.Error())
			return
		}
		if c.daysThere(t, args[1], func() { c.w.array(0) }) {
			c.days(t, q, from, to)
		}
	}
}

// parse reads the options; free says that they may also say how.
func (q *daysQuery) parse(options [][]byte, free bool) error {
	for len(options) > 0 {
		used := 1
		switch option := options[0]; {
		case is(option, "WITHSCORES"):
			q.withScores = true
		case is(option, "LIMIT") && len(options) > 2:
			var ok, ok2 bool
			q.offset, ok = integer(options[1])
			q.limit, ok2 = integer(options[2])
			if !ok || !ok2 {
				return errors.New(errNotInteger)
			}
			used = 3
		case free && is(option, "REV"):
			q.reverse = true
		case free && is(option, "BYSCORE"):
			q.by = byScore
		case free && is(option, "BYLEX"):
			return errors.New("ERR BYLEX is not served: days have scores, use BYSCORE")
		default:
			return errors.New(errSyntax)
		}
		options = options[used:]
	}
	if q.by != byScore && q.limit != -1 {
		return errors.New("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
	}
	return nil
}

// rows is the span of rows that two bounds mean, from the first up to and
// without the second.
func (q *daysQuery) rows(t *fx.Table, first, last []byte) (from, to int, err error) {
	if q.by == byScore {
		if q.reverse {
			first, last = last, first
		}
		return scores(t, first, last)
	}
	start, ok := integer(first)
	end, ok2 := integer(last)
	if !ok || !ok2 {
		return 0, 0, errors.New(errNotInteger)
	}
	rank := func(n int) int { // under 0 it counts from the end
		if n < 0 {
			return max(n+t.Len(), -1)
		}
		return min(n, t.Len())
	}
	from, to = max(rank(start), 0), min(rank(end)+1, t.Len())
	if q.reverse {
		from, to = t.Len()-to, t.Len()-from
	}
	return from, to, nil
}

// days answers with some rows.
func (c *client) days(t *fx.Table, q daysQuery, from, to int) {
	n := 0
	if q.offset >= 0 {
		n = max(to-from-q.offset, 0)
	}
	if q.limit >= 0 {
		n = min(n, q.limit)
	}
	if q.withScores && !c.w.resp3 {
		c.w.array(2 * n)
	} else {
		c.w.array(n)
	}
	for i := range n {
		row := from + q.offset + i
		if q.reverse {
			row = to - 1 - q.offset - i
		}
		if q.withScores && c.w.resp3 {
			c.w.array(2)
		}
		c.w.day(t.Day(row))
		if q.withScores {
			c.w.score(score(t.Day(row)))
		}
	}
}

// scores is the span of rows between two scores. A ( before one leaves it out.
func scores(t *fx.Table, least, most []byte) (from, to int, err error) {
	low, aboveLow, ok := bound(least)
	high, belowHigh, ok2 := bound(most)
	if !ok || !ok2 {
		return 0, 0, errors.New("ERR min or max is not a float")
	}
	first := func(s float64, above bool) int {
		return sort.Search(t.Len(), func(row int) bool {
			at := float64(score(t.Day(row)))
			return at > s || at == s && !above
		})
	}
	return first(low, aboveLow), first(high, !belowHigh), nil
}

func bound(s []byte) (n float64, open, ok bool) {
	s, open = bytes.CutPrefix(s, []byte{'('})
	n, err := strconv.ParseFloat(string(s), 64)
	return n, open, (err == nil || errors.Is(err, strconv.ErrRange)) && !math.IsNaN(n)
}
