package resp

import (
	"io"

	"example.com/portpair/services/rates/internal/fx"
)

// Export writes the commands that make a Redis hold what Server serves, as
// one transaction: whoever reads there sees the old rates or the new ones.
func Export(to io.Writer, t *fx.Table) error {
	w := &writer{to: to}
	begin := func(command string, args int) {
		w.array(1 + args)
		bulk(w, command)
	}
	begin("MULTI", 0)
	for _, code := range t.Ended() { // an earlier export may have left it
		begin("DEL", 1)
		bulk(w, pairPrefix+code)
	}
	for _, k := range keys(t) {
		name := k.appendName(nil, t)
		begin("DEL", 1)
		bulk(w, name)
		switch k.kind {
		case pair:
			begin("SET", 2)
			bulk(w, name)
			w.rate(k.rate)
		case days:
			begin("ZADD", 1+2*t.Len())
			bulk(w, name)
			for row := range t.Len() {
				w.score(score(t.Day(row)))
				w.day(t.Day(row))
			}
		default:
			begin("HSET", 1+2*countFields(t, k.row))
			bulk(w, name)
			writeFields(w, t, k.row)
		}
	}
	begin("EXEC", 0)
	return w.flush()
}
