//go:build !unix

package logs

import "os"

type direct struct{ *os.File }
