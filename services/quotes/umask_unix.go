//go:build unix

package main

import "syscall"

// What quotes makes is for its own user alone, from the first moment.
func init() { syscall.Umask(0o077) }
