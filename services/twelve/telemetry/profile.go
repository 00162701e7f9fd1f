//go:build profile

package telemetry

import (
	"net/http"
	_ "net/http/pprof"
	"os"
)

// Built with the tag profile, as make profile does and releases are not, an app
// shows its profiles at PROFILE_ADDR.
func init() {
	if addr := os.Getenv("PROFILE_ADDR"); addr != "" {
		go func() { panic(http.ListenAndServe(addr, nil)) }()
	}
}
