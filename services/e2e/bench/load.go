package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is what one load brought.
type result struct {
	rate float64 // requests a second
	cpu  float64 // seconds of the server's, user and system, for one request
}

func measure(s *server, l load, period time.Duration) (result, error) {
	before, err := cpuTime(s.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	requests, err := l.send(s.url, period)
	took := time.Since(began).Seconds()
	if err != nil {
		return result{}, err
	}
	after, err := cpuTime(s.cmd.Process.Pid)
	return result{rate: requests / took, cpu: (after - before) / requests}, err
}

// load is what is sent over some connections: one path, or some in turn.
type load struct {
	paths []string
	post  string // a body to POST; empty: GET
	conns int
}

// send sends the load for a period, and returns how many requests were
// answered well; any that was not is an error.
func (l load) send(url string, period time.Duration) (float64, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return l.fromGo(url, period)
	}
	out, err := l.wrk(url, period)
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(\d+) requests in`).FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk said:\n%s", out)
	}
	return strconv.ParseFloat(m[1], 64)
}

// wrk sends the load with wrk, and returns what that says.
func (l load) wrk(url string, period time.Duration) (string, error) {
	args := []string{"-t1", "--latency", "-c" + strconv.Itoa(l.conns), "-d" + strconv.Itoa(max(1, int(period.Seconds()))) + "s"}
	if text := l.script(); text != "" {
		script, err := os.CreateTemp("", "bench-*.lua")
		if err != nil {
			return "", err
		}
		defer os.Remove(script.Name())
		_, err = script.WriteString(text)
		if err := errors.Join(err, script.Close()); err != nil {
			return "", err
		}
		args = append(args, "-s", script.Name())
	}
	out, err := exec.Command("wrk", append(args, url+l.paths[0])...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("wrk: %w\n%s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		return "", fmt.Errorf("not all was answered well:\n%s", out)
	}
	return string(out), nil
}

// script tells wrk what is not a GET of one path.
func (l load) script() string {
	switch {
	case l.post != "":
		return fmt.Sprintf("wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = '%s'\n", l.post)
	case len(l.paths) > 1:
		return fmt.Sprintf(`local paths, requests, i = {"%s"}, {}, 0
init = function() for n, path in ipairs(paths) do requests[n] = wrk.format(nil, path) end end
request = function() i = i %% #requests + 1 return requests[i] end
`, strings.Join(l.paths, `","`))
	}
	return ""
}

func (l load) fromGo(url string, period time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), period)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.conns}}
	var done, failed atomic.Int64
	var wg sync.WaitGroup
	for range l.conns {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				method, body := http.MethodGet, io.Reader(nil)
				if l.post != "" {
					method, body = http.MethodPost, strings.NewReader(l.post)
				}
				req, err := http.NewRequest(method, url+l.paths[n%len(l.paths)], body)
				if err != nil {
					failed.Add(1)
					return
				}
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					failed.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode >= 300 {
					failed.Add(1)
					continue
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		return 0, fmt.Errorf("%d requests were not answered well", n)
	}
	return float64(done.Load()), nil
}

// cpuTime is the time, user and system, that a process has had, in seconds.
func cpuTime(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	const ticks = 100 // a second: USER_HZ, the same on all Linux that Go runs on
	return (user + system) / ticks, err
}
