package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/twelve/resource"
)

func TestSettings(t *testing.T) {
	environment(t, "TWELVE_PORT=8000", "TWELVE_HOST_FILE="+file(t, "localhost\n"), "TWELVE_DAYS=", "TWELVE_RATES=x", "TWELVE_RATES_FILE=",
		"TWELVE_DRAIN_FILE="+file(t, ""), "TWELVE_TRIES=1,2")
	var a app
	if err := Load(&a); err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"TWELVE_PORT", "8000", "environment"},
		{"TWELVE_HOST", "localhost", "file"},
		{"TWELVE_DRAIN", "8s", "default"},
		{"TWELVE_LEVEL", "INFO", "default"},
		{"TWELVE_DAYS", "7", "default"},
		{"TWELVE_RATES", "x", "environment"},
		{"TWELVE_TRIES", "1,2", "environment"},
	}
	if got := Settings(&a); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	environment(t, "TWELVE_RATES=x")
	a = app{}
	if err := Load(&a); err != nil {
		t.Fatal(err)
	}
	if got, want := Settings(&a)[1], (Setting{"TWELVE_HOST", "", "unset"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A value that is shown can be put into the environment again.
func TestSettingsAreShownAsTheyAreWritten(t *testing.T) {
	var s struct {
		Long, Round, Odd, None time.Duration
		Level                  slog.Level
		Prefixes               []netip.Prefix
		Nothing                []netip.Prefix
	}
	s.Long, s.Round, s.Odd = 720*time.Hour, 90*time.Minute, 61*time.Second
	s.Level = slog.LevelWarn
	s.Prefixes = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	want := []string{"720h", "1h30m", "1m1s", "0s", "WARN", "10.0.0.0/8,::1/128", ""}
	for i, got := range Settings(&s) {
		if got.Value != want[i] {
			t.Errorf("got %q, want %q", got.Value, want[i])
		}
	}
}

func TestSettingsShowNoSecret(t *testing.T) {
	const secret = "Xk9qZs3cr3t"
	var s struct {
		Handle resource.Handle        `envconfig:"TWELVE_HANDLE"`
		URL    resource.URL           `envconfig:"TWELVE_URL"`
		Access resource.Credentials   `envconfig:"TWELVE_ACCESS"`
		Many   []resource.Credentials `envconfig:"TWELVE_MANY"`
	}
	t.Setenv("TWELVE_HANDLE", "http://shop:"+secret+"@localhost:5100")
	t.Setenv("TWELVE_URL", "postgres://shop:"+secret+"@localhost/quotes?password="+secret)
	t.Setenv("TWELVE_ACCESS_FILE", file(t, "shop:"+secret))
	t.Setenv("TWELVE_MANY", secret+",shop:"+secret)
	if err := Load(&s); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(Settings(&s))
	for _, want := range []string{"http://***@localhost:5100", "postgres://***@localhost/quotes?***", "{TWELVE_ACCESS *** file}", "***,***"} {
		if !strings.Contains(got, want) {
			t.Errorf("got no %s in %s", want, got)
		}
	}
	if strings.Contains(got, secret) {
		t.Errorf("got the secret in %s", got)
	}
}
