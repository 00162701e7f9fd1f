package resp

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// shown is a reply on one line: blanks for its line ends.
func shown(reply string) string {
	return strings.TrimSuffix(strings.ReplaceAll(reply, "\r\n", " "), " ")
}

// TestCommands has what a client sends and what it gets, in RESP2 and, where
// that differs, in RESP3. The same in greater number is held against a real
// Redis in e2e.
func TestCommands(t *testing.T) {
	tests := []struct{ send, want, want3 string }{
		{"PING", "+PONG", ""},
		{"ping hello", "$5 hello", ""},
		{"ECHO hello", "$5 hello", ""},
		{"SELECT 0", "+OK", ""},
		{"SELECT 1", "-ERR DB index is out of range", ""},
		{"GET rates:EUR:USD", "$4 1.09", ""},
		{"GET rates:EUR:HRK", "$-1", "_"}, // ended
		{"GET rates:EUR:EUR", "$-1", "_"},
		{"GET rates:latest", "-WRONGTYPE Operation against a key holding the wrong kind of value", ""},
		{"MGET rates:EUR:USD x rates:latest rates:EUR:GBP", "*4 $4 1.09 $-1 $-1 $3 0.9", "*4 $4 1.09 _ _ $3 0.9"},
		{"EXISTS rates:days rates:latest rates:2024-01-05 rates:EUR:USD rates:2024-01-06 x rates:days", ":5", ""},
		{"TYPE rates:days", "+zset", ""},
		{"TYPE rates:latest", "+hash", ""},
		{"TYPE rates:2024-01-05", "+hash", ""},
		{"TYPE rates:EUR:USD", "+string", ""},
		{"TYPE rates:2024-1-5", "+none", ""},
		{"TTL rates:days", ":-1", ""},
		{"TTL x", ":-2", ""},
		{"HGETALL rates:latest", "*8 $4 date $10 2024-01-09 $4 base $3 EUR $3 GBP $3 0.9 $3 USD $4 1.09",
			"%4 $4 date $10 2024-01-09 $4 base $3 EUR $3 GBP $3 0.9 $3 USD $4 1.09"},
		{"HGETALL rates:2024-01-05", // HRK is carried for 14 days
			"*10 $4 date $10 2024-01-05 $4 base $3 EUR $3 GBP $3 0.5 $3 HRK $3 7.5 $3 USD $4 1.05",
			"%5 $4 date $10 2024-01-05 $4 base $3 EUR $3 GBP $3 0.5 $3 HRK $3 7.5 $3 USD $4 1.05"},
		{"HGETALL rates:2024-01-06", "*0", "%0"},
		{"HGETALL rates:days", "-WRONGTYPE Operation against a key holding the wrong kind of value", ""},
		{"HGET rates:2024-01-08 GBP", "$3 0.5", ""},
		{"HGET rates:latest date", "$10 2024-01-09", ""},
		{"HGET rates:latest base", "$3 EUR", ""},
		{"HGET rates:latest usd", "$-1", "_"},
		{"HMGET rates:latest USD x date", "*3 $4 1.09 $-1 $10 2024-01-09", "*3 $4 1.09 _ $10 2024-01-09"},
		{"HMGET x USD date", "*2 $-1 $-1", "*2 _ _"},
		{"HLEN rates:latest", ":4", ""},
		{"HKEYS rates:latest", "*4 $4 date $4 base $3 GBP $3 USD", ""},
		{"ZCARD rates:days", ":4", ""},
		{"ZCARD rates:latest", "-WRONGTYPE Operation against a key holding the wrong kind of value", ""},
		{"ZSCORE rates:days 2024-01-05", "$8 20240105", ",20240105"},
		{"ZSCORE rates:days 2024-01-06", "$-1", "_"},
		{"ZCOUNT rates:days 20240101 (20240109", ":2", ""},
		{"ZRANGE rates:days -1 -1", "*1 $10 2024-01-09", ""},
		{"ZRANGE rates:days 1 2 REV", "*2 $10 2024-01-08 $10 2024-01-05", ""},
		{"ZRANGE rates:days 20240107 -inf BYSCORE REV LIMIT 0 1", "*1 $10 2024-01-05", ""},
		{"ZRANGE rates:days 0 0 WITHSCORES", "*2 $10 2023-12-22 $8 20231222", "*1 *2 $10 2023-12-22 ,20231222"},
		{"ZRANGE rates:days - + BYLEX", "-ERR BYLEX is not served: days have scores, use BYSCORE", ""},
		{"ZRANGE x 0 -1", "*0", ""},
		{"ZREVRANGEBYSCORE rates:days 20240107 -inf LIMIT 0 1", "*1 $10 2024-01-05", ""},
		{"ZRANGEBYSCORE rates:days (20240105 +inf", "*2 $10 2024-01-08 $10 2024-01-09", ""},
		{"DBSIZE", ":8", ""},
		{"KEYS *", "*8 $10 rates:days $12 rates:latest $13 rates:EUR:GBP $13 rates:EUR:USD " +
			"$16 rates:2023-12-22 $16 rates:2024-01-05 $16 rates:2024-01-08 $16 rates:2024-01-09", ""},
		{"SCAN 0 COUNT 100 TYPE string", "*2 $1 0 *2 $13 rates:EUR:GBP $13 rates:EUR:USD", ""},
		{"CLIENT GETNAME", "$-1", "_"},
		{"CLIENT SETNAME shop", "+OK", ""},
		{"CLIENT GETNAME", "$4 shop", ""},
		{"CLIENT SETINFO LIB-NAME x", "+OK", ""},
		{"CLIENT KILL x", "-ERR unknown subcommand 'KILL'. Try CLIENT HELP.", ""},
		{"COMMAND COUNT", ":30", ""},
		{"COMMAND DOCS get", "*2 $3 get *2 $7 summary $17 Returns a string.", "%1 $3 get %1 $7 summary $17 Returns a string."},
		{"CONFIG GET save", "-ERR CONFIG is not served: config is in the app's environment", ""},
		{"INFO keyspace", "$44 # Keyspace db0:keys=8,expires=0,avg_ttl=0", "=48 txt:# Keyspace db0:keys=8,expires=0,avg_ttl=0"},
		{"SET x 1", "-READONLY You can't write against a read only replica.", ""},
		{"flushall", "-READONLY You can't write against a read only replica.", ""},
		{"GET", "-ERR wrong number of arguments for 'get' command", ""},
		{"GET a b", "-ERR wrong number of arguments for 'get' command", ""},
		{"MULTI", "-ERR unknown command 'MULTI', with args beginning with:", ""},
		{"EVAL return 0", "-ERR unknown command 'EVAL', with args beginning with: 'return' '0'", ""},
		{"write", "-ERR unknown command 'write', with args beginning with:", ""},
	}
	s := serve(t, App{})
	two, three := s.dial(t), s.dial(t)
	hello := "%7 $6 server $5 redis $7 version $5 7.0.0 $5 proto :3 $2 id :2 $4 mode $10 standalone $4 role $6 master $7 modules *0"
	if got := shown(three.ask("HELLO 3")); got != regexp.MustCompile(` :\d+ \$4`).ReplaceAllString(hello, " :2 $$4") {
		t.Errorf("HELLO 3: got %q, want %q", got, hello)
	}
	for _, tt := range tests {
		if tt.want3 == "" {
			tt.want3 = tt.want
		}
		if got := strings.TrimSpace(shown(two.ask(tt.send))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.send, got, tt.want)
		}
		if got := strings.TrimSpace(shown(three.ask(tt.send))); got != tt.want3 {
			t.Errorf("%s in RESP3: got %q, want %q", tt.send, got, tt.want3)
		}
	}
}

