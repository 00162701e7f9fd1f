package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBacking(t *testing.T) {
	a := start(t, "?max_age=5m")
	handle := a.upstream.URL
	backing := func() string { return a.get(t, "/v1/backing").body }

	call := func(at, status, failed string) string {
		return `{"time":"` + at + `","status":` + status + `,"duration":"0s","attempts":1` + failed + `}`
	}
	first := call("2026-08-22T09:00:00Z", "200", "")
	wantEqual(t, "attached", backing(), `{"name":"rates","handle":"`+handle+`","state":"attached","server":"rates/0.1.0",`+
		`"rateDate":"2026-08-21","lastSuccess":"2026-08-22T09:00:00Z","age":"0s","lastError":null,"breaker":"closed","calls":[`+first+`]}`+"\n")

	a.pass(1900 * time.Millisecond)
	wantContains(t, backing(), `"age":"1s"`)
	wantEqual(t, "calls within 2 s", a.asked.Load(), 1)

	a.pass(10100 * time.Millisecond)
	a.becomes(reply(http.StatusForbidden, "hostile"))
	const refused = `"refuses the handle's credentials: status 403"`
	second := call("2026-08-22T09:00:12Z", "403", `,"error":`+refused)
	wantEqual(t, "stale", backing(), `{"name":"rates","handle":"`+handle+`","state":"stale","server":"",`+
		`"rateDate":"2026-08-21","lastSuccess":"2026-08-22T09:00:00Z","age":"12s","lastError":`+refused+`,"breaker":"closed","calls":[`+second+","+first+`]}`+"\n")
}

func TestBackingBeforeAnythingIsKnown(t *testing.T) {
	a := start(t, "")
	a.becomes(reply(http.StatusNotFound, ""))
	r := a.get(t, "/v1/backing")
	wantEqual(t, "status", r.status, http.StatusOK)
	const reason = `"what answers is no rates service: GET /v1/latest gave status 404 with no content type"`
	wantEqual(t, "detached", r.body, `{"name":"rates","handle":"`+a.upstream.URL+`","state":"detached","server":"",`+
		`"rateDate":null,"lastSuccess":null,"age":null,"lastError":`+reason+`,`+
		`"breaker":"closed","calls":[{"time":"2026-08-22T09:00:00Z","status":404,"duration":"0s","attempts":1,"error":`+reason+`}]}`+"\n")
}

func TestBackingCleansWhatTheServiceWrites(t *testing.T) {
	a := start(t, "")
	a.becomes(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "\x9b31m<script>\u202e"+strings.Repeat("x", 5000))
		w.Header().Set("Content-Type", "\x9b2J\u2028"+strings.Repeat("y", 5000))
		w.WriteHeader(http.StatusTeapot)
	})
	r := a.get(t, "/v1/backing")
	wantContains(t, r.body, `"server":"�31m\u003cscript\u003e�xxx`, `gave status 418 with �2J�yyy`)
	wantNone(t, r.body, "\x9b", "\u202e", "\u2028", "<script>")
	if len(r.body) > 2000 {
		t.Errorf("got an answer of %d bytes", len(r.body))
	}
}

func TestTheAppIsReadyWithoutItsBackingService(t *testing.T) {
	a := start(t, "")
	a.becomes(reply(http.StatusInternalServerError, ""))
	for _, target := range []string{"/livez", "/readyz"} {
		wantEqual(t, target, a.get(t, target).status, http.StatusOK)
	}
	wantEqual(t, "calls", a.asked.Load(), 0)
}
