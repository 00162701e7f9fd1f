// Package quiet drops what libraries write with the standard logger until an
// app has a logger of its own and says so (slog.SetDefault): the metrics
// library does so while it is initialised, where the kernel lacks a feature.
//
// It imports nothing that is not initialised early itself, so that it comes
// before them: of packages that are ready Go takes the first by path.
package quiet

import (
	"io"
	"log"
)

func init() { log.SetOutput(io.Discard) }
