package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// growth shows what more days of history cost rates, and more clients both.
func (s *stage) growth(period time.Duration) error {
	fmt.Printf("%-22s %12s %14s %14s %14s\n", "days of history", "from exec", "memory then", "/v1/latest", "all, USD")
	for _, days := range []int{22, 65, 261, 1305, 2610, 7044} {
		if err := s.days(days); err != nil {
			return err
		}
	}
	fmt.Printf("\n%-22s %12s %14s %14s %14s\n", "clients", "requests/s", "half within", "99% within", "memory")
	rates := s.once("rates")
	quotes := s.onceQuotes(rates, "")
	for _, app := range []struct {
		name, path string
		start      starter
	}{{"rates", "/v1/latest", rates}, {"quotes", "/v1/convert?amount=100.00&source=EUR&target=USD", quotes}} {
		server, err := app.start()
		if err != nil {
			return err
		}
		for _, clients := range []int{1, 10, 100, 1000} {
			if err := clientsOf(server, app.name, app.path, clients, period); err != nil {
				return err
			}
		}
	}
	return nil
}

// days measures rates with a history of so many: from exec until the oldest is
// served, memory then, and the medians of some answers.
func (s *stage) days(n int) error {
	feed, first, err := s.feed(n)
	if err != nil {
		return err
	}
	began := time.Now()
	server, err := s.start([]string{"rates"}, "FEED_URL=file://"+feed, "LOG_LEVEL=warn")
	if err != nil {
		return err
	}
	oldest := server.url + "/v1/" + first + ".." + first
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := fetch(oldest); err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("rates does not serve %s", first)
		}
	}
	loaded := time.Since(began)
	memory, err := resident(server.cmd.Process.Pid)
	if err != nil {
		return err
	}
	latest, err := median(server.url + "/v1/latest")
	if err != nil {
		return err
	}
	all, err := median(server.url + "/v1/" + first + "..?symbols=USD")
	if err != nil {
		return err
	}
	_ = server.cmd.Process.Kill()
	fmt.Printf("%-22d %9.0f ms %11.1f MB %11.2f ms %11.2f ms\n", n, millis(loaded), float64(memory)/(1<<20), millis(latest), millis(all))
	return nil
}

func median(url string) (time.Duration, error) {
	var all []float64
	for range 21 {
		began := time.Now()
		if _, err := fetch(url); err != nil {
			return 0, err
		}
		all = append(all, float64(time.Since(began)))
	}
	return time.Duration(quantile(all, .5)), nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// feed writes a history like the ECB's: working days back from 2026-08-21, 41
// currencies.
func (s *stage) feed(days int) (name, first string, err error) {
	name = filepath.Join(s.dir, fmt.Sprint("history-", days, ".csv"))
	f, err := os.Create(name)
	if err != nil {
		return "", "", err
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, "Date,USD")
	for i := range 40 {
		fmt.Fprintf(w, ",%c%cX", 'A'+i/26, 'A'+i%26)
	}
	fmt.Fprintln(w, ",")
	day := time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC)
	for range days {
		first = day.Format(time.DateOnly)
		fmt.Fprint(w, first)
		for range 41 {
			fmt.Fprintf(w, ",%.4f", .5+rand.Float64())
		}
		fmt.Fprintln(w, ",")
		for day = day.AddDate(0, 0, -1); day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; {
			day = day.AddDate(0, 0, -1)
		}
	}
	if err := w.Flush(); err != nil {
		return "", "", err
	}
	return name, first, f.Close()
}

var percentiles = regexp.MustCompile(`(?s)50%\s+(\S+).*99%\s+(\S+).*Requests/sec:\s+(\S+)`)

func clientsOf(server *server, name, path string, clients int, period time.Duration) error {
	out, err := load{[]string{path}, "", clients}.wrk(server.url, period)
	if err != nil {
		return err
	}
	memory, err := resident(server.cmd.Process.Pid)
	if err != nil {
		return err
	}
	m := percentiles.FindStringSubmatch(out)
	if m == nil {
		return fmt.Errorf("wrk said:\n%s", out)
	}
	fmt.Printf("%-22s %12s %14s %14s %11.1f MB\n", strings.Join([]string{name, fmt.Sprint(clients)}, ", "), m[3], m[1], m[2], float64(memory)/(1<<20))
	return nil
}
