// Package check is what an app's check command says (factor XII): an admin
// process that runs on the app's own code and environment and tells, a line a
// requirement, whether the app can run on the resources that its config names.
// It prints a table for people and JSON for scripts.
//
// What is required, and who asks for it, it leaves to the packages that talk
// to the resources.
package check

import (
	"slices"

	"example.com/portpair/services/twelve/config"
)

// Verdict is what a line comes to.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Warn Verdict = "warn" // the app runs on it, and something is lost
	Fail Verdict = "fail" // the app cannot run on it
	Skip Verdict = "skip" // not asked: it rests on what fails, or makes no sense here
)

// Line is one requirement: what was seen, and what to do about it.
type Line struct {
	Requirement string  `json:"requirement"`
	Verdict     Verdict `json:"verdict"`
	Seen        string  `json:"seen"`
	Advice      string  `json:"advice,omitempty"`
}

// Passed is what was seen of a requirement that is met. The line's name comes
// from who asked.
func Passed(seen string) Line { return Line{Verdict: Pass, Seen: seen} }

// Warned is what was seen of one that the app can do without.
func Warned(seen, advice string) Line { return Line{Verdict: Warn, Seen: seen, Advice: advice} }

// Failed is what was seen of one that it cannot do without.
func Failed(seen, advice string) Line { return Line{Verdict: Fail, Seen: seen, Advice: advice} }

// Skipped is why a requirement was not asked about.
func Skipped(why string) Line { return Line{Verdict: Skip, Seen: why} }

// Resource is what was found of an attached resource.
type Resource struct {
	Variable string `json:"variable"`
	Handle   string `json:"handle"`            // redacted
	Options  string `json:"options,omitempty"` // as the app goes by them
	Lines    []Line `json:"lines"`
}

// Report is all that a check command says.
type Report struct {
	OK        bool             `json:"ok"` // nothing fails
	Config    []config.Setting `json:"config"`
	Resources []Resource       `json:"resources"`
}

// NewReport says of settings and resources whether the app can run.
func NewReport(settings []config.Setting, resources ...Resource) Report {
	r := Report{Config: settings, Resources: resources}
	r.OK = r.count(Fail) == 0
	return r
}

func (r Report) count(v Verdict) (n int) {
	for _, resource := range r.Resources {
		for _, l := range resource.Lines {
			if l.Verdict == v {
				n++
			}
		}
	}
	return n
}

// Fails reports whether any of the lines does.
func Fails(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return l.Verdict == Fail })
}
