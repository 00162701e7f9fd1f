package resource

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// backing is a server that remembers the Authorization of each path asked.
type backing struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]string
}

func newBacking(t *testing.T, h http.HandlerFunc) *backing {
	t.Helper()
	b := &backing{asked: map[string]string{}}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked[r.URL.Path] = r.Header.Get("Authorization")
		b.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

// at returns the Authorization that a path was asked with.
func (b *backing) at(path string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	authorization, ok := b.asked[path]
	return authorization, ok
}

// get asks the handle's service as a client is to.
func get(t *testing.T, h Handle, elem ...string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL(elem...).String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL = h.URL(elem...) // as it is, not as String and Parse made it
	h.Authorize(r)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{CheckRedirect: h.CheckRedirect, Transport: transport}).Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(body), nil
}

// handleOf is the handle of a test server, with userinfo and base path.
func handleOf(t *testing.T, server, userinfo, path string) Handle {
	t.Helper()
	return parse(t, strings.Replace(server, "://", "://"+userinfo, 1)+path)
}

func echoPath(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }

func TestAServerIsAskedAtTheHandlesPath(t *testing.T) {
	b := newBacking(t, echoPath)
	for _, tt := range []struct {
		name string
		path string
		elem []string
		want string
	}{
		{"no base path", "", []string{"v1", "latest"}, "/v1/latest"},
		{"no base path, no element", "", nil, "/"},
		{"a base path", "/base/path", []string{"v1", "latest"}, "/base/path/v1/latest"},
		{"a base path with a slash", "/base/", []string{"v1", "latest"}, "/base/v1/latest"},
		{"a base path, no element", "/base", nil, "/base"},
		{"an escaped base path", "/a%2Fb", []string{"v1"}, "/a%2Fb/v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := get(t, handleOf(t, b.URL, "user:password@", tt.path+"?timeout=1s"), tt.elem...)
			if want := "200 OK " + tt.want; err != nil || got != want {
				t.Errorf("got %q, error %v, want %q", got, err, want)
			}
		})
	}
}

func TestAServerGetsTheCredentials(t *testing.T) {
	for _, tt := range []struct{ name, userinfo, access string }{
		{"Basic", "user:p%40ss@", "user:p@ss"},
		{"Bearer", "token@", "token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			access := credentials(t, tt.access)
			b := newBacking(t, func(w http.ResponseWriter, r *http.Request) {
				if !access.Match(r) {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			if got, err := get(t, handleOf(t, b.URL, tt.userinfo, "")); err != nil || got != "200 OK " {
				t.Errorf("got %q, error %v, want 200", got, err)
			}
			if got, err := get(t, handleOf(t, b.URL, "", "")); err != nil || got != "401 Unauthorized " {
				t.Errorf("got %q, error %v without credentials, want 401", got, err)
			}
		})
	}
}

func TestARedirectWithinTheOriginIsFollowed(t *testing.T) {
	b := newBacking(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/latest" {
			http.Redirect(w, r, "/v1/2026-08-21", http.StatusFound)
			return
		}
		echoPath(w, r)
	})
	got, err := get(t, handleOf(t, b.URL, "token@", ""), "v1", "latest")
	if want := "200 OK /v1/2026-08-21"; err != nil || got != want {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
	if got, _ := b.at("/v1/2026-08-21"); got != "Bearer token" {
		t.Errorf("got Authorization %q, want the token", got)
	}
}

func TestARedirectToAnotherOriginIsNotFollowed(t *testing.T) {
	elsewhere := newBacking(t, echoPath) // another port of the same host
	for name, location := range map[string]string{
		"another port":             elsewhere.URL + "/v1/latest",
		"another host":             strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + "/v1/latest",
		"no scheme of its own":     strings.TrimPrefix(elsewhere.URL, "http:") + "/v1/latest",
		"with userinfo of its own": strings.Replace(elsewhere.URL, "://", "://other:word@", 1) + "/v1/latest",
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{301, 302, 303, 307, 308} {
				b := newBacking(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, location, status) })
				got, err := get(t, handleOf(t, b.URL, "user:geheim@", ""), "v1", "latest")
				if !errors.Is(err, ErrRedirect) {
					t.Errorf("%d: got %q, error %v, want %v", status, got, err, ErrRedirect)
				}
				if err != nil {
					noSecret(t, err.Error(), "geheim")
				}
			}
		})
	}
	if authorization, ok := elsewhere.at("/v1/latest"); ok {
		t.Errorf("got the other origin asked, with Authorization %q, want it never asked", authorization)
	}
}

func TestRedirectsInARow(t *testing.T) {
	for _, tt := range []struct {
		name string
		path string
		want error
	}{
		{"three are followed", "/3", nil},
		{"four are not", "/4", ErrRedirect},
		{"nor is a loop", "/loop", ErrRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := map[string]string{"/4": "/3", "/3": "/2", "/2": "/1", "/1": "/0", "/loop": "/loop"}
			b := newBacking(t, func(w http.ResponseWriter, r *http.Request) {
				if to, ok := next[r.URL.Path]; ok {
					http.Redirect(w, r, to, http.StatusFound)
				}
			})
			if got, err := get(t, parse(t, b.URL), tt.path); !errors.Is(err, tt.want) {
				t.Errorf("got %q, error %v, want error %v", got, err, tt.want)
			}
		})
	}
}

func TestCheckRedirect(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle string
		to     string
		want   error
	}{
		{"the same origin", "http://host:5100/base", "http://host:5100/other", nil},
		{"the host in another case", "http://host", "http://HOST/", nil},
		{"the scheme's own port, spelled out", "https://host", "https://host:443/", nil},
		{"and left out", "http://host:80", "http://host/", nil},
		{"another port", "http://host:5100", "http://host:5101/", ErrRedirect},
		{"another host", "http://host", "http://other/", ErrRedirect},
		{"a host under the handle's", "http://host", "http://sub.host/", ErrRedirect},
		{"from https to http", "https://host", "http://host/", ErrRedirect},
		{"from http to https", "http://host", "https://host/", ErrRedirect},
		{"from https to http on the same port", "https://host", "http://host:443/", ErrRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "")
			r.URL = parse(t, tt.to).URL()
			if got := parse(t, tt.handle).CheckRedirect(r, []*http.Request{request(t, "")}); !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
