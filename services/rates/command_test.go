package main

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestHelpListsEveryVariableWithItsDefault(t *testing.T) {
	stdout, stderr, status := tell(t, nil, "--help")
	if status != 0 || stderr != "" {
		t.Fatalf("got status %d and %q", status, stderr)
	}
	rows := map[string]string{}
	for line := range strings.Lines(stdout) {
		if fields := strings.Fields(line); len(fields) > 2 {
			rows[fields[0]] = strings.Join(fields[1:], " ")
		}
	}
	for i := range reflect.TypeFor[settings]().NumField() {
		tag := reflect.TypeFor[settings]().Field(i).Tag
		t.Run(tag.Get("envconfig"), func(t *testing.T) {
			want := cmp.Or(tag.Get("default"), "-") + " " + tag.Get("desc")
			if got := rows[tag.Get("envconfig")]; got != want || tag.Get("desc") == "" {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	const usage = "rates: takes --help, --version, probe, export or nothing; all else is in the environment\n"
	tests := []struct {
		name, args     string
		stdout, stderr string
		status         int
	}{
		{"--version", "--version", "rates " + version + "\n", "", 0},
		{"an unknown flag", "--port=1", "", usage, 1},
		{"an unknown word", "serve", "", usage, 1},
		{"a word too many", "export now", "", usage, 1},
		{"another word too many", "probe now", "", usage, 1},
		{"a probe of any port", "probe", "", "rates: PORT is 0, any free one: set it to the one that the app logged\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, status := tell(t, nil, strings.Fields(tt.args)...)
			if stdout != tt.stdout || stderr != tt.stderr || status != tt.status {
				t.Errorf("got %q, %q, %d, want %q, %q, %d", stdout, stderr, status, tt.stdout, tt.stderr, tt.status)
			}
		})
	}
}

func TestBadVariables(t *testing.T) {
	tests := []struct{ name, env, want string }{
		{"FEED_URL of another scheme", "FEED_URL=ftp://user:geheim@host/feed.zip", "rates: FEED_URL: want a URL that starts with https://, http:// or file://, or none"},
		{"FEED_URL without a scheme", "FEED_URL=user:geheim@host/feed.zip", "rates: FEED_URL: want a URL that starts with"},
		{"FEED_URL with a / in its password", "FEED_URL=https://user:12/geheim@host/feed.zip", "rates: FEED_URL: an @ after the host"},
		{"FEED_URL that is no URL", "FEED_URL=https://user:geheim%@host/", "rates: FEED_URL: not a URL"},
		{"FEED_URL of a relative path", "FEED_URL=file://geheim/feed.zip", "rates: FEED_URL: want file:// and an absolute path"},
		{"FEED_EVERY too short", "FEED_EVERY=999ms", "rates: FEED_EVERY: want a duration of 1s or more, such as 15m or 1h"},
		{"FEED_EVERY of zero", "FEED_EVERY=0s", "rates: FEED_EVERY: want a duration of 1s or more"},
		{"FEED_EVERY without a unit", "FEED_EVERY=3600", "rates: FEED_EVERY: want a duration of 1s or more"},
		{"PORT of letters", "PORT=http", "rates: PORT: want a whole number from 0 to 65535"},
		{"RESP_PORT too high", "RESP_PORT=65536", "rates: RESP_PORT: want a whole number from 0 to 65535"},
		{"RESP_PORT below 0", "RESP_PORT=-1", "rates: RESP_PORT: want a whole number from 0 to 65535"},
		{"RESP_PORT that looks octal", "RESP_PORT=0100", "rates: RESP_PORT: want a whole number from 0 to 65535"},
		{"RATES_ACCESS with a blank", "RATES_ACCESS=geheim geheim", "rates: RATES_ACCESS: a token is visible ASCII without blanks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, status := tell(t, []string{tt.env})
			if status != 1 || stdout != "" || !strings.HasPrefix(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("got status %d, %q, %q, want 1 and one line: %s", status, stdout, stderr, tt.want)
			}
			if strings.Contains(stderr, "geheim") {
				t.Errorf("got the secret in %q", stderr)
			}
		})
	}
}

func TestEveryBadVariableIsToldAtOnce(t *testing.T) {
	_, stderr, status := tell(t, []string{"FEED_URL=x", "FEED_EVERY=x", "PORT=x", "LOG_FORMAT=x"})
	if got, want := strings.Count(stderr, "\n"), 4; got != want || status != 1 {
		t.Errorf("got status %d and %d lines, want 1 and %d:\n%s", status, got, want, stderr)
	}
}

func TestAnyFreePortIsLogged(t *testing.T) {
	a := start(t)
	if status, body := a.get("/readyz"); status != http.StatusOK {
		t.Errorf("got %d %q, want 200", status, body)
	}
	u, err := url.Parse(a.url)
	if err != nil || u.Port() == "0" {
		t.Errorf("got %v, %v, want the port that was bound", a.url, err)
	}
	if _, stderr, status := tell(t, []string{"PORT=" + u.Port()}, "probe"); status != 0 {
		t.Errorf("probe: got %d %q, want 0", status, stderr)
	}
	if _, stderr, status := tell(t, []string{"PORT=" + u.Port()}); status != 1 || !strings.Contains(stderr, "PORT "+u.Port()+" is taken") {
		t.Errorf("a second one: got %d %q, want 1 and that the port is taken", status, stderr)
	}
	a.stop()
	if conn, err := net.Dial("tcp", u.Host); err == nil {
		conn.Close()
		t.Error("got a connection after the end")
	}
}
