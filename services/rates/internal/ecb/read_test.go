package ecb

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	tests := []struct{ name, data string }{
		{"CSV", current},
		{"a zip of it", packed(t, member, current)},
		{"a zip of CSV with a byte order mark", packed(t, member, "\ufeff"+current)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, err := Read(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := table.Len(), 3; got != want {
				t.Errorf("days: got %v, want %v", got, want)
			}
			if got, want := rate(t, table, "2025-10-23", "NOK"), "11.8529"; got != want {
				t.Errorf("NOK: got %v, want %v", got, want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	good := packed(t, member, current)
	flipped := []byte(good)
	flipped[len("PKxx")+30+len(member)] ^= 0xff // in the packed bytes
	var two, none bytes.Buffer
	z := zip.NewWriter(&two)
	add(t, z, member, current)
	add(t, z, "readme.txt", "hello")
	z.Close()
	zip.NewWriter(&none).Close()

	const damaged = "this is a zip that is cut short or damaged"
	tests := []struct{ name, data, want string }{
		{"nothing", "", "this is empty; " + wanted},
		{"a zip cut in its middle", good[:len(good)/2], damaged},
		{"a zip without its last byte", good[:len(good)-1], damaged},
		{"the first bytes of a zip", good[:4], damaged},
		{"a zip with a flipped byte", string(flipped), "reading: zip: checksum error"},
		{"an empty zip", none.String(), "this is a zip of 0 files; one of eurofxref-hist.csv alone is wanted"},
		{"a zip of two files", two.String(), "this is a zip of 2 files; one of eurofxref-hist.csv alone is wanted"},
		{"the ECB's zip of one day", packed(t, "eurofxref.csv", "Date, USD, \n"), `this is a zip of "eurofxref.csv"; one of eurofxref-hist.csv alone is wanted`},
		{"a zip with a path in it", packed(t, "../"+member, current), `this is a zip of "../eurofxref-hist.csv"; one of eurofxref-hist.csv alone is wanted`},
		{"a zip in a zip", packed(t, member, good), "this is a zip archive that was not unpacked; " + wanted},
		{"a zip of XML", packed(t, member, "<xml>"), "this is XML; " + wanted},
		{"a zip of nothing", packed(t, member, ""), "this is empty; " + wanted},
		{"a zip that unpacks to a tebibyte", bomb(t, 1000, 1<<40), "this is a zip that unpacks to 1048576 MiB; at most 8 MiB are read"},
		{"a zip that unpacks to more than it says", bomb(t, 100_000, 1000), "reading: zip: not a valid zip file"},
		{"a zip that unpacks to less than it says", bomb(t, 1000, 2000), "reading: unexpected EOF"},
		{"8 MiB of zeros and more", strings.Repeat("\x00", 8<<20+1), "over 8 MiB long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(tt.data)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Whatever comes, the reader neither breaks nor quotes it at length; and zip or CSV, the rates are the same.
func FuzzRead(f *testing.F) {
	good := packed(f, member, current)
	for _, seed := range []string{
		current, older, good, good[:len(good)-9], packed(f, "eurofxref.csv", current), packed(f, member, "<xml>"),
		bomb(f, 1000, 1<<40), bomb(f, 10_000, 10), "PK\x05\x06", "PK\x03\x04", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Read(string(data))
		if err != nil {
			if got := len(err.Error()); got > 250 {
				t.Errorf("got an error of %d bytes, want a short one", got)
			}
			return
		}
		if bytes.HasPrefix(data, []byte("PK")) {
			return
		}
		again, err := Read(packed(t, member, string(data)))
		if err != nil {
			t.Fatalf("packed: got %v", err)
		}
		if got, want := again.Len(), table.Len(); got != want || again.Newest() != table.Newest() {
			t.Errorf("packed: got %d days to %v, want %d to %v", got, again.Newest(), want, table.Newest())
		}
	})
}
