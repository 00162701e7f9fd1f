package resp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads requests to the end of what is sent, each shown as [a b c],
// and returns why there was no other.
func readAll(from io.Reader) (requests []string, largest int, err error) {
	r := reader{from: from}
	for {
		args, err := r.request()
		switch {
		case err == nil:
			requests = append(requests, fmt.Sprintf("%q", args))
		case err != errPartial:
			return requests, largest, err
		default:
			if err := r.fill(); err != nil {
				if r.partial() {
					err = errPartial
				}
				return requests, largest, err
			}
			largest = max(largest, cap(r.buf))
		}
	}
}

func TestRequests(t *testing.T) {
	long := strings.Repeat("x", maxArg)
	array := func(args ...string) string {
		b := fmt.Sprintf("*%d\r\n", len(args))
		for _, arg := range args {
			b += fmt.Sprintf("$%d\r\n%s\r\n", len(arg), arg)
		}
		return b
	}
	tests := []struct {
		name, sent string
		want       []string
		err        error
	}{
		{"one", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", []string{`["GET" "k"]`}, io.EOF},
		{"bytes of all kinds", array("ECHO", "\r\n\x00*"), []string{`["ECHO" "\r\n\x00*"]`}, io.EOF},
		{"an empty argument", array("ECHO", ""), []string{`["ECHO" ""]`}, io.EOF},
		{"in one line", "GET  k\t\r\nPING\n", []string{`["GET" "k"]`, `["PING"]`}, io.EOF},
		{"quotes mean nothing", "GET \"k\"\r\n", []string{`["GET" "\"k\""]`}, io.EOF},
		{"several at once", array("A") + "B\r\n" + array("C", "D"), []string{`["A"]`, `["B"]`, `["C" "D"]`}, io.EOF},
		{"empty ones ask for nothing", "\r\n*0\r\n*-1\r\n  \n" + array("A"), []string{`["A"]`}, io.EOF},
		{"the most and the longest arguments", array(slices.Repeat([]string{long}, maxArgs)...), []string{fmt.Sprintf("%q", slices.Repeat([]string{long}, maxArgs))}, io.EOF},
		{"the longest line", long + strings.Repeat(" ", maxLine-maxArg-1) + "\n", []string{fmt.Sprintf("[%q]", long)}, io.EOF},

		{"cut off in a number", "*1", nil, errPartial},
		{"cut off before an argument", "*1\r\n", nil, errPartial},
		{"cut off in an argument", "*1\r\n$4\r\nPIN", nil, errPartial},
		{"cut off before its end", "*1\r\n$4\r\nPING\r", nil, errPartial},
		{"cut off in a line", "PING", nil, errPartial},

		{"no number of arguments", "*x\r\n", nil, errArgs},
		{"no digits", "*\r\n", nil, errArgs},
		{"one argument too many", "*65\r\n", nil, errArgs},
		{"2^63 arguments", "*9223372036854775808\r\n", nil, errArgs},
		{"an endless number", "*" + strings.Repeat("0", 100), nil, errArgs},
		{"an argument of 2^63 bytes", "*1\r\n$9223372036854775808\r\n", nil, errArg},
		{"an argument of 2^64+4 bytes", "*1\r\n$18446744073709551620\r\nPING\r\n", nil, errArg},
		{"a byte too long", "*1\r\n$513\r\n", nil, errArg},
		{"an argument of -1 bytes", "*1\r\n$-1\r\n", nil, errArg},
		{"no argument", "*1\r\n:1\r\n", nil, errDollar},
		{"longer than it says", "*1\r\n$3\r\nPING\r\n", nil, errEnd},
		{"an endless line", strings.Repeat("x", maxLine), nil, errLine},
		{"a word too long", long + "x\n", nil, errArg},
		{"a word too many", strings.Repeat("x ", maxArgs+1) + "\n", nil, errArgs},
		{"after good ones", array("A") + "*x\r\n", []string{`["A"]`}, errArgs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, from := range map[string]io.Reader{
				"at once":      strings.NewReader(tt.sent),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.sent)),
				"with the end": iotest.DataErrReader(strings.NewReader(tt.sent)),
			} {
				got, _, err := readAll(from)
				if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("%s: got %.200q, error %v, want %.200q, %v", name, got, err, tt.want, tt.err)
				}
			}
		})
	}
}

func TestABufferIsSmallAgainAfterALargeRequest(t *testing.T) {
	large := "*2\r\n" + strings.Repeat("$512\r\n"+strings.Repeat("x", 512)+"\r\n", 2)
	r := reader{from: io.MultiReader(strings.NewReader(strings.Repeat(large, 9)), strings.NewReader("PING\r\n"))}
	most := 0
	for {
		if _, err := r.request(); err != nil {
			if r.fill() != nil {
				break
			}
			most = max(most, cap(r.buf))
		}
	}
	if most < smallBuffer || cap(r.buf) != smallBuffer {
		t.Errorf("got %d bytes at most and %d at last, want %d at last", most, cap(r.buf), smallBuffer)
	}
}

// FuzzRead holds the reader to its limits whatever is sent, and to reading
// the same however it arrives.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"*2\r\n$3\r\nGET\r\n$13\r\nrates:EUR:USD\r\n", "PING\r\n", "*0\r\n\r\n*1\r\n$4\r\nPING\r\n", "*-1\r\n*1\r\n$-1\r\n",
		"*1\r\n$9223372036854775808\r\n", "*64\r\n$0\r\n\r\n", "*1\n$1\nx\r\n", "hello 3\r\n*3\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		whole, largest, err := readAll(bytes.NewReader(sent))
		slow, _, slowErr := readAll(iotest.OneByteReader(bytes.NewReader(sent)))
		if !slices.Equal(whole, slow) || !errors.Is(err, slowErr) {
			t.Errorf("got %q, %v at once, %q, %v byte by byte", whole, err, slow, slowErr)
		}
		if largest > maxRequest {
			t.Errorf("kept %d bytes, want %d at most", largest, maxRequest)
		}
		var bad protocolError
		if err != io.EOF && err != errPartial && !errors.As(err, &bad) {
			t.Errorf("got error %v", err)
		}
	})
}
