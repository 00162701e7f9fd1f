package resp

import (
	"math"
	"strconv"

	"example.com/portpair/services/rates/internal/fx"
)

func dbsize(c *client, t *fx.Table, _ [][]byte) {
	n := 0
	for range keys(t) {
		n++
	}
	c.w.int(n)
}

func keysCommand(c *client, t *fx.Table, args [][]byte) {
	all := page{count: math.MaxInt, pattern: args[1]}
	n, _ := all.walk(t, nil)
	c.w.array(n)
	all.walk(t, func(name []byte) { bulk(&c.w, name) })
}

func scan(c *client, t *fx.Table, args [][]byte) {
	cursor, err := strconv.ParseUint(string(args[1]), 10, 64)
	if err != nil {
		c.w.fail("ERR invalid cursor")
		return
	}
	p := page{from: cursor, count: 10}
	if complaint := p.parse(args[2:]); complaint != "" {
		c.w.fail(complaint)
		return
	}
	n, next := p.walk(t, nil)
	c.w.array(2)
	bulk(&c.w, strconv.FormatUint(next, 10))
	c.w.array(n)
	p.walk(t, func(name []byte) { bulk(&c.w, name) })
}

// page is some of the keys.
type page struct {
	from    uint64 // a key's number
	count   int    // of keys to look at
	pattern []byte // nil: any
	kind    []byte // nil: any
}

func (p *page) parse(options [][]byte) (complaint string) {
	for ; len(options) > 1; options = options[2:] {
		switch option, value := options[0], options[1]; {
		case is(option, "COUNT"):
			n, ok := integer(value)
			if !ok {
				return errNotInteger
			}
			if n < 1 {
				return errSyntax
			}
			p.count = n
		case is(option, "MATCH"):
			p.pattern = value
		case is(option, "TYPE"):
			p.kind = value
		default:
			return errSyntax
		}
	}
	if len(options) > 0 {
		return errSyntax
	}
	return ""
}

// walk hands the names of the page's keys to see, if that is not nil, and
// returns how many there are and the number of the key behind them, 0 at the
// end.
func (p *page) walk(t *fx.Table, see func(name []byte)) (n int, next uint64) {
	var room [32]byte
	looked := 0
	for number, k := range keys(t) {
		if uint64(number) < p.from {
			continue
		}
		if looked == p.count {
			return n, uint64(number)
		}
		looked++
		name := k.appendName(room[:0], t)
		if p.pattern != nil && !match(p.pattern, name) || p.kind != nil && !is(p.kind, k.kind.String()) {
			continue
		}
		n++
		if see != nil {
			see(name)
		}
	}
	return n, 0
}

// match reports whether a name is of a pattern: * is any bytes, ? is one,
// [a-z] and [^a-z] are one of some, \ takes the next byte for itself. At what
// does not fit it goes back to the last * alone, so no pattern takes long.
func match(pattern, name []byte) bool {
	star, mark := -1, 0 // where the last * was, and what of the name it has taken
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, n
			p++
			continue
		}
		if size, ok := matchOne(pattern[p:], name[n]); ok {
			p += size
			n++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne reports whether a byte fits the piece that a pattern begins with,
// and that piece's size.
func matchOne(pattern []byte, b byte) (size int, ok bool) {
	if len(pattern) == 0 {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return matchClass(pattern, b)
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == b
		}
	}
	return 1, pattern[0] == b
}

// matchClass is matchOne of a [class]. One that is not closed goes to the end.
func matchClass(pattern []byte, b byte) (size int, ok bool) {
	i := 1
	not := i < len(pattern) && pattern[i] == '^'
	if not {
		i++
	}
	for i < len(pattern) && pattern[i] != ']' {
		low := pattern[i]
		if low == '\\' && i+1 < len(pattern) {
			i++
			low = pattern[i]
		}
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' {
			high = pattern[i+2]
			i += 2
		}
		i++
		ok = ok || min(low, high) <= b && b <= max(low, high)
	}
	return min(i+1, len(pattern)), ok != not
}
