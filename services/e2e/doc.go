// Package e2e holds the tests of the pair: it starts the built binaries as
// processes and knows of them only what any platform does, HTTP, the
// environment, signals and the log on stdout. It imports nothing of theirs.
package e2e
