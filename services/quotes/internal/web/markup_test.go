package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// hostile is what a hostile backing service, or visitor, writes everywhere.
const hostile = `"><script>alert('x')</script><b onclick=x>&amp;`

// walk visits a page's tokens; seen is false in what is hidden.
func walk(t *testing.T, page string, visit func(token xml.Token, seen bool)) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	hidden := 0 // how deep in a hidden element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		visit(token, hidden == 0)
		switch token := token.(type) {
		case xml.StartElement:
			if _, hides := attributes(token)["hidden"]; hidden > 0 || hides {
				hidden++
			}
		case xml.EndElement:
			hidden = max(0, hidden-1)
		}
	}
}

// attributes are an element's.
func attributes(e xml.StartElement) map[string]string {
	all := map[string]string{}
	for _, a := range e.Attr {
		all[a.Name.Local] = a.Value
	}
	return all
}

// markup is what a page is made of: its elements, and the text that is seen.
func markup(t *testing.T, page string) (elements []xml.StartElement, text string) {
	t.Helper()
	var b strings.Builder
	walk(t, page, func(token xml.Token, seen bool) {
		switch token := token.(type) {
		case xml.StartElement:
			elements = append(elements, token.Copy())
		case xml.CharData:
			if seen {
				b.Write(token)
			}
		}
	})
	return elements, strings.Join(strings.Fields(b.String()), " ")
}

// within is the text that is seen in the element with an attribute such as
// id=answer.
func within(t *testing.T, page, attribute string) string {
	t.Helper()
	name, value, _ := strings.Cut(attribute, "=")
	var b strings.Builder
	depth, found := 0, false
	walk(t, page, func(token xml.Token, seen bool) {
		switch token := token.(type) {
		case xml.StartElement:
			if depth > 0 || attributes(token)[name] == value {
				depth, found = depth+1, true
			}
		case xml.EndElement:
			depth = max(0, depth-1)
		case xml.CharData:
			if depth > 0 && seen {
				b.Write(token)
			}
		}
	})
	if !found {
		t.Fatalf("nothing has %s in\n%s", attribute, page)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// loaded are the paths of what a page loads.
func loaded(t *testing.T, page string) (paths []string) {
	t.Helper()
	elements, _ := markup(t, page)
	for _, e := range elements {
		switch attr := attributes(e); {
		case e.Name.Local == "script":
			paths = append(paths, attr["src"])
		case e.Name.Local == "link" && attr["rel"] == "stylesheet":
			paths = append(paths, attr["href"])
		}
	}
	return paths
}

// value is that of the first field of a name.
func value(t *testing.T, page, field string) string {
	t.Helper()
	elements, _ := markup(t, page)
	in := ""
	for _, e := range elements {
		attr := attributes(e)
		switch {
		case e.Name.Local == "input" && attr["name"] == field:
			return attr["value"]
		case e.Name.Local == "select":
			in = attr["name"]
		case e.Name.Local == "option" && in == field:
			if _, ok := attr["selected"]; ok {
				return attr["value"]
			}
		}
	}
	return "(none)"
}

// wantPage checks what every page has: that it is one, with the policy that
// keeps others' scripts out of it, and none of its own but files.
func wantPage(t *testing.T, r result, status int) {
	t.Helper()
	wantEqual(t, "status", r.status, status)
	for name, value := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
		"Referrer-Policy":        "same-origin",
		"Cache-Control":          "no-store",
		"Retry-After":            map[int]string{http.StatusServiceUnavailable: "5"}[status],
	} {
		wantEqual(t, name, r.header.Get(name), value)
	}
	policy := r.header.Get("Content-Security-Policy")
	wantContains(t, policy+";", "default-src 'none';", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "form-action 'self';",
		"base-uri 'none';", "frame-ancestors 'none';")
	wantNone(t, policy, "unsafe", "http", "*", "script-src 'self' ")
	wantHarmless(t, r.body)
}

// wantHarmless checks that a page has what its template has, and nothing that
// could run but the files of the app.
func wantHarmless(t *testing.T, page string) {
	t.Helper()
	script := false
	walk(t, page, func(token xml.Token, _ bool) {
		switch token := token.(type) {
		case xml.StartElement:
			wantHarmlessElement(t, token)
			script = token.Name.Local == "script"
		case xml.CharData:
			if script {
				t.Errorf("got the inline script %q", token)
			}
		case xml.EndElement:
			script = false
		}
	})
}

func wantHarmlessElement(t *testing.T, e xml.StartElement) {
	t.Helper()
	attr := attributes(e)
	switch name := e.Name.Local; name {
	case "style", "iframe", "object", "embed", "base", "img":
		t.Errorf("got the element %s", name)
	case "b":
		if len(attr) > 0 {
			t.Errorf("got the attributes %v of a b", attr)
		}
	case "script":
		if !strings.HasPrefix(attr["src"], "/assets/") {
			t.Errorf("got a script of %q", attr["src"])
		}
	}
	for name, value := range attr {
		switch name {
		case "href", "src", "action", "formaction":
			icon := attr["rel"] == "icon" && (value == "data:," || strings.HasPrefix(value, "data:image/svg+xml,"))
			if (!strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//")) && !icon {
				t.Errorf("got %s=%.100q of %s", name, value, e.Name.Local)
			}
		case "style", "srcdoc":
			t.Errorf("got the attribute %s of %s", name, e.Name.Local)
		}
		if strings.HasPrefix(name, "on") {
			t.Errorf("got the attribute %s of %s", name, e.Name.Local)
		}
	}
}
