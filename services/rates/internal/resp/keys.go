package resp

import (
	"bytes"
	"iter"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

// The keys, as README has them:
//
//	rates:days        sorted set of the days, scored by their digits: 20260821
//	rates:latest      hash of the newest day
//	rates:2026-08-21  hash of a day: date, base, and what one euro is by code
//	rates:EUR:USD     string, one of the newest day's
const (
	prefix     = "rates:"
	pairPrefix = "rates:EUR:"
)

// kind is what a key holds.
type kind uint8

const (
	none   kind = iota // there is no such key
	days               // rates:days
	latest             // rates:latest
	day                // rates:2026-08-21
	pair               // rates:EUR:USD
)

// String is the type's name in Redis.
func (k kind) String() string {
	switch k {
	case days:
		return "zset"
	case latest, day:
		return "hash"
	case pair:
		return "string"
	default:
		return "none"
	}
}

// key is one of a table's.
type key struct {
	kind kind
	row  int        // whose rates it holds
	rate fx.Decimal // a pair's
	code string     // a pair's, where all keys are listed
}

// find looks a key up.
func find(t *fx.Table, name []byte) key {
	rest, ok := bytes.CutPrefix(name, []byte(prefix))
	newest := t.Len() - 1
	switch {
	case !ok:
		return key{}
	case string(rest) == "latest":
		return key{kind: latest, row: newest}
	case string(rest) == "days":
		return key{kind: days}
	}
	if code, ok := bytes.CutPrefix(name, []byte(pairPrefix)); ok {
		if rate, ok := t.Reference(newest, string(code)); ok {
			return key{kind: pair, row: newest, rate: rate}
		}
		return key{}
	}
	if date, ok := parseDay(rest); ok {
		if row, found := t.Find(date); found {
			return key{kind: day, row: row}
		}
	}
	return key{}
}

// parseDay reads a day without leaving anything behind, as fx.ParseDay would.
func parseDay(s []byte) (fx.Day, bool) {
	if len(s) != len(time.DateOnly) {
		return 0, false
	}
	number := func(digits []byte) (n int) {
		for _, d := range digits {
			n = 10*n + int(d-'0')
		}
		return n
	}
	day := fx.DayOf(time.Date(number(s[:4]), time.Month(number(s[5:7])), number(s[8:]), 0, 0, 0, 0, time.UTC))
	var room [16]byte
	return day, bytes.Equal(day.Append(room[:0]), s) // else s was none
}

// keys lists all of a table's, each under a number that stays its own
// whatever is published after, so that one who walks over them by numbers
// misses none. Numbers ascend, from 1.
func keys(t *fx.Table) iter.Seq2[int, key] {
	return func(yield func(int, key) bool) {
		newest := t.Len() - 1
		if !yield(1, key{kind: days}) || !yield(2, key{kind: latest, row: newest}) {
			return
		}
		for code, rate := range t.Published(newest) {
			number := 0
			for _, letter := range []byte(code) {
				number = 26*number + int(letter-'A')
			}
			if !yield(100+number, key{kind: pair, row: newest, rate: rate, code: code}) {
				return
			}
		}
		const epoch = 1 << 21 // 1970 stands over all pairs, with room for days before it
		for row := range t.Len() {
			if !yield(epoch+int(t.Day(row)), key{kind: day, row: row}) {
				return
			}
		}
	}
}

// appendName appends the name of one of those that keys lists.
func (k key) appendName(dst []byte, t *fx.Table) []byte {
	switch k.kind {
	case days:
		return append(dst, "rates:days"...)
	case latest:
		return append(dst, "rates:latest"...)
	case pair:
		return append(append(dst, pairPrefix...), k.code...)
	default:
		return t.Day(k.row).Append(append(dst, prefix...))
	}
}

func isHash(k key) bool { return k.kind == latest || k.kind == day }

// countFields is how many fields a hash has.
func countFields(t *fx.Table, row int) int {
	n := 2 // date and base
	for range t.Published(row) {
		n++
	}
	return n
}

// writeFields writes the fields and values of a hash.
func writeFields(w *writer, t *fx.Table, row int) {
	bulk(w, "date")
	w.day(t.Day(row))
	bulk(w, "base")
	bulk(w, fx.EUR)
	for code, rate := range t.Published(row) {
		bulk(w, code)
		w.rate(rate)
	}
}

// score is what a day has in the sorted set: its digits as one number, which
// a person can read and a client can compare.
func score(d fx.Day) int {
	year, month, day := d.Time().Date()
	return (100*year+int(month))*100 + day
}
