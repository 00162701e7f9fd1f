package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// probeTimeout is over the readiness check's own limit.
const probeTimeout = 2 * time.Second

// Probe asks the app on this machine's host and port for its /readyz, for
// platforms that run a command to learn whether an app is ready. It returns
// nil if the app is.
func Probe(ctx context.Context, host string, port uint16) error {
	if port == 0 {
		return errors.New("PORT is 0, any free one: set it to the one that the app logged")
	}
	if host == "" {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(int(port))) + "/readyz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return errors.New("HOST is not one to ask")
	}
	resp, err := (&http.Transport{}).RoundTrip(req) // straight to the app: no proxy, no redirect
	if err != nil {
		return fmt.Errorf("nothing answers on PORT %d: %w", port, cause(err))
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: /readyz answered %d", resp.StatusCode)
	}
	return nil
}
