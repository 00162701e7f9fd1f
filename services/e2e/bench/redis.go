package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// besideRedis measures rates over the Redis protocol beside a real Redis that
// holds the same keys.
func (s *stage) besideRedis(rounds int, only string) error {
	const title = "rates over the Redis protocol"
	if !strings.Contains(title, only) {
		return nil
	}
	for _, tool := range []string{"redis-server", "redis-cli", "redis-benchmark"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Printf("\n%s: not measured, %s is not installed\n", title, tool)
			return nil
		}
	}
	ours, err := s.freePort()
	if err != nil {
		return err
	}
	if _, err := s.start([]string{"rates"}, "RESP_PORT="+ours); err != nil {
		return err
	}
	real, err := s.redis()
	if err != nil {
		return err
	}
	fmt.Printf("\n%-44s %9s %9s  %-22s %-22s %s\n", title, "ours", "redis", "requests/s, ours:redis", "", "goal")
	for _, command := range []string{"GET rates:EUR:USD", "HGETALL rates:latest"} {
		for _, pipeline := range []string{"1", "16"} {
			var a, b, ratios []float64
			for range rounds {
				us, err := s.benchmark(ours, pipeline, command)
				if err != nil {
					return err
				}
				them, err := s.benchmark(real, pipeline, command)
				if err != nil {
					return err
				}
				a, b, ratios = append(a, us), append(b, them), append(ratios, us/them)
			}
			fmt.Printf("%-44s %9.0f %9.0f  %-22s %-22s ≥ 0.80\n", command+" -P "+pipeline, quantile(a, .5), quantile(b, .5), spread(ratios), "")
		}
	}
	return nil
}

// redis starts a real one, filled by rates, and returns its port.
func (s *stage) redis() (port string, err error) {
	if port, err = s.freePort(); err != nil {
		return "", err
	}
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.running = append(s.running, &server{cmd: cmd})
	export := exec.Command(filepath.Join(s.bin, "rates"), "export")
	export.Env = append(os.Environ(), "FEED_URL=none")
	commands, err := export.Output()
	if err != nil {
		return "", err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		fill := exec.Command("redis-cli", "-p", port, "--pipe")
		fill.Stdin = bytes.NewReader(commands)
		if out, err := fill.CombinedOutput(); err == nil && strings.Contains(string(out), "errors: 0,") {
			return port, nil
		}
	}
	return "", errors.New("redis-server takes no commands")
}

// benchmark returns requests per second.
func (s *stage) benchmark(port, pipeline, command string) (float64, error) {
	requests := "200000" // two seconds
	if pipeline != "1" {
		requests = "1000000"
	}
	args := append([]string{"-p", port, "-c", strconv.Itoa(s.conns), "-n", requests, "-P", pipeline, "--csv"}, strings.Fields(command)...)
	out, err := exec.Command("redis-benchmark", args...).Output()
	if err != nil {
		return 0, err
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) < 2 {
		return 0, fmt.Errorf("redis-benchmark: %v in %s", err, out)
	}
	return strconv.ParseFloat(rows[1][1], 64)
}

func (s *stage) freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
