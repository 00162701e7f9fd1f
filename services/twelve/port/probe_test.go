package port

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// unheard returns a port that is in use, so that no other test gets it, but
// that nobody listens on.
func unheard(t *testing.T) uint16 {
	t.Helper()
	l := take(t, "127.0.0.1:0")
	return uint16(dial(t, l.Addr().String()).LocalAddr().(*net.TCPAddr).Port)
}

func TestProbe(t *testing.T) {
	notReady := errors.New("no database")
	for _, tt := range []struct {
		name  string
		check error
		want  string
	}{
		{"an app that is ready", nil, ""},
		{"an app that is not", notReady, "not ready: /readyz answered 503"},
	} {
		for _, host := range []string{"", "localhost", "127.0.0.1"} {
			t.Run(tt.name+" on HOST="+host, func(t *testing.T) {
				t.Parallel()
				health := NewHealth(func(context.Context) error { return tt.check })
				s := server(t, appRoutes(health, quietLog(t)))
				s.Health = health
				ls := listenLocal(t, host)
				start(t, s, ls...)
				err := Probe(t.Context(), host, portOf(t, ls[0]))
				if got := text(err); got != tt.want {
					t.Errorf("got error %q, want %q", got, tt.want)
				}
			})
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestProbeFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		host string
		port uint16
		want string
	}{
		{"where nothing answers", "127.0.0.1", unheard(t), "connect: connection refused"},
		{"on PORT 0, which may be any", "", 0, "PORT is 0, any free one: set it to the one that the app logged"},
		{"on no such HOST, without its value", "hunter2.invalid", 5000, "nothing answers on PORT 5000: no such host"},
		{"on a HOST that is none", "hunter2\n", 5000, "HOST is not one to ask"},
		{"on a HOST with userinfo", "user:hunter2@host", 5000, "HOST is not one to ask"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Probe(t.Context(), tt.host, tt.port)
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
			if got := text(err); strings.Contains(got, "\n") || strings.Contains(got, "hunter2") {
				t.Errorf("got %q, want one line without HOST's value", got)
			}
		})
	}
}

// probeServer probes a test server that is no app of ours.
func probeServer(t *testing.T, ctx context.Context, h http.HandlerFunc) error {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return Probe(ctx, "127.0.0.1", portOf(t, srv.Listener))
}

func TestProbeFollowsNoRedirect(t *testing.T) {
	err := probeServer(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	})
	if got, want := text(err), "not ready: /readyz answered 302"; got != want {
		t.Errorf("got error %q, want %q", got, want)
	}
}

func TestProbeDoesNotWaitForAnAppThatHangs(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("longer than its caller", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), short)
		defer cancel()
		if err := probeServer(t, ctx, hang); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
	})
	t.Run("longer than two seconds", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		if err := probeServer(t, t.Context(), hang); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
		if got := time.Since(began); got < probeTimeout {
			t.Errorf("got the end after %v, want %v", got, probeTimeout)
		}
	})
}
