package resp

import (
	"fmt"
	"strconv"
	"strings"

	"example.com/portpair/services/rates/internal/fx"
)

// command is one that clients may send.
type command struct {
	name    string
	arity   int  // arguments, the name included; -n: n or more
	open    bool // before AUTH too
	keys    keySpec
	summary string
	run     func(*client, *fx.Table, [][]byte)

	answered, refused func() // counted by metrics
}

// keySpec says which arguments are keys, as COMMAND has it.
type keySpec struct{ first, last, step int }

var (
	noKey   = keySpec{}
	oneKey  = keySpec{1, 1, 1}
	allKeys = keySpec{1, -1, 1}
)

// commandList are all that are served.
func commandList() []*command {
	return []*command{
		{name: "auth", arity: -2, open: true, summary: "Authenticates: AUTH [user] password.", run: auth},
		{name: "client", arity: -2, summary: "SETNAME, GETNAME, SETINFO or ID of the connection.", run: clientCommand},
		{name: "command", arity: -1, summary: "Lists the commands; COUNT, DOCS.", run: commandCommand},
		{name: "config", arity: -2, summary: "Is refused: config is in the app's environment.", run: config},
		{name: "dbsize", arity: 1, summary: "Counts the keys.", run: dbsize},
		{name: "echo", arity: 2, summary: "Returns the message.", run: echo},
		{name: "exists", arity: -2, keys: allKeys, summary: "Counts those of the keys that exist.", run: exists},
		{name: "get", arity: 2, keys: oneKey, summary: "Returns a string.", run: get},
		{name: "hello", arity: -1, open: true, summary: "Switches to RESP2 or RESP3: HELLO [2|3 [AUTH user password] [SETNAME name]].", run: hello},
		{name: "hget", arity: 3, keys: oneKey, summary: "Returns a field of a hash.", run: hget},
		{name: "hgetall", arity: 2, keys: oneKey, summary: "Returns a hash.", run: hgetall},
		{name: "hkeys", arity: 2, keys: oneKey, summary: "Returns the fields of a hash.", run: hkeys},
		{name: "hlen", arity: 2, keys: oneKey, summary: "Counts the fields of a hash.", run: hlen},
		{name: "hmget", arity: -3, keys: oneKey, summary: "Returns some fields of a hash.", run: hmget},
		{name: "info", arity: -1, summary: "Tells of the server, by sections.", run: info},
		{name: "keys", arity: 2, summary: "Lists the keys of a pattern.", run: keysCommand},
		{name: "mget", arity: -2, keys: allKeys, summary: "Returns some strings.", run: mget},
		{name: "ping", arity: -1, summary: "Returns PONG, or the message.", run: ping},
		{name: "quit", arity: -1, open: true, summary: "Closes the connection.", run: quit},
		{name: "scan", arity: -2, summary: "Lists the keys in steps: SCAN cursor [MATCH pattern] [COUNT n] [TYPE type].", run: scan},
		{name: "select", arity: 2, summary: "Selects the database: 0, the only one.", run: selectCommand},
		{name: "ttl", arity: 2, keys: oneKey, summary: "Returns -1: no key expires.", run: ttl},
		{name: "type", arity: 2, keys: oneKey, summary: "Returns the type of a key.", run: typeCommand},
		{name: "zcard", arity: 2, keys: oneKey, summary: "Counts the days.", run: zcard},
		{name: "zcount", arity: 4, keys: oneKey, summary: "Counts the days between two scores.", run: zcount},
		{name: "zrange", arity: -4, keys: oneKey, summary: "Returns days by rank or by score.", run: zrange(byOption, false)},
		{name: "zrangebyscore", arity: -4, keys: oneKey, summary: "Returns days by score.", run: zrange(byScore, false)},
		{name: "zrevrange", arity: -4, keys: oneKey, summary: "Returns days by rank, the newest first.", run: zrange(byRank, true)},
		{name: "zrevrangebyscore", arity: -4, keys: oneKey, summary: "Returns days by score, the newest first.", run: zrange(byScore, true)},
		{name: "zscore", arity: 3, keys: oneKey, summary: "Returns the score of a day.", run: zscore},
	}
}

