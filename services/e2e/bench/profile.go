package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// profile takes profiles of ours under the contest's load, and prints what
// costs most.
func (c contest) profile(dir string, period time.Duration) error {
	name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(c.name), "-"), "-")
	taken := make(chan error, 1)
	cpu, allocs := filepath.Join(dir, name+".cpu.pprof"), filepath.Join(dir, name+".allocs.pprof")
	go func() {
		seconds := max(1, int(period.Seconds())-1)
		body, err := fetch(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", c.ours.profiles, seconds))
		if err == nil {
			err = os.WriteFile(cpu, body, 0o644)
		}
		taken <- err
	}()
	if _, err := c.load.send(c.ours.url, period); err != nil {
		return err
	}
	if err := <-taken; err != nil {
		return err
	}
	body, err := fetch("http://" + c.ours.profiles + "/debug/pprof/allocs")
	if err != nil {
		return err
	}
	if err := os.WriteFile(allocs, body, 0o644); err != nil {
		return err
	}
	for _, show := range [][]string{{"-top", cpu}, {"-top", "-sample_index=alloc_space", allocs}} {
		out, err := exec.Command("go", append([]string{"tool", "pprof", "-nodecount=12"}, show...)...).Output()
		if err != nil {
			return err
		}
		fmt.Printf("%s\n%s\n", c.name, out)
	}
	return nil
}
