package ecb_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/rates/internal/fx"
)

const history = `Date,USD,JPY,BGN,
2026-01-02,1.1721,184.09,N/A,
2025-12-31,1.175,184.09,1.9558,
`

func TestParse(t *testing.T) {
	const want = "2026-01-02: BGN 1.9558 JPY 184.09 USD 1.1721"
	tests := []struct {
		name string
		csv  string
	}{
		{"as published", history},
		{"with a byte order mark", "\ufeff" + history},
		{"with CRLF", strings.ReplaceAll(history, "\n", "\r\n")},
		{"without a line end at the end", strings.TrimSuffix(history, "\n")},
		{"with empty lines at the end", history + "\r\n\n"},
		{"with its columns in another order", "Date,BGN,USD,JPY,\n2026-01-02,N/A,1.1721,184.09,\n2025-12-31,1.9558,1.175,184.09,\n"},
		{"with zeros at the end of the decimals", strings.ReplaceAll(history, "1.1721", "1.172100")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, err := ecb.Parse(strings.NewReader(tt.csv))
			if err != nil {
				t.Fatal(err)
			}
			if got := latest(t, table); got != want {
				t.Errorf("latest: got %v, want %v", got, want)
			}
			if got := table.Len(); got != 2 {
				t.Errorf("days: got %d, want 2", got)
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	table := ecb.Snapshot()
	if got, want := table.Len(), 66; got != want {
		t.Errorf("days: got %v, want %v", got, want)
	}
	if got, least := len(table.Currencies()), 25; got < least {
		t.Errorf("currencies: got %v, want %v at least", got, least)
	}
	if oldest, _ := fx.ParseDay("2026-08-21"); table.Newest() < oldest {
		t.Errorf("newest: got %v, want %v or later", table.Newest(), oldest)
	}
	if ecb.Snapshot() != table {
		t.Error("a second call: got another table, want the same")
	}
}

func TestErrorsNameLineAndColumn(t *testing.T) {
	const head = "Date,USD,JPY,\n2026-08-21,1.1699,185.66,\n"
	row := func(usd string) string { return head + "2026-08-20," + usd + ",185.45,\n" }
	tests := []struct {
		name string
		csv  string
		want string
	}{
		{"text for a rate", row("x"), `line 3, USD: "x" is not a rate`},
		{"nothing for a rate", row(""), `line 3, USD: "" is not a rate`},
		{"a blank before a rate", row(" 1.1"), `line 3, USD: " 1.1" is not a rate`},
		{"a negative rate", row("-1.1"), `line 3, USD: "-1.1" is not a rate`},
		{"a rate of 0", row("0.000"), `line 3, USD: "0.000" is not a rate`},
		{"a rate with an exponent", row("1e3"), `line 3, USD: "1e3" is not a rate`},
		{"a rate without a whole part", row(".5"), `line 3, USD: ".5" is not a rate`},
		{"a rate without its decimals", row("1."), `line 3, USD: "1." is not a rate`},
		{"a rate with two points", row("1.1.1"), `line 3, USD: "1.1.1" is not a rate`},
		{"a rate over 32 bits", row("4294967296"), `line 3, USD: "4294967296" is not a rate`},
		{"a rate as long as a book", row(strings.Repeat("1", 4000)), `line 3, USD: "111111111111111111111111"… is not a rate`},
		{"a rate with control characters", row("\x1b[31m"), `line 3, USD: "\x1b[31m" is not a rate`},
		{"a decimal comma", row("1,1681"), "line 3: 5 fields, the header has 4"},
		{"a quoted decimal comma", row(`"1,1681"`), "line 3: 5 fields, the header has 4"},
		{"a row too short", head + "2026-08-20,1.1681,\n", "line 3: 3 fields, the header has 4"},
		{"a row cut off within its last rate", head + "2026-08-20,1.1681,185.4", "line 3: 3 fields, the header has 4"},
		{"a row without a comma at its end", head + "2026-08-20,1.1681,185.45,9\n", "line 3: no comma at the end"},
		{"an empty line between rows", head + "\n2026-08-20,1.1681,185.45,\n", "line 3: 1 fields, the header has 4"},
		{"a row without rates", head + "2026-08-20,N/A,N/A,\n", "line 3: no rates"},
		{"text for a date", head + "today,1.1681,185.45,\n", `line 3, Date: "today" is not a date`},
		{"an impossible date", head + "2026-02-30,1.1681,185.45,\n", `line 3, Date: "2026-02-30" is not a date`},
		{"a day twice", head + "2026-08-21,1.1681,185.45,\n", "line 3, Date: 2026-08-21 stands below 2026-08-21; the newest day comes first"},
		{"the oldest day first", head + "2026-08-24,1.1681,185.45,\n", "line 3, Date: 2026-08-24 stands below 2026-08-21; the newest day comes first"},
		{"too many decimals", row("0.0000000001"), "2026-08-20, USD: 0.0000000001 has too many digits"},
		{"a header alone", "Date,USD,JPY,\n", "no days"},
		{"a header without a comma at its end", "Date,USD,JPY\n2026-08-20,1.1681,185.45\n", "line 1: no comma at the end"},
		{"a header of something else", "Name,Phone\nAda,1\n", `line 1: "Name,Phone" is not the header of the history (Date,USD,JPY,…)`},
		{"a column without a name", "Date,USD,,\n", `line 1, column 3: "" is not the code of a quoted currency`},
		{"a column in small letters", "Date,usd,\n", `line 1, column 2: "usd" is not the code of a quoted currency`},
		{"a column of euros", "Date,EUR,\n", `line 1, column 2: "EUR" is not the code of a quoted currency`},
		{"a column twice", "Date,USD,JPY,USD,\n", "line 1, column 4: USD stands twice"},
		{"too many columns", "Date," + strings.Repeat("USD,", 65) + "\n", "line 1: 65 currencies, at most 64 are read"},
		{"too many lines", "Date,USD,\n" + strings.Repeat("\n", 20_000), "20001 lines, at most 20000 are read"},
		{"too many bytes", strings.Repeat(" ", 8<<20+1), "over 8 MiB long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ecb.Parse(strings.NewReader(tt.csv))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestErrorsOfTheReaderAreWrapped(t *testing.T) {
	broken := errors.New("broken")
	_, err := ecb.Parse(iotest.ErrReader(broken))
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v in it", err, broken)
	}
}

func TestOtherLayoutsAreRefusedAsWhatTheyAre(t *testing.T) {
	tests := []struct {
		name  string
		input string
		want  string
	}{
		{"daily XML", `<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope>`, "this is XML"},
		{"XML with a byte order mark", "\ufeff\n<gesmes:Envelope>", "this is XML"},
		{"one-day CSV", "Date, USD, JPY, \n13 April 2026, 1.1684, 186.75, \n", "this is the ECB's CSV of one day"},
		{"SDMX CSV, short", "FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nD,AUD,2026-02-17,1.6776\n", "this is SDMX CSV"},
		{"SDMX CSV, full", "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE\n", "this is SDMX CSV"},
		{"decimal commas", "Date;USD;JPY;\n2026-08-21;1,1699;185,66;\n", "this is CSV with semicolons, as for decimal commas"},
		{"the zip itself", "PK\x03\x04\x14\x00", "this is a zip archive that was not unpacked"},
		{"gzip", "\x1f\x8b\x08", "this is a gzip file that was not unpacked"},
		{"an error page", "<!DOCTYPE html>\n<title>503</title>", "this is HTML"},
		{"JSON", `{"rates":{}}`, "this is JSON"},
		{"nothing", " \r\n", "this is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ecb.Parse(strings.NewReader(tt.input))
			want := tt.want + "; the zip or CSV of the full history (eurofxref-hist) is wanted"
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		history,
		"\ufeff" + strings.ReplaceAll(history, "\n", "\r\n"),
		"Date,USD,\n2026-08-21,4294967295,\n2026-08-20,0.000000001,\n",
		"Date, USD, \n13 April 2026, 1.1684, \n",
		"Date,USD,\n2026-02-30,x,\n",
		"<xml>", "PK\x03\x04", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ecb.Parse(bytes.NewReader(data))
		if err != nil {
			if got := len(err.Error()); got > 250 {
				t.Errorf("got an error of %d bytes, want a short one", got)
			}
			return
		}
		if table.Len() == 0 || table.First() > table.Newest() {
			t.Errorf("got %d days from %v to %v", table.Len(), table.First(), table.Newest())
		}
		for _, base := range table.Currencies() {
			q := fx.DefaultQuery()
			q.Base = base
			if _, err := table.Latest(q); err != nil && base == fx.EUR {
				t.Errorf("latest: got %v", err)
			}
		}
	})
}

func latest(t *testing.T, table *fx.Table) string {
	t.Helper()
	rates, err := table.Latest(fx.DefaultQuery())
	if err != nil {
		t.Fatal(err)
	}
	s := rates.Date.String() + ":"
	for _, r := range rates.Rates {
		s += " " + r.Currency + " " + r.Value.String()
	}
	return s
}
