// Command bench measures the apps side by side with bare handlers that do the
// same work (services/e2e/bare): in turn, A B A B, and as ratios, since the
// machine is never quiet. It prints one table.
//
//	bench [-rounds 11] [-time 2s] [-conns 128] [-only NAME] [-growth | -profile DIR] BINDIR
//
// With -growth it measures more days and more clients instead; with -profile it
// takes profiles of our sides, of binaries built with the tag profile.
//
// BINDIR holds the binaries as they ship, and bare. The load comes from wrk
// where it is found, else from Go; rates over the Redis protocol is measured
// beside a real Redis, by redis-benchmark, where these are found. Logs and metrics are as shipped, stdout in
// a file.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// clients is how many connections a load of GETs comes over. With 32 two
	// cores had nothing to do for a seventh of the time, and what was measured
	// was in part how long threads take to wake.
	clients = 128

	writers = 32
)

// contest is one of ours against one that is bare, under the same load; or two
// that are bare.
type contest struct {
	name string
	goal string // what the issue on numbers wants of the ratios
	ours *server
	bare *server
	load load
}

func main() {
	log.SetFlags(0)
	signal.Ignore(syscall.SIGPIPE) // a reader who has seen enough leaves the servers to us
	rounds := flag.Int("rounds", 11, "rounds of each contest")
	period := flag.Duration("time", 2*time.Second, "length of one run")
	conns := flag.Int("conns", clients, "connections that a load of GETs comes over")
	only := flag.String("only", "", "contests whose name contains this")
	growth := flag.Bool("growth", false, "measure more days and more clients instead")
	profiles := flag.String("profile", "", "take profiles instead, into this folder")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: bench [-rounds 11] [-time 2s] [-conns 128] [-only NAME] [-growth | -profile DIR] BINDIR")
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		log.Fatal(err)
	}
	s := &stage{bin: flag.Arg(0), dir: dir, conns: *conns}
	switch {
	case *growth:
		err = s.growth(*period)
	case *profiles != "":
		err = profileAll(s, *only, *profiles, *period)
	default:
		err = run(s, *rounds, *period, *only)
	}
	s.end()
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

func run(s *stage, rounds int, period time.Duration, only string) error {
	load := "a Go load generator (wrk is not installed)"
	if _, err := exec.LookPath("wrk"); err == nil {
		load = "wrk"
	}
	fmt.Printf("%s, %s/%s, %d cores, load by %s over %d connections, %d rounds of %v each\n\n", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load, s.conns, rounds, period)
	if err := s.footprint(); err != nil {
		return err
	}
	contests, err := s.contests(only)
	if err != nil {
		return err
	}
	fmt.Printf("\n%-44s %9s %9s  %-22s %-22s %s\n", "", "ours", "bare", "requests/s, ours:bare", "CPU/request, ours:bare", "goal")
	for _, c := range contests {
		if err := c.run(rounds, period); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return s.besideRedis(rounds, only)
}

func profileAll(s *stage, only, dir string, period time.Duration) error {
	contests, err := s.contests(only)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range contests {
		if c.ours.profiles == "" { // bare beside bare
			continue
		}
		if err := c.profile(dir, period); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// run lets both take turns, and prints the medians of the paired ratios with
// their quartiles.
func (c contest) run(rounds int, period time.Duration) error {
	var ours, bare, rates, cpus []float64
	for i := range rounds + 1 {
		a, err := measure(c.ours, c.load, period)
		if err != nil {
			return err
		}
		b, err := measure(c.bare, c.load, period)
		if err != nil {
			return err
		}
		if i == 0 {
			continue // to warm up
		}
		ours, bare = append(ours, a.rate), append(bare, b.rate)
		rates, cpus = append(rates, a.rate/b.rate), append(cpus, a.cpu/b.cpu)
	}
	fmt.Printf("%-44s %9.0f %9.0f  %-22s %-22s %s\n", c.name, quantile(ours, .5), quantile(bare, .5), spread(rates), spread(cpus), c.goal)
	return nil
}

func spread(all []float64) string {
	return fmt.Sprintf("%.2f (%.2f … %.2f)", quantile(all, .5), quantile(all, .25), quantile(all, .75))
}

func quantile(all []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// contests starts what they need.
func (s *stage) contests(only string) ([]contest, error) {
	const (
		latest  = "/v1/latest"
		cross   = "/v1/latest?base=USD&symbols=EUR,GBP"
		convert = "/v1/convert?amount=100.00&source=EUR&target=USD"
		order   = `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"100.00"}`
	)
	var all []contest
	addLoad := func(name, goal string, l load, ours, bare starter) error {
		if !strings.Contains(name, only) {
			return nil
		}
		a, err := ours()
		if err != nil {
			return err
		}
		b, err := bare()
		if err != nil {
			return err
		}
		all = append(all, contest{name, goal, a, b, l})
		return nil
	}
	add := func(name, goal, path string, ours, bare starter) error {
		return addLoad(name, goal, load{[]string{path}, "", s.conns}, ours, bare)
	}
	rates := s.once("rates", "LOG_LEVEL=info")
	quiet := s.once("rates", "LOG_LEVEL=warn")
	warm := s.onceQuotes(rates, "", "LOG_LEVEL=info")
	warmQuiet := s.onceQuotes(rates, "", "LOG_LEVEL=warn")
	asking := s.onceQuotes(rates, "?max_age=0s", "LOG_LEVEL=info")
	askingRedis := s.onceQuotesOverRedis("?max_age=0s", "LOG_LEVEL=info")
	for _, err := range []error{
		add("rates /v1/latest", "≥ 0.70, ≤ 1.50", latest, rates, s.bytesOf(rates, latest)),
		add("rates /v1/latest, LOG_LEVEL=warn", "≥ 0.85, ≤ 1.25", latest, quiet, s.bytesOf(rates, latest)),
		add("rates /v1/latest?base=USD&symbols=EUR,GBP", "≥ 0.70, ≤ 1.50", cross, rates, s.bytesOf(rates, cross)),
		add("rates ?base=USD&…, LOG_LEVEL=warn", "≥ 0.85, ≤ 1.25", cross, quiet, s.bytesOf(rates, cross)),
		add("bare, the same bytes : the body alone", "", latest, s.bytesOf(rates, latest), s.bodyOf(rates, latest)),
		addLoad("rates, 1,000 different queries", "", load{ratesMix(), "", s.conns}, rates, s.bytesOf(rates, latest)),
		add("quotes /v1/convert, warm", "≥ 0.65", convert, warm, s.bytesOf(warm, convert)),
		add("quotes /v1/convert, warm, LOG_LEVEL=warn", "≥ 0.80", convert, warmQuiet, s.bytesOf(warm, convert)),
		addLoad("quotes, 1,000 different conversions", "", load{quotesMix(), "", s.conns}, warm, s.bytesOf(warm, convert)),
		add("quotes /v1/convert, max_age=0s : relay", "≥ 0.75", convert, asking, s.relayOf(rates, latest)),
		add("quotes max_age=0s over redis:// : over http://", "≥ 1", convert, askingRedis, asking),
		add("quotes GET /v1/quotes/{id}", "≥ 0.50", "", s.oneQuote(warm, order), s.bytesOfQuote(warm, order)),
		addLoad("quotes POST /v1/quotes, SQLite : commit", "≥ 0.80", load{[]string{"/v1/quotes"}, order, writers}, warm, s.committer()),
	} {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
