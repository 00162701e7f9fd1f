package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestCheckTakesAURLAndJSONInAnyOrder(t *testing.T) {
	upstream := httptest.NewServer(http.NotFoundHandler())
	defer upstream.Close()
	for name, tt := range map[string]struct {
		args, env []string
		asJSON    bool
		source    string
	}{
		"the environment's":                {nil, []string{"RATES_URL=" + upstream.URL}, false, "environment"},
		"an empty argument":                {[]string{""}, []string{"RATES_URL=" + upstream.URL}, false, "environment"},
		"JSON":                             {[]string{"--json"}, []string{"RATES_URL=" + upstream.URL}, true, "environment"},
		"a URL":                            {[]string{upstream.URL}, nil, false, "argument"},
		"a URL that beats the environment": {[]string{upstream.URL}, []string{"RATES_URL=http://localhost:1", "RATES_URL_FILE=/nowhere"}, false, "argument"},
		"JSON, then a URL":                 {[]string{"--json", upstream.URL}, nil, true, "argument"},
		"a URL, then JSON":                 {[]string{upstream.URL, "--json"}, nil, true, "argument"},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, tt.env, append([]string{"check"}, tt.args...)...)
			if status := p.exit(); status != 1 || p.stderr.String() != "quotes: "+errUnfit.Error()+"\n" {
				t.Errorf("got exit status %d and %q on stderr, want 1 and one line", status, &p.stderr)
			}
			text := p.stdout.String()
			var report struct {
				OK        *bool
				Config    []struct{ Name, Value, Source string }
				Resources []struct{ Variable, Handle string }
			}
			if !tt.asJSON {
				row := []string{"RATES_URL", tt.source, upstream.URL}
				if !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return slices.Equal(strings.Fields(line), row) }) ||
					!strings.Contains(text, "\n  fail  latest ") {
					t.Errorf("got no row %q, or no line of latest, in\n%s", row, text)
				}
				return
			}
			if err := json.Unmarshal([]byte(text), &report); err != nil || report.OK == nil || *report.OK || len(report.Resources) != 2 {
				t.Fatalf("got %s, error %v", text, err)
			}
			if r := report.Resources[0]; r.Variable != "RATES_URL" || r.Handle != upstream.URL {
				t.Errorf("got %+v, want %s", r, upstream.URL)
			}
			for _, s := range report.Config {
				if s.Name == "RATES_URL" && (s.Source != tt.source || s.Value != upstream.URL) {
					t.Errorf("got %+v, want source %s", s, tt.source)
				}
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	const secret = "s3cret-hunter2"
	usage := "quotes: " + errCheckUsage.Error()
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"two URLs":                {[]string{"http://localhost:1", "http://" + secret + "@localhost:2"}, usage},
		"an unknown option":       {[]string{"--" + secret}, usage},
		"JSON twice":              {[]string{"--json", "--json"}, usage},
		"no URL in the args, env": {nil, "quotes: RATES_URL: required, but not set"},
		"what is no handle":       {[]string{"localhost:5100?" + secret}, "quotes: RATES_URL: want a URL that starts with http://"},
		"a password badly spelt":  {[]string{"http://user:" + secret + "/x@localhost"}, "quotes: RATES_URL: not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, nil, append([]string{"check"}, tt.args...)...)
			wantRefusal(t, p, tt.want)
			if strings.Contains(p.stderr.String(), secret) {
				t.Errorf("a secret shows in %s", &p.stderr)
			}
		})
	}
	t.Run("a database that it cannot have", func(t *testing.T) {
		wantRefusal(t, launch(t, []string{"DATABASE_URL=sqlite:a/"}, "check", "http://localhost:1"), "quotes: DATABASE_URL: want sqlite: and a path alone")
	})
}

// The database is asked while the backing service is, and a secret of neither
// shows.
func TestCheckOfADatabaseThatIsNotThere(t *testing.T) {
	const secret = "s3cret-hunter2"
	p := launch(t, []string{"DATABASE_URL=postgres://shop:" + secret + "@localhost:1/quotes?application_name=" + secret},
		"check", "http://shop:"+secret+"@localhost:1")
	if status := p.exit(); status != 1 {
		t.Errorf("got exit status %d, want 1", status)
	}
	text := p.stdout.String()
	for _, want := range []string{"\nRATES_URL  http://***@localhost:1 ", "\nDATABASE_URL  postgres://***@localhost:1/quotes?***\n", "\nno: 2 lines fail\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q", want)
		}
	}
	if strings.Count(text, "connection refused") != 2 || strings.Contains(text+p.stderr.String(), secret) {
		t.Errorf("got\n%s", text)
	}
}
