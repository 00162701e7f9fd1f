package resp

import (
	"fmt"
	"strings"

	"example.com/portpair/services/rates/internal/fx"
)

// redisVersion is the version whose replies these are. Clients choose by it
// what they send.
const redisVersion = "7.0.0"

const errWrongPass = "WRONGPASS invalid username-password pair or user is disabled."

func ping(c *client, _ *fx.Table, args [][]byte) {
	switch len(args) {
	case 1:
		c.w.simple("PONG")
	case 2:
		bulk(&c.w, args[1])
	default:
		c.wrongNumber("ping")
	}
}

func echo(c *client, _ *fx.Table, args [][]byte) { bulk(&c.w, args[1]) }

func quit(c *client, _ *fx.Table, _ [][]byte) {
	c.w.simple("OK")
	c.quit = true
}

func selectCommand(c *client, _ *fx.Table, args [][]byte) {
	switch n, ok := integer(args[1]); {
	case !ok:
		c.w.fail(errNotInteger)
	case n != 0:
		c.w.fail("ERR DB index is out of range")
	default:
		c.w.simple("OK")
	}
}

func config(c *client, _ *fx.Table, _ [][]byte) {
	c.w.fail("ERR CONFIG is not served: config is in the app's environment")
}

func auth(c *client, _ *fx.Table, args [][]byte) {
	user, password := "default", args[len(args)-1]
	switch {
	case len(args) > 3:
		c.w.fail(errSyntax)
		return
	case len(args) == 3:
		user = string(args[1])
	case c.server.Access.IsZero():
		c.w.fail("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
		return
	}
	if !c.authenticate(user, string(password)) {
		c.w.fail(errWrongPass)
		return
	}
	c.w.simple("OK")
}

// authenticate holds a user and a password against RATES_ACCESS. Who names no
// user is "default", so a token, or a password without a user, is default's.
func (c *client) authenticate(user, password string) bool {
	access := c.server.Access
	nobody := user == "default" || user == "" // the latter is what redis-cli makes of redis://:password@host
	ok := access.MatchText(user + ":" + password)
	if nobody {
		ok = ok || access.MatchText(password) || access.MatchText(":"+password) || access.MatchText("default:"+password)
	}
	if access.IsZero() {
		ok = nobody
	}
	c.known = c.known || ok
	return ok
}

// hello answers HELLO [protocol [AUTH user password] [SETNAME name]].
func hello(c *client, _ *fx.Table, args [][]byte) {
	resp3 := c.w.resp3
	if len(args) > 1 {
		n, ok := integer(args[1])
		if !ok {
			c.w.fail("ERR Protocol version is not an integer or out of range")
			return
		}
		if n != 2 && n != 3 {
			c.w.fail("NOPROTO unsupported protocol version")
			return
		}
		resp3 = n == 3
	}
	var user, password, name []byte
	for options := args[min(len(args), 2):]; len(options) > 0; {
		switch {
		case is(options[0], "AUTH") && len(options) > 2:
			user, password, options = options[1], options[2], options[3:]
		case is(options[0], "SETNAME") && len(options) > 1:
			name, options = options[1], options[2:]
		default:
			c.w.fail(fmt.Sprintf("ERR Syntax error in HELLO option '%s'", options[0]))
			return
		}
	}
	if user != nil && !c.authenticate(string(user), string(password)) {
		c.w.fail(errWrongPass)
		return
	}
	if !c.known {
		c.w.fail("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
			"option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	if name != nil && !c.setName(name) {
		return
	}
	c.w.resp3 = resp3
	c.introduce()
}

// introduce is HELLO's answer.
func (c *client) introduce() {
	protocol := 2
	if c.w.resp3 {
		protocol = 3
	}
	c.w.pairs(7)
	bulk(&c.w, "server")
	bulk(&c.w, "redis")
	bulk(&c.w, "version")
	bulk(&c.w, redisVersion)
	bulk(&c.w, "proto")
	c.w.int(protocol)
	bulk(&c.w, "id")
	c.w.int(c.id)
	bulk(&c.w, "mode")
	bulk(&c.w, "standalone")
	bulk(&c.w, "role")
	bulk(&c.w, "master")
	bulk(&c.w, "modules")
	c.w.array(0)
}

// setName keeps a name for GETNAME, or says why not.
func (c *client) setName(name []byte) bool {
	for _, b := range name {
		if b < '!' || b > '~' {
			c.w.fail("ERR Client names cannot contain spaces, newlines or special characters.")
			return false
		}
	}
	c.name = string(name)
	return true
}

func clientCommand(c *client, _ *fx.Table, args [][]byte) {
	arity := map[string]int{"id": 2, "getname": 2, "setname": 3, "setinfo": 4}
	sub := strings.ToLower(string(args[1]))
	want, known := arity[sub]
	switch {
	case !known:
		c.unknownSubcommand(args)
	case len(args) != want:
		c.wrongNumber("client|" + sub)
	case sub == "id":
		c.w.int(c.id)
	case sub == "getname" && c.name == "":
		c.w.null()
	case sub == "getname":
		bulk(&c.w, c.name)
	case sub == "setinfo" && !is(args[2], "LIB-NAME") && !is(args[2], "LIB-VER"):
		c.w.fail("ERR Unrecognized option '" + string(args[2]) + "'")
	case sub == "setinfo": // nobody asks for it
		c.w.simple("OK")
	default:
		if c.setName(args[2]) {
			c.w.simple("OK")
		}
	}
}

// commandCommand lists the commands as Redis does, as far as clients read it.
func commandCommand(c *client, _ *fx.Table, args [][]byte) {
	all := commandList()
	switch {
	case len(args) == 1:
		c.w.array(len(all))
		for _, cmd := range all {
			c.w.array(6)
			bulk(&c.w, cmd.name)
			c.w.int(cmd.arity)
			c.w.set(1)
			c.w.simple(cmd.flag())
			c.w.int(cmd.keys.first)
			c.w.int(cmd.keys.last)
			c.w.int(cmd.keys.step)
		}
	case is(args[1], "COUNT") && len(args) == 2:
		c.w.int(len(all))
	case is(args[1], "COUNT"):
		c.wrongNumber("command|count")
	case is(args[1], "DOCS"):
		c.docs(all, args[2:])
	default:
		c.unknownSubcommand(args)
	}
}

// docs answers with a summary of each command, or of those that are named.
func (c *client) docs(all []*command, names [][]byte) {
	var some []*command
	for _, cmd := range all {
		wanted := len(names) == 0
		for _, name := range names {
			wanted = wanted || is(name, cmd.name)
		}
		if wanted {
			some = append(some, cmd)
		}
	}
	c.w.pairs(len(some))
	for _, cmd := range some {
		bulk(&c.w, cmd.name)
		c.w.pairs(1)
		bulk(&c.w, "summary")
		bulk(&c.w, cmd.summary)
	}
}

func (cmd *command) flag() string {
	switch {
	case cmd.open:
		return "no_auth"
	case cmd.keys != noKey:
		return "readonly"
	default:
		return "fast"
	}
}

// info answers with the sections that are named, or with all.
func info(c *client, t *fx.Table, args [][]byte) {
	n := 0
	for range keys(t) {
		n++
	}
	var out strings.Builder
	for _, section := range []struct{ name, text string }{
		{"Server", fmt.Sprintf("redis_version:%s\r\nredis_mode:standalone\r\nrates_version:%s\r\n", redisVersion, c.server.Version)},
		{"Clients", fmt.Sprintf("connected_clients:%d\r\nmaxclients:%d\r\n", c.server.open(), c.server.Limits.Conns)},
		{"Replication", "role:master\r\nconnected_slaves:0\r\n"},
		{"Keyspace", fmt.Sprintf("db0:keys=%d,expires=0,avg_ttl=0\r\n", n)},
	} {
		wanted := len(args) == 1
		for _, arg := range args[1:] {
			wanted = wanted || is(arg, section.name) || is(arg, "all") || is(arg, "default") || is(arg, "everything")
		}
		if !wanted {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\r\n")
		}
		fmt.Fprintf(&out, "# %s\r\n%s", section.name, section.text)
	}
	c.w.text(out.String())
}
