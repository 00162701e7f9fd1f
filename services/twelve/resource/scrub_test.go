package resource

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestScrubFindsTheCredentialsInEveryFormThatTheyTravelIn(t *testing.T) {
	const user, password, token = "shop", `p@ss/w:rd%?"ü`, "t0ken-t0ken"
	basic, err := newBasic(user, password)
	if err != nil {
		t.Fatal(err)
	}
	bearer, err := newBearer(token)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    Credentials
		form string
	}{
		"user and password":  {basic, user + ":" + password},
		"the password alone": {basic, password},
		"in a query":         {basic, url.QueryEscape(user + ":" + password)},
		"in a path":          {basic, url.PathEscape(password)},
		"in userinfo":        {basic, url.UserPassword(user, password).String()},
		"quoted":             {basic, strconv.Quote(password)},
		"quoted as ASCII":    {basic, strconv.QuoteToASCII(password)},
		"as the header's":    {basic, "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))},
		"base64 for URLs":    {basic, base64.URLEncoding.EncodeToString([]byte(user + ":" + password))},
		"a token":            {bearer, "Bearer " + token},
		"a token in base64":  {bearer, base64.StdEncoding.EncodeToString([]byte(token))},
	} {
		t.Run(name, func(t *testing.T) {
			got := tt.c.Scrub("said " + tt.form + " back, and " + tt.form)
			for _, secret := range []string{password, token, tt.form} {
				if strings.Contains(got, secret) {
					t.Errorf("got %q, which still holds %q", got, secret)
				}
			}
		})
	}
	if got := (Credentials{}).Scrub("all of it"); got != "all of it" {
		t.Errorf("without credentials: got %q", got)
	}
	short, err := newBasic("u", "e")
	if err != nil {
		t.Fatal(err)
	}
	if got := short.Scrub("the rest, u:e"); got != "the rest, ***" {
		t.Errorf("a password of one letter: got %q", got)
	}
}
