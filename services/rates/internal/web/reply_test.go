package web

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAPanic(t *testing.T) {
	tests := []struct {
		name    string
		handler handler
		want    string // empty: the connection is cut
	}{
		{"before the answer is a 500 without its text",
			func(http.ResponseWriter, *http.Request) error { panic("secret") },
			`{"message":"internal server error"}`},
		{"within the answer cuts it off",
			func(w http.ResponseWriter, r *http.Request) error {
				w.Header()["Content-Type"] = jsonType
				_, _ = io.WriteString(w, `{"amount":`)
				_ = http.NewResponseController(w).Flush()
				panic("secret")
			}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(handle(tt.handler))
			s.Config.ErrorLog = log.New(t.Output(), "", 0)
			s.Start()
			defer s.Close()
			resp, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if cut := err != nil; cut != (tt.want == "") || !cut && (string(body) != tt.want || resp.StatusCode != 500) {
				t.Errorf("got %d %q, %v, want %q", resp.StatusCode, body, err, tt.want)
			}
		})
	}
}
