//go:build !unix

package store

import "io/fs"

func chownLike(string, fs.FileInfo, fs.FileInfo) {}
