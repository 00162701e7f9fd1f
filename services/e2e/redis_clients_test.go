package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

// what a client of the Redis protocol reads of the rates.
type what struct {
	latest, day map[string]string
	usd         string
	before      []string // the newest day at or before one
	keys        []string
}

func (w what) equal(other what) bool {
	return maps.Equal(w.latest, other.latest) && maps.Equal(w.day, other.day) && w.usd == other.usd &&
		slices.Equal(w.before, other.before) && slices.Equal(w.keys, other.keys)
}

// TestGoRedisReadsBoth has go-redis read rates and a real Redis.
func TestGoRedisReadsBoth(t *testing.T) {
	real, _ := startRedis(t)
	real.fill(t)
	_, rates := startRESP(t, "RATES_ACCESS=ada:s3cret")
	for _, protocol := range []int{2, 3} {
		var got [2]what
		for i, url := range []string{"redis://ada:s3cret@" + rates.addr, "redis://" + real.addr} {
			var err error
			if got[i], err = readByGoRedis(t.Context(), fmt.Sprint(url, "/0?client_name=shop&protocol=", protocol)); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
		}
		if !got[0].equal(got[1]) || got[0].usd != "1.1699" || len(got[0].latest) < 30 || len(got[0].keys) != 97 {
			t.Errorf("RESP%d: got %+v, of a real Redis %+v", protocol, got[0], got[1])
		}
	}
}

func readByGoRedis(ctx context.Context, url string) (w what, err error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return w, err
	}
	c := redis.NewClient(options)
	defer c.Close()
	p := c.Pipeline()
	latest, usd, day := p.HGetAll(ctx, "rates:latest"), p.Get(ctx, "rates:EUR:USD"), p.HGetAll(ctx, "rates:2026-07-01")
	before := p.ZRangeArgs(ctx, redis.ZRangeArgs{Key: "rates:days", Start: "-inf", Stop: "20260823", ByScore: true, Rev: true, Count: 1})
	if _, err := p.Exec(ctx); err != nil {
		return w, err
	}
	w = what{latest: latest.Val(), usd: usd.Val(), day: day.Val(), before: before.Val()}
	all := c.Scan(ctx, 0, "rates:*", 7).Iterator()
	for all.Next(ctx) {
		w.keys = append(w.keys, all.Val())
	}
	slices.Sort(w.keys)
	w.keys = slices.Compact(w.keys) // a SCAN may say one twice
	if err := c.Get(ctx, "nothing").Err(); err != redis.Nil {
		return w, fmt.Errorf("GET nothing: %v", err)
	}
	return w, all.Err()
}