// writes are the commands of Redis that change something, none of which is
// served.
const writes = ` append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby del
 expire expireat flushall flushdb geoadd georadius georadiusbymember geosearchstore getdel getex getset hdel hexpire
 hexpireat hgetdel hgetex hincrby hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetex hsetnx incr incrby
 incrbyfloat linsert lmove lmpop lpop lpush lpushx lrem lset ltrim migrate move mset msetnx persist pexpire pexpireat
 pfadd pfdebug pfmerge psetex rename renamenx restore restore-asking rpop rpoplpush rpush rpushx sadd sdiffstore set
 setbit setex setnx setrange sinterstore smove sort spop srem sunionstore swapdb unlink xack xadd xautoclaim xclaim xdel
 xgroup xreadgroup xsetid xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem zremrangebylex
 zremrangebyrank zremrangebyscore zunionstore `

// What Redis says.
const (
	errReadOnly   = "READONLY You can't write against a read only replica."
	errNoAuth     = "NOAUTH Authentication required."
	errWrongType  = "WRONGTYPE Operation against a key holding the wrong kind of value"
	errSyntax     = "ERR syntax error"
	errNotInteger = "ERR value is not an integer or out of range"
)

// commandSet finds commands by name and counts them.
type commandSet struct {
	byName         map[string]*command
	write, unknown *command // stand for what is not in the list: whatever writes, and the rest
}

// newCommandSet makes the set; count gives what counts a command's outcome.
func newCommandSet(count func(command, outcome string) func()) commandSet {
	s := commandSet{
		byName:  map[string]*command{},
		write:   &command{name: "write", arity: -1, run: refuseWrite},
		unknown: &command{name: "unknown", arity: -1, open: true, run: refuseUnknown},
	}
	for _, name := range strings.Fields(writes) {
		s.byName[name] = s.write
	}
	list := commandList()
	for _, c := range list {
		s.byName[c.name] = c
	}
	for _, c := range append(list, s.write, s.unknown) {
		c.answered, c.refused = count(c.name, "ok"), count(c.name, "error")
	}
	return s
}

// find looks a command up, whatever the case of its letters.
func (s commandSet) find(name []byte) *command {
	var room [32]byte
	if len(name) > len(room) {
		return s.unknown
	}
	for i, letter := range name {
		if 'A' <= letter && letter <= 'Z' {
			letter += 'a' - 'A'
		}
		room[i] = letter
	}
	if c := s.byName[string(room[:len(name)])]; c != nil {
		return c
	}
	return s.unknown
}

// answer answers one request, from one table.
func (c *client) answer(args [][]byte) {
	cmd, before := c.server.commands.find(args[0]), c.w.errors
	switch {
	case cmd.arity > 0 && len(args) != cmd.arity, len(args) < -cmd.arity:
		c.wrongNumber(cmd.name)
	case !cmd.open && !c.known:
		c.w.fail(errNoAuth)
	default:
		cmd.run(c, c.server.Table(), args)
	}
	c.commands++
	if c.w.errors > before {
		cmd.refused()
	} else {
		cmd.answered()
	}
}

func (c *client) wrongNumber(name string) {
	c.w.fail("ERR wrong number of arguments for '" + name + "' command")
}

func refuseWrite(c *client, _ *fx.Table, _ [][]byte) { c.w.fail(errReadOnly) }

// refuseUnknown repeats some of what was asked for, as Redis does.
func refuseUnknown(c *client, _ *fx.Table, args [][]byte) {
	const most = 128 // bytes of the name, and of the arguments
	var said strings.Builder
	for _, arg := range args[1:] {
		if said.Len() >= most {
			break
		}
		fmt.Fprintf(&said, "'%s' ", arg[:min(len(arg), most-said.Len())])
	}
	name := args[0][:min(len(args[0]), most)]
	c.w.fail(fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", name, said.String()))
}

// unknownSubcommand is the same of what a command has below it.
func (c *client) unknownSubcommand(args [][]byte) {
	const most = 128
	c.w.fail(fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", args[1][:min(len(args[1]), most)], strings.ToUpper(string(args[0]))))
}

// is reports whether an argument is a word, whatever the case of its letters.
func is(arg []byte, word string) bool { return strings.EqualFold(string(arg), word) }

// integer reads a whole number as Redis does: no zeros before it, no plus.
func integer(arg []byte) (int, bool) {
	n, err := strconv.Atoi(string(arg))
	return n, err == nil && strconv.Itoa(n) == string(arg)
}
