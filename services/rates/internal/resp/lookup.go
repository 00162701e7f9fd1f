package resp

import "example.com/portpair/services/rates/internal/fx"

func get(c *client, t *fx.Table, args [][]byte) {
	switch k := find(t, args[1]); k.kind {
	case none:
		c.w.null()
	case pair:
		c.w.rate(k.rate)
	default:
		c.w.fail(errWrongType)
	}
}

func mget(c *client, t *fx.Table, args [][]byte) {
	c.w.array(len(args) - 1)
	for _, name := range args[1:] {
		if k := find(t, name); k.kind == pair {
			c.w.rate(k.rate)
		} else {
			c.w.null()
		}
	}
}

func exists(c *client, t *fx.Table, args [][]byte) {
	n := 0
	for _, name := range args[1:] {
		if find(t, name).kind != none {
			n++
		}
	}
	c.w.int(n)
}

func typeCommand(c *client, t *fx.Table, args [][]byte) { c.w.simple(find(t, args[1]).kind.String()) }

func ttl(c *client, t *fx.Table, args [][]byte) {
	if find(t, args[1]).kind == none {
		c.w.int(-2)
	} else {
		c.w.int(-1)
	}
}

// hash finds a hash, or says that the key holds something else. Without the
// key it is empty.
func (c *client) hash(t *fx.Table, name []byte) (k key, ok bool) {
	k = find(t, name)
	if k.kind != none && !isHash(k) {
		c.w.fail(errWrongType)
		return key{}, false
	}
	return k, true
}

func hget(c *client, t *fx.Table, args [][]byte) {
	if k, ok := c.hash(t, args[1]); ok {
		c.field(t, k, args[2])
	}
}

func hmget(c *client, t *fx.Table, args [][]byte) {
	k, ok := c.hash(t, args[1])
	if !ok {
		return
	}
	c.w.array(len(args) - 2)
	for _, name := range args[2:] {
		c.field(t, k, name)
	}
}

// field answers with one of a hash's.
func (c *client) field(t *fx.Table, k key, name []byte) {
	switch {
	case k.kind == none:
		c.w.null()
	case string(name) == "date":
		c.w.day(t.Day(k.row))
	case string(name) == "base":
		bulk(&c.w, fx.EUR)
	default:
		if rate, ok := t.Reference(k.row, string(name)); ok {
			c.w.rate(rate)
		} else {
			c.w.null()
		}
	}
}

func hgetall(c *client, t *fx.Table, args [][]byte) {
	k, ok := c.hash(t, args[1])
	switch {
	case !ok:
	case k.kind == none:
		c.w.pairs(0)
	default:
		c.w.pairs(countFields(t, k.row))
		writeFields(&c.w, t, k.row)
	}
}

func hlen(c *client, t *fx.Table, args [][]byte) {
	k, ok := c.hash(t, args[1])
	switch {
	case !ok:
	case k.kind == none:
		c.w.int(0)
	default:
		c.w.int(countFields(t, k.row))
	}
}

func hkeys(c *client, t *fx.Table, args [][]byte) {
	k, ok := c.hash(t, args[1])
	switch {
	case !ok:
	case k.kind == none:
		c.w.array(0)
	default:
		c.w.array(countFields(t, k.row))
		bulk(&c.w, "date")
		bulk(&c.w, "base")
		for code := range t.Published(k.row) {
			bulk(&c.w, code)
		}
	}
}