// TestRueidisReadsBoth is the same with rueidis, which speaks RESP3 alone.
func TestRueidisReadsBoth(t *testing.T) {
	real, _ := startRedis(t)
	real.fill(t)
	_, rates := startRESP(t, "RATES_ACCESS=s3cr3t")
	var got [2]what
	for i, option := range []rueidis.ClientOption{
		{InitAddress: []string{rates.addr}, Password: "s3cr3t"}, {InitAddress: []string{real.addr}},
	} {
		option.DisableCache, option.ClientName = true, "shop"
		var err error
		if got[i], err = readByRueidis(t.Context(), option); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if !got[0].equal(got[1]) || got[0].usd != "1.1699" || len(got[0].latest) < 30 || len(got[0].keys) != 97 {
		t.Errorf("got %+v, of a real Redis %+v", got[0], got[1])
	}
}

func readByRueidis(ctx context.Context, option rueidis.ClientOption) (w what, err error) {
	c, err := rueidis.NewClient(option)
	if err != nil {
		return w, err
	}
	defer c.Close()
	replies := c.DoMulti(ctx,
		c.B().Hgetall().Key("rates:latest").Build(),
		c.B().Hgetall().Key("rates:2026-07-01").Build(),
		c.B().Get().Key("rates:EUR:USD").Build(),
		c.B().Zrange().Key("rates:days").Min("20260823").Max("-inf").Byscore().Rev().Limit(0, 1).Build(),
		c.B().Keys().Pattern("*").Build())
	var errs [5]error
	w.latest, errs[0] = replies[0].AsStrMap()
	w.day, errs[1] = replies[1].AsStrMap()
	w.usd, errs[2] = replies[2].ToString()
	w.before, errs[3] = replies[3].AsStrSlice()
	w.keys, errs[4] = replies[4].AsStrSlice()
	slices.Sort(w.keys)
	for _, err := range errs {
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// TestHostileClientsCostLittle has many of them at once, each for as long as
// it is let. What they make rates keep is measured at its peak.
func TestHostileClientsCostLittle(t *testing.T) {
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	a := launch(t, filepath.Join(dir, "bin", "rates"), "RESP_PORT=0") // as it ships: the race detector takes memory of its own
	a.listening()
	rates := a.second()
	rates.dial(t).ask(t, "PING")
	before := residentMemory(t, a.cmd.Process.Pid)

	const each, sent = 10, 300 << 20
	endless := func(of string) io.Reader { return io.LimitReader(&repeated{of: of}, sent) }
	var hostile sync.WaitGroup
	for name, bytes := range map[string]func() io.Reader{
		"2^63 arguments":             func() io.Reader { return strings.NewReader("*9223372036854775807\r\n") },
		"an argument of 2^63 bytes":  func() io.Reader { return strings.NewReader("*1\r\n$9223372036854775807\r\n") },
		"64 arguments of 2^31 bytes": func() io.Reader { return endless("*64\r\n$2147483647\r\n") },
		"an endless line":            func() io.Reader { return endless("x") },
		"an endless number":          func() io.Reader { return endless("*") },
		"a bulk of 300 MB": func() io.Reader {
			return io.MultiReader(strings.NewReader("*2\r\n$4\r\nECHO\r\n$314572800\r\n"), endless("x"))
		},
		"arguments without end": func() io.Reader {
			return io.MultiReader(strings.NewReader("*64\r\n"), endless("$512\r\n"+strings.Repeat("x", 512)+"\r\n"))
		},
		"all keys, and never reading": func() io.Reader { return endless("KEYS *\r\n") },
		"all rates, and never reading": func() io.Reader {
			return endless("*2\r\n$7\r\nHGETALL\r\n$12\r\nrates:latest\r\n")
		},
		"a pattern that is hard": func() io.Reader { return strings.NewReader("KEYS " + strings.Repeat("*[^x]", 100) + "y\r\n") },
	} {
		for range each {
			hostile.Go(func() {
				conn, err := net.Dial("tcp", strings.Replace(rates.addr, "localhost", "127.0.0.1", 1))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(time.Second)) // those that would go on
				_, _ = io.Copy(onlyWriter{conn}, bytes())     // most are cut off
			})
		}
	}
	hostile.Go(func() { // one who is only slow is served meanwhile
		conn := rates.dial(t)
		for _, b := range []byte(strings.Repeat("GET rates:EUR:USD\r\n", 20)) {
			_, _ = conn.Write([]byte{b})
		}
		if got, err := io.ReadAll(io.LimitReader(conn, 20*12)); err != nil || string(got) != strings.Repeat("$6\r\n1.1699\r\n", 20) {
			t.Errorf("byte by byte: got %q, %v", got, err)
		}
	})
	hostile.Wait()
	grown := peakMemory(t, a.cmd.Process.Pid) - before
	t.Logf("%d hostile clients: %.1f MB more at the peak", 10*each, float64(grown)/mib)
	if grown > 10*mib {
		t.Errorf("got %d bytes more, want under 10 MB", grown)
	}
	if got := rates.dial(t).ask(t, "GET rates:EUR:USD"); got != "$6\r\n1.1699\r\n" {
		t.Errorf("got %q afterwards", got)
	}
	if code := a.stop(os.Interrupt); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// repeated is a text again and again.
type repeated struct {
	of string
	at int
}

func (r *repeated) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.of[r.at]
		r.at = (r.at + 1) % len(r.of)
	}
	return len(b), nil
}

// onlyWriter hides what else a connection can do, lest io.Copy read from it.
type onlyWriter struct{ io.Writer }

// peakMemory of a process so far, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status := readFile(t, fmt.Sprintf("/proc/%d/status", pid))
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(status)
	if m == nil {
		t.Fatalf("no VmHWM in\n%s", status)
	}
	kb, _ := strconv.ParseInt(m[1], 10, 64)
	return kb << 10
}