func TestWhatAClientSentCannotBreakAnErrorsLine(t *testing.T) {
	c := serve(t, App{}).dial(t)
	c.send(request("x\r\n+OK", "a\nb"))
	if got, err := c.reply(); err != nil || got != "-ERR unknown command 'x  +OK', with args beginning with: 'a b' \r\n" {
		t.Errorf("got %q, %v", got, err)
	}
	c.send(request(strings.Repeat("x", maxArg), strings.Repeat("y", maxArg)))
	if got, err := c.reply(); err != nil || strings.Count(got, "x") != 128 || strings.Count(got, "y") > 128 {
		t.Errorf("got %d bytes, %v, want some of them", len(got), err)
	}
}

// A command's answer is of one table, though another may come at any moment.
func TestOneTableAnswersACommand(t *testing.T) {
	before, after := parseTable(t, week), parseTable(t, strings.ReplaceAll(week, "2024-01-09,1.09,0.9", "2024-01-10,1.10,1.0"))
	var asked atomic.Int64
	c := serve(t, App{Table: func() *fx.Table {
		if asked.Add(1)%2 == 0 {
			return before
		}
		return after
	}}).dial(t)
	for range 10 {
		for _, want := range []string{"*3 $10 2024-01-10 $3 1.1 $1 1", "*3 $10 2024-01-09 $4 1.09 $3 0.9"} {
			if got := shown(c.ask("HMGET rates:latest date USD GBP")); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
	if got := asked.Load(); got != 20 {
		t.Errorf("asked for a table %d times by 20 commands", got)
	}
}

// A walk over the keys misses none that was there all the time.
func TestScanGoesOnInANewTable(t *testing.T) {
	table := atomic.Pointer[fx.Table]{}
	table.Store(parseTable(t, week))
	c := serve(t, App{Table: table.Load}).dial(t)
	seen := map[string]int{}
	cursor := "0"
	for step := 0; step == 0 || cursor != "0"; step++ {
		if step == 3 { // a currency is gone before the cursor, one has begun, and so has a day
			table.Store(parseTable(t, "Date,AAA,USD,HRK,\n2024-01-10,1,1.1,N/A,\n2024-01-09,N/A,1.09,N/A,\n2024-01-08,N/A,1.08,N/A,\n2024-01-05,N/A,1.05,N/A,\n2023-12-22,N/A,1.22,7.5,\n"))
		}
		fields := strings.Fields(c.ask("SCAN " + cursor + " COUNT 1"))
		cursor = fields[2]
		for _, field := range fields {
			if strings.HasPrefix(field, prefix) {
				seen[field]++
			}
		}
	}
	for _, key := range strings.Fields("rates:days rates:latest rates:EUR:USD rates:2023-12-22 rates:2024-01-05 rates:2024-01-08 rates:2024-01-09") {
		if seen[key] != 1 {
			t.Errorf("%s: got it %d times, want once", key, seen[key])
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a", "", false},
		{"a*c", "abbc", true}, {"a*c", "abcb", false}, {"a*b*c", "aXbYbZc", true}, {"*a", "baa", true},
		{"a?c", "abc", true}, {"a?", "a", false}, {"\\*", "*", true}, {"\\*", "a", false}, {"\\", "\\", true},
		{"[abc]", "b", true}, {"[abc]", "d", false}, {"[^abc]", "d", true}, {"[a-c]x", "bx", true}, {"[c-a]x", "bx", true},
		{"[\\]]", "]", true}, {"[a", "a", true}, {"[", "a", false}, {"[]", "a", false}, {"rates:2024-*", "rates:2024-01-05", true},
		{strings.Repeat("a*", 200) + "b", strings.Repeat("a", 300), false},
	} {
		if got := match([]byte(tt.pattern), []byte(tt.name)); got != tt.want {
			t.Errorf("match(%q, %.20q): got %v", tt.pattern, tt.name, got)
		}
	}
}

// What is asked for most leaves nothing for the garbage collector.
func TestTheHotPathAllocatesNothing(t *testing.T) {
	s := serve(t, App{})
	for _, line := range []string{"GET rates:EUR:USD", "HGETALL rates:latest", "HGETALL rates:2024-01-05", "HGET rates:latest USD", "MGET rates:EUR:USD rates:EUR:GBP"} {
		sent := strings.NewReader(request(strings.Fields(line)...))
		c := newClient(s.Server, nil, 1)
		c.r.from = sent
		once := func() {
			if err := c.r.fill(); err != nil {
				t.Fatal(err)
			}
			args, err := c.r.request()
			if err != nil {
				t.Fatal(err)
			}
			c.answer(args)
			*c.w.buf = (*c.w.buf)[:0] // the pool of a race detector's build loses some
			sent.Seek(0, 0)
		}
		if got := testing.AllocsPerRun(100, once); got != 0 {
			t.Errorf("%s: got %v allocations", line, got)
		}
	}
}
