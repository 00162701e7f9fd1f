package resource

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
)

// minPassword is how long a password must be to be looked for alone: a shorter
// one stands in any text.
const minPassword = 4

// Scrub puts *** wherever a text holds the credentials, in any form that they
// travel in: for what the other side says, who may say them back.
func (c Credentials) Scrub(text string) string {
	if c.secret == nil {
		return text
	}
	s := c.secret()
	secrets := []string{s.value}
	if _, password, ok := strings.Cut(s.value, ":"); ok && s.scheme == "Basic" && len(password) >= minPassword {
		secrets = append(secrets, password)
	}
	var forms []string
	for _, secret := range secrets {
		quoted := strconv.Quote(secret)
		ascii := strconv.QuoteToASCII(secret)
		forms = append(forms, secret, quoted[1:len(quoted)-1], ascii[1:len(ascii)-1],
			url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:],
			base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)))
	}
	user, password, _ := strings.Cut(s.value, ":")
	forms = append(forms, url.UserPassword(user, password).String())
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, redacted)
	}
	return text
}

// Scrub is that of the handle's credentials.
func (h Handle) Scrub(text string) string { return h.credentials.Scrub(text) }
