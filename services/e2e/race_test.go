//go:build race

package e2e

// The binaries under test watch for races when the tests do.
func init() { buildFlags = append(buildFlags, "-race") }
