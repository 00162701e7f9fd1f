package e2e

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// wantNoSecret searches a text for secrets in every form that they travel in.
func wantNoSecret(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for form, s := range map[string]string{
			"raw":             secret,
			"query-escaped":   url.QueryEscape(secret),
			"path-escaped":    url.PathEscape(secret),
			"userinfo":        strings.TrimPrefix(url.UserPassword("", secret).String(), ":"),
			"base64":          strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
			"base64 for URLs": strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		} {
			if strings.Contains(text, s) {
				t.Errorf("a secret shows, %s, in:\n%s", form, text)
			}
		}
	}
}
