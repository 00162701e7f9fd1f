//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file, which is as it is, the owner of another.
func chownLike(path string, is, other fs.FileInfo) {
	have, ok := is.Sys().(*syscall.Stat_t)
	want, ok2 := other.Sys().(*syscall.Stat_t)
	if ok && ok2 && (have.Uid != want.Uid || have.Gid != want.Gid) {
		_ = os.Chown(path, int(want.Uid), int(want.Gid)) // root alone may
	}
}
