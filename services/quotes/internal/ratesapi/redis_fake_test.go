package ratesapi

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fakeRedis is a server of the Redis protocol, which notes what it is asked.
type fakeRedis struct {
	*upstream
	answer func(args []string) string // raw; hangUp ends the connection after it

	mu    sync.Mutex
	asked []string
	conns []net.Conn
	deaf  int64 // connections, the first ones

	open atomic.Int64 // connections
}

// What an answer ends with after which the connection does, or after which
// nothing comes over it.
const (
	hangUp  = "\x00"
	silence = "\x01"
)

// serveRedis starts one on connections that synctest can see through.
func serveRedis(t *testing.T, answer func(args []string) string) *fakeRedis {
	t.Helper()
	l := newPipes()
	f := &fakeRedis{upstream: &upstream{dial: l.dial, Server: &httptest.Server{URL: "redis://upstream"}}, answer: answer}
	f.acceptAll(t, l)
	return f
}

// serveRedisOnTCP starts one on a port.
func serveRedisOnTCP(t *testing.T, answer func(args []string) string) *fakeRedis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRedis{upstream: &upstream{Server: &httptest.Server{URL: "redis://" + l.Addr().String()}}, answer: answer}
	f.acceptAll(t, l)
	return f
}

func (f *fakeRedis) acceptAll(t *testing.T, l net.Listener) {
	t.Helper()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := f.accepted.Add(1)
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			f.mu.Unlock()
			serving.Go(func() { f.serve(conn, n) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.cut()
		serving.Wait()
	})
}

// cut ends all connections.
func (f *fakeRedis) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}

// deafen has the connections that there are lead nowhere.
func (f *fakeRedis) deafen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = f.accepted.Load()
}

// deafenAll is deafen of those to come, too.
func (f *fakeRedis) deafenAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = math.MaxInt64
}

func (f *fakeRedis) serve(conn net.Conn, n int64) {
	f.open.Add(1)
	defer f.open.Add(-1)
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		args, err := readCommand(r)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.asked = append(f.asked, strings.Join(args, " "))
		deaf := n <= f.deaf
		f.mu.Unlock()
		if deaf {
			continue
		}
		answer, ends := strings.CutSuffix(f.answer(args), hangUp)
		answer, stops := strings.CutSuffix(answer, silence)
		if _, err := io.WriteString(conn, answer); err != nil || ends {
			return
		}
		if stops {
			_, _ = io.Copy(io.Discard, r)
			return
		}
	}
}

func readCommand(r *bufio.Reader) ([]string, error) {
	number := func() (n int, err error) {
		line, err := r.ReadString('\n')
		if err == nil {
			n, err = strconv.Atoi(strings.TrimSpace(line[1:]))
		}
		return n, err
	}
	n, err := number()
	args := make([]string, n)
	for i := range args {
		var size int
		if size, err = number(); err != nil {
			return nil, err
		}
		arg := make([]byte, size+2)
		if _, err = io.ReadFull(r, arg); err != nil {
			return nil, err
		}
		args[i] = string(arg[:size])
	}
	args = append(args, "")[:n]
	if len(args) > 0 {
		args[0] = strings.ToLower(args[0])
	}
	return args, err
}

// commands are what was asked since the last call, the first words alone.
func (f *fakeRedis) commands() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.asked {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	f.asked = nil
	return names
}

// table is what a Redis holds: fields and values by key.
type table map[string][]string

// someRates are good's day and some before it.
func someRates() table {
	t := table{
		"rates:2026-08-14": {"date", "2026-08-14", "base", "EUR", "JPY", "180", "USD", "1.12"},
		"rates:2026-08-17": {"date", "2026-08-17", "base", "EUR", "JPY", "184", "USD", "1.15"},
		"rates:2026-08-18": {"date", "2026-08-18", "base", "EUR", "JPY", "185.66", "USD", "1.1699"},
		"rates:2026-08-20": {"date", "2026-08-20", "base", "EUR", "USD", "1.1681"},
		"rates:2026-08-21": {"date", "2026-08-21", "base", "EUR", "JPY", "185.66", "USD", "1.1699"},
	}
	t["rates:latest"] = t["rates:2026-08-21"]
	return t
}

func (h table) with(key string, fields ...string) table { h[key] = fields; return h }

// answer answers as a Redis that holds the table.
func (h table) answer(args []string) string {
	switch args[0] {
	case "hello":
		return array("server", "redis", "version", "7.0.0")
	case "info":
		return bulk("# Server\r\nredis_version:7.0.0\r\nrates_version:0.1.0\r\n")
	case "hgetall":
		return array(h[args[1]]...)
	case "hmget":
		out := fmt.Sprintf("*%d\r\n", len(args)-2)
		for _, name := range args[2:] {
			if i := slices.Index(h[args[1]], name); i >= 0 {
				out += bulk(h[args[1]][i+1])
			} else {
				out += "$-1\r\n"
			}
		}
		return out
	case "exists":
		return fmt.Sprintf(":%d\r\n", min(len(h[args[1]]), 1))
	case "zrangebyscore":
		var days []string
		for key := range h {
			day := strings.TrimPrefix(key, keyPrefix)
			if score := strings.ReplaceAll(day, "-", ""); args[2] <= score && score <= args[3] && score < "A" {
				days = append(days, day)
			}
		}
		slices.Sort(days)
		return array(days...)
	}
	return "-ERR unknown command '" + args[0] + "'\r\n"
}

// but is a table that answers some command otherwise.
func (h table) but(command, raw string) func([]string) string {
	return func(args []string) string {
		if args[0] == command {
			return raw
		}
		return h.answer(args)
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func array(all ...string) string {
	out := fmt.Sprintf("*%d\r\n", len(all))
	for _, s := range all {
		out += bulk(s)
	}
	return out
}
