package main

import (
	"context"
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

func measure(s *server, path, post string, conns int, period time.Duration) (result, error) {
	before, err := cpuTime(s.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	requests, err := load(s.url+path, post, conns, period)
	took := time.Since(began).Seconds()
	if err != nil {
		return result{}, err
	}
	after, err := cpuTime(s.cmd.Process.Pid)
	return result{rate: requests / took, cpu: (after - before) / requests}, err
}

// load sends requests over conns connections for a period, and returns how
// many were answered well; any that was not is an error.
func load(url, post string, conns int, period time.Duration) (float64, error) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		return goLoad(url, post, conns, period)
	}
	args := []string{"-t1", "-c" + strconv.Itoa(conns), "-d" + strconv.Itoa(max(1, int(period.Seconds()))) + "s"}
	if post != "" {
		script, err := os.CreateTemp("", "bench-*.lua")
		if err != nil {
			return 0, err
		}
		defer os.Remove(script.Name())
		fmt.Fprintf(script, "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = '%s'\n", post)
		script.Close()
		args = append(args, "-s", script.Name())
	}
	out, err := exec.Command(wrk, append(args, url)...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		return 0, fmt.Errorf("not all was answered well:\n%s", out)
	}
	m := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk said:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

func goLoad(url, post string, conns int, period time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), period)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: conns}}
	var done, failed atomic.Int64
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			for ctx.Err() == nil {
				method, body := http.MethodGet, io.Reader(nil)
				if post != "" {
					method, body = http.MethodPost, strings.NewReader(post)
				}
				req, err := http.NewRequest(method, url, body)
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
