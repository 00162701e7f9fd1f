package resp

import (
	"strings"
	"testing"
)

func TestAccess(t *testing.T) {
	const (
		ok        = "+OK"
		noAuth    = "-NOAUTH Authentication required."
		wrongPass = "-WRONGPASS invalid username-password pair or user is disabled."
		noPass    = "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
		noHello   = "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
			"option can be used to authenticate the client and select the RESP protocol version at the same time"
		badHello = "-ERR Syntax error in HELLO option 'AUTH'"
		usd      = "$4 1.09"
	)
	const basic, token, password = "ada:pass:word", "s3cr3t", ":s3cr3t"
	tests := []struct{ name, access, send, want, then string }{
		{"open", "", "PING", "+PONG", usd},
		{"open, a password", "", "AUTH s3cr3t", noPass, usd},
		{"open, default's", "", "AUTH default s3cr3t", ok, usd},
		{"open, a user", "", "AUTH ada s3cr3t", wrongPass, usd},

		{"nothing yet", basic, "PING", noAuth, noAuth},
		{"a user", basic, "AUTH ada pass:word", ok, usd},
		{"a user's wrong password", basic, "AUTH ada password", wrongPass, noAuth},
		{"an empty password", basic, "AUTH ada", wrongPass, noAuth},
		{"another user", basic, "AUTH eve pass:word", wrongPass, noAuth},
		{"no user", basic, "AUTH pass:word", wrongPass, noAuth},
		{"a word too many", basic, "AUTH ada pass word", "-ERR syntax error", noAuth},
		{"with HELLO", basic, "HELLO 2 AUTH ada pass:word", "*14", usd},
		{"with HELLO, wrong", basic, "HELLO 2 AUTH ada x", wrongPass, noAuth},
		{"with HELLO, half", basic, "HELLO 2 AUTH ada", badHello, noAuth},
		{"HELLO alone", basic, "HELLO 3", noHello, noAuth},
		{"unknown, as Redis does", basic, "FOO", "-ERR unknown command 'FOO', with args beginning with:", noAuth},
		{"a write", basic, "SET a b", noAuth, noAuth},
		{"the list of commands", basic, "COMMAND COUNT", noAuth, noAuth},

		{"a token", token, "AUTH s3cr3t", ok, usd},
		{"a token as default's", token, "AUTH default s3cr3t", ok, usd},
		{"a token with HELLO", token, "HELLO 2 AUTH default s3cr3t SETNAME shop", "*14", usd},
		{"a wrong token", token, "AUTH s3cr3", wrongPass, noAuth},
		{"a token as a user's", token, "AUTH ada s3cr3t", wrongPass, noAuth},
		{"a password without a user", password, "AUTH s3cr3t", ok, usd},
		{"the same as default's", password, "AUTH default s3cr3t", ok, usd},
		{"default's password", "default:s3cr3t", "AUTH s3cr3t", ok, usd},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, App{Access: access(t, tt.access)}).dial(t)
			if got := shown(c.ask(tt.send)); !strings.HasPrefix(strings.TrimSpace(got), tt.want) {
				t.Errorf("%s: got %q, want %q", tt.send, got, tt.want)
			}
			if got := shown(c.ask("GET rates:EUR:USD")); got != tt.then {
				t.Errorf("then: got %q, want %q", got, tt.then)
			}
		})
	}
}

func TestAWrongPasswordTakesNothingAway(t *testing.T) {
	c := serve(t, App{Access: access(t, "s3cr3t")}).dial(t)
	c.ask("AUTH s3cr3t")
	c.ask("AUTH wrong")
	if got := shown(c.ask("PING")); got != "+PONG" {
		t.Errorf("got %q, want PONG", got)
	}
}

func TestNoSecretIsLogged(t *testing.T) {
	s := serve(t, App{Access: access(t, "ada:geheim")})
	c := s.dial(t)
	c.ask("AUTH ada geheim")
	c.ask("AUTH ada geheim2")
	c.ask("QUIT")
	c.rest()
	eventually(t, "the connection is logged", func() bool { return strings.Contains(s.log.String(), "end=quit") })
	if strings.Contains(s.log.String(), "geheim") {
		t.Errorf("got the secret in %s", s.log)
	}
}
