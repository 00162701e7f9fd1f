package resource

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"text/template"
)

// secrets are passwords and tokens that a URL can hold as they are.
var secrets = []string{"geheim", "S3cr3t-t0ken_~.XYZ"}

// noSecret checks a text for the secret: raw, percent-encoded, in hex, in
// decimal and in base64, alone and as HTTP Basic has it.
func noSecret(t *testing.T, text, secret string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, s := range spellings(secret) {
		if i := strings.Index(lower, s); i >= 0 {
			t.Errorf("got the secret as %q in %q", s, lower[max(0, i-100):i+len(s)])
			return
		}
	}
}

// spellings are all in lower case.
func spellings(secret string) []string {
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), percent(secret),
		hex.EncodeToString([]byte(secret)),
		strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
	for _, s := range []string{secret, "user:" + secret, ":" + secret, "Bearer " + secret, "Basic user:" + secret} {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString([]byte(s)))
		}
	}
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}

// percent encodes every byte.
func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// formats are all verbs of fmt and some that it lacks, with flags.
var formats = func() []string {
	all := []string{"%*d", "%.*d", "%s %s", "%[2]v", ""}
	for _, verb := range "vTtbcdoOqxXUeEfFgGspwz!" {
		for _, flags := range []string{"", "+", "#", "-20.30"} {
			all = append(all, "%"+flags+string(verb))
		}
	}
	return all
}()

// noSecretInAnyForm prints v in every way that text comes about.
func noSecretInAnyForm(t *testing.T, v any, secret string) {
	t.Helper()
	var b bytes.Buffer
	for _, format := range formats {
		fmt.Fprintf(&b, format+"\n", v)
		if len(format) == 2 {
			fmt.Fprintf(&b, format+"\n", reflect.ValueOf(v))
			b.WriteString(fmt.Errorf("attaching: "+format+"\n", v).Error())
		}
	}
	fmt.Fprint(&b, v)
	fmt.Fprintln(&b, "attached", v)
	log.New(&b, "", 0).Print(v)
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		l := slog.New(h)
		l.Info("as an attribute", "resource", v)
		l.Info("in a group", slog.Group("resources", "rates", v))
		l.Info("in a map", "resources", map[string]any{"rates": v})
		l.With("resource", v).WithGroup("group").Info("with the logger")
	}
	for _, err := range []error{
		json.NewEncoder(&b).Encode(v),
		xml.NewEncoder(&b).Encode(v),
		template.Must(template.New("").Parse("{{.}} {{printf `%s %q %#v` . . .}}")).Execute(&b, v),
	} {
		fmt.Fprintln(&b, err)
	}
	noSecret(t, b.String(), secret)
}

// exported and hidden hold what has secrets in every way that a struct can.
type exported struct {
	Handle   Handle
	Pointer  *Handle
	Any      any
	Slice    []Handle
	Map      map[string]Handle
	Pointers []*Handle
	Access   Credentials
}

type hidden struct {
	handle   Handle
	pointer  *Handle
	boxed    any
	slice    []Handle
	array    [1]Handle
	mapped   map[string]Handle
	pointers []*Handle
	access   Credentials
	nested   struct{ exported }
	deep     *exported
}

func TestEveryTextFormIsRedacted(t *testing.T) {
	for _, how := range []struct{ secret, raw string }{
		{secrets[0], "http://user:" + secrets[0] + "@localhost:5100/base?timeout=1s"},
		{secrets[1], "http://user:" + percent(secrets[1]) + "@localhost:5100"},
		{secrets[1], "http://" + secrets[1] + "@localhost:5100"},
		{secrets[0], "http://" + secrets[0] + ":@localhost:5100"},
		{secrets[1], "redis://:" + secrets[1] + "@localhost"},
	} {
		h := parse(t, how.raw)
		c := h.credentials
		e := exported{h, &h, h, []Handle{h}, map[string]Handle{"h": h}, []*Handle{&h}, c}
		u := hidden{h, &h, h, []Handle{h}, [1]Handle{h}, map[string]Handle{"h": h}, []*Handle{&h}, c, struct{ exported }{e}, &e}
		pointer := &h
		for _, tt := range []struct {
			name string
			v    any
		}{
			{"a Handle", h},
			{"a pointer", &h},
			{"a pointer to a pointer", &pointer},
			{"its URL", h.URL("v1", "latest")},
			{"its Options", h.Options()},
			{"a slice", []Handle{h}},
			{"a slice of any", []any{h, &h}},
			{"a map", map[string]Handle{"h": h}},
			{"a map to pointers", map[string]*Handle{"h": &h}},
			{"exported fields", e},
			{"a pointer to exported fields", &e},
			{"unexported fields", u},
			{"a pointer to unexported fields", &u},
			{"a slice of unexported fields", []hidden{u}},
			{"a map to unexported fields", map[string]hidden{"u": u}},
			{"Credentials", c},
			{"a pointer to Credentials", &c},
			{"a slice of Credentials", []Credentials{c}},
			{"an error that wraps it", fmt.Errorf("asking %v: %w", h, errors.New("refused"))},
			{"an error that holds it", holder{h}},
		} {
			t.Run(strings.ReplaceAll(how.raw, "/", "|")+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				noSecretInAnyForm(t, tt.v, how.secret)
			})
		}
	}
}

// holder is an error with a Handle inside.
type holder struct{ handle Handle }

func (h holder) Error() string { return fmt.Sprintf("asking %s", h.handle) }

func TestEveryVerbPrintsTheSameText(t *testing.T) {
	h, none := parse(t, "http://user:geheim@localhost:5100/base?timeout=1s"), parse(t, "http://localhost:5100")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08.3f"} {
		t.Run(verb, func(t *testing.T) {
			for _, tt := range []struct {
				v    any
				want string
			}{
				{h, "http://***@localhost:5100/base"}, {&h, "http://***@localhost:5100/base"}, {none, "http://localhost:5100"},
				{h.credentials, "***"}, {Credentials{}, ""},
			} {
				if got := fmt.Sprintf(verb, tt.v); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

func TestJSONAndLogsHoldTheRedactedText(t *testing.T) {
	h := parse(t, "http://user:geheim@localhost:5100")
	b, err := json.Marshal(map[string]any{"handle": h, "access": h.credentials})
	if got, want := string(b), `{"access":"***","handle":"http://***@localhost:5100"}`; err != nil || got != want {
		t.Errorf("got JSON %s, error %v, want %s", got, err, want)
	}
	var line bytes.Buffer
	slog.New(slog.NewTextHandler(&line, nil)).Info("attached", "rates", h)
	if want := "rates=http://***@localhost:5100\n"; !strings.HasSuffix(line.String(), want) {
		t.Errorf("got line %q, want it to end in %q", line.String(), want)
	}
	line.Reset()
	slog.New(slog.NewJSONHandler(&line, nil)).Info("attached", "rates", h)
	if want := `"rates":"http://***@localhost:5100"}` + "\n"; !strings.HasSuffix(line.String(), want) {
		t.Errorf("got line %q, want it to end in %q", line.String(), want)
	}
}
