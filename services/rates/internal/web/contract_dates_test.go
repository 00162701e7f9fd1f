package web_test

import (
	"encoding/json"
	"testing"
)

func TestDates(t *testing.T) {
	const (
		lookBack   = "A single day D: each currency's newest rate within [D-14 days, D]. `date` is the day of the observation."
		future     = "A future day answers while D is at most 14 days after the last observation; day 15 is 404."
		before     = "Before 1999-01-04 (before the first day known): 404."
		impossible = "A well-formed but impossible date (2024-02-30): 422 `invalid date`."
		ended      = "A currency that has ended is carried for 14 days with its last rate."
		difference = "Our one difference: latest never turns 404 because of age."
	)
	check(t, []row{
		{lookBack, "days", "GET /v1/2024-01-08?symbols=USD,GBP", "", `200 {…"date":"2024-01-08","rates":{"GBP":0.5,"USD":1.08}}`},
		{lookBack, "days", "GET /v1/2024-01-08?symbols=GBP", "", `200 {…"date":"2024-01-05","rates":{"GBP":0.5}}`},
		{lookBack, "days", "GET /v1/2024-01-02?symbols=USD", "", `200 {…"date":"2023-12-29","rates":{"USD":1.29}}`},
		{lookBack, "facts", "GET /v1/2017-10-06?symbols=USD", "", `200 {…"date":"2017-09-22","rates":{"USD":1.1961}}`},
		{lookBack, "facts", "GET /v1/2017-10-07?symbols=USD", "", missing},
		{lookBack, "history", "GET /v1/2026-04-05?symbols=USD", "", `200 {…"date":"2026-04-02","rates":{"USD":…}}`},
		{future, "days", "GET /v1/2024-01-23?symbols=USD", "", `200 {…"date":"2024-01-09","rates":{"USD":1.09}}`},
		{future, "days", "GET /v1/2024-01-24?symbols=USD", "", missing},
		{future, "history", "GET /v1/2026-04-27?symbols=USD", "", `200 {…"date":"2026-04-13","rates":{"USD":1.1684}}`},
		{future, "history", "GET /v1/2026-04-28?symbols=USD", "", missing},
		{future, "days", "GET /v1/9999-12-31", "", missing},
		{before, "days", "GET /v1/2023-12-27", "", missing},
		{before, "days", "GET /v1/0000-01-01", "", missing},
		{before, "history", "GET /v1/1999-01-04?symbols=USD", "", `200 {…"date":"1999-01-04","rates":{"USD":1.1789}}`},
		{before, "history", "GET /v1/1999-01-03", "", missing},
		{impossible, "days,history", "GET /v1/2024-02-30", "", badDate},
		{impossible, "days", "GET /v1/2023-02-29", "", badDate},
		{impossible, "days", "GET /v1/2024-13-01", "", badDate},
		{impossible, "days", "GET /v1/2024-00-00", "", badDate},
		{impossible, "days", "GET /v1/2024-02-30..", "", badDate},
		{impossible, "days", "GET /v1/2024-02-30..2024-03-01", "", badDate},
		{impossible, "days", "GET /v1/2024-01-01..2024-02-30", "", badDate},
		{ended, "days", "GET /v1/latest?symbols=HRK", "", `200 {…"date":"2023-12-29","rates":{"HRK":7.5}}`},
		{ended, "days", "GET /v1/2024-01-12?symbols=HRK", "", `200 {…"date":"2023-12-29","rates":{"HRK":7.5}}`},
		{ended, "days", "GET /v1/2024-01-13?symbols=HRK", "", missing},
		{ended, "days", "GET /v1/2024-01-13?symbols=HRK,USD", "", `200 {…"date":"2024-01-09","rates":{"USD":1.09}}`},
		{ended, "days", "GET /v1/2024-01-13?base=HRK", "", missing},
		{difference, "old snapshot", "GET /v1/latest?symbols=USD", "", `200 {…"date":"2026-08-21","rates":{"USD":1.1699}}`},
		{difference, "old snapshot", "GET /v1/2026-09-05?symbols=USD", "", missing},
	})
}

func TestRanges(t *testing.T) {
	const (
		start     = "A range: the start snaps back to the newest published day at or before it (no 14-day limit)."
		end       = "A range: the end may lie in the future; a start after today is 404."
		returned  = "`start_date` and `end_date` are the first and last day really returned; days on which no requested currency was published are absent."
		reversed  = "Reversed: 404, unless the snapped start reaches the end (`2024-01-07..2024-01-05` answers 2024-01-05)."
		straddles = "Before the first day known: 404; a range that straddles it starts there."
		carried   = "(ours) a range carries nothing from one day to another."
	)
	check(t, []row{
		{start, "days", "GET /v1/2024-01-07..2024-01-08?symbols=USD", "", `200 {…"start_date":"2024-01-05",…"rates":{"2024-01-05":{"USD":1.05},"2024-01-08":{"USD":1.08}}}`},
		{start, "facts", "GET /v1/2016-01-01..2017-10-01?symbols=CZK,USD", "",
			`200 {…"start_date":"2006-02-17","end_date":"2017-09-22","rates":{"2006-02-17":{"CZK":28.365,"USD":1.1863},"2017-09-22":{"USD":1.1961}}}`},
		{start, "facts", "GET /v1/2010-01-01..2010-02-01?symbols=USD", "", `200 {…"start_date":"2006-02-17","end_date":"2006-02-17","rates":{"2006-02-17":{"USD":1.1863}}}`},
		{start, "old snapshot", "GET /v1/2029-01-01..?symbols=USD", "", `200 {…"rates":{"2026-08-21":{"USD":1.1699}}}`},
		{end, "days", "GET /v1/2024-01-08..2999-01-01?symbols=USD", "", seriesOfUSD},
		{end, "days", "GET /v1/2024-01-10..?symbols=USD", "", `200 {…"rates":{"2024-01-09":{"USD":1.09}}}`},
		{end, "days", "GET /v1/2024-01-10..2024-01-12?symbols=USD", "", `200 {…"rates":{"2024-01-09":{"USD":1.09}}}`},
		{end, "days", "GET /v1/2024-01-11..", "", missing},
		{end, "days", "GET /v1/2024-01-11..2024-01-12", "", missing},
		{end, "days", "GET /v1/9999-12-31..", "", missing},
		{returned, "days", "GET /v1/2024-01-04..2024-01-07?symbols=GBP", "",
			`200 {…"start_date":"2024-01-04","end_date":"2024-01-05","rates":{"2024-01-04":{"GBP":0.4},"2024-01-05":{"GBP":0.5}}}`},
		{returned, "days", "GET /v1/2024-01-05..?symbols=GBP", "",
			`200 {…"start_date":"2024-01-05","end_date":"2024-01-09","rates":{"2024-01-05":{"GBP":0.5},"2024-01-09":{"GBP":0.9}}}`},
		{returned, "days", "GET /v1/2024-01-08..?symbols=GBP", "", `200 {…"start_date":"2024-01-09","end_date":"2024-01-09","rates":{"2024-01-09":{"GBP":0.9}}}`},
		{returned, "days", "GET /v1/2024-01-08..2024-01-08?symbols=GBP", "", missing},
		{returned, "days", "GET /v1/2024-01-08..2024-01-08?base=GBP", "", missing},
		{returned, "days", "GET /v1/2024-01-05..?base=GBP&symbols=EUR", "",
			`200 {…"start_date":"2024-01-05","end_date":"2024-01-09","rates":{"2024-01-05":{"EUR":2},"2024-01-09":{"EUR":1.1111}}}`},
		{carried, "days", "GET /v1/2023-12-28..?symbols=HRK", "",
			`200 {…"start_date":"2023-12-28","end_date":"2023-12-29","rates":{"2023-12-28":{"HRK":7.4},"2023-12-29":{"HRK":7.5}}}`},
		{carried, "days", "GET /v1/2023-12-29..2024-01-03?symbols=HRK,USD", "", `200 {…"rates":{"2023-12-29":{"HRK":7.5,"USD":1.29},"2024-01-03":{"USD":1.03}}}`},
		{carried, "days", "GET /v1/2024-01-03..?symbols=HRK", "", missing},
		{reversed, "days", "GET /v1/2024-01-07..2024-01-05?symbols=USD", "", usdOfThe5th},
		{reversed, "days", "GET /v1/2024-01-07..2024-01-06?symbols=USD", "", usdOfThe5th},
		{reversed, "days", "GET /v1/2024-01-07..2024-01-04?symbols=USD", "", missing},
		{reversed, "days", "GET /v1/2024-01-08..2024-01-05?symbols=USD", "", missing},
		{reversed, "days", "GET /v1/2024-01-10..2024-01-09?symbols=USD", "", `200 {…"rates":{"2024-01-09":{"USD":1.09}}}`},
		{reversed, "history", "GET /v1/2024-01-07..2024-01-05?symbols=USD", "", `200 {…"start_date":"2024-01-05","end_date":"2024-01-05","rates":{"2024-01-05":{"USD":1.0921}}}`},
		{straddles, "days", "GET /v1/2023-01-01..2023-12-27", "", missing},
		{straddles, "days", "GET /v1/2023-01-01..2023-12-28?symbols=USD", "", `200 {…"start_date":"2023-12-28","end_date":"2023-12-28","rates":{"2023-12-28":{"USD":1.28}}}`},
		{straddles, "history", "GET /v1/1980-01-01..1999-01-03", "", missing},
		{straddles, "history", "GET /v1/1980-01-01..1999-01-05?symbols=USD", "", `200 {…"rates":{"1999-01-04":{"USD":1.1789},"1999-01-05":{"USD":1.179}}}`},
	})
}

type series struct {
	Start string `json:"start_date"`
	End   string `json:"end_date"`
	Rates map[string]map[string]json.Number
}

func TestNoDownSamplingAtAnyLength(t *testing.T) {
	const line = "No down-sampling at any length: `1999-01-04..` is every day (6,983 days, 2.95 MB)."
	tests := []struct {
		world       string
		ask         string
		days, bytes int
	}{
		{"history", "GET /v1/1999-01-04..", 6983, 2_950_000},
		{"history", "GET /v1/1900-01-01..?symbols=USD", 6983, 195_000},
		{"snapshot", "GET /v1/1999-01-04..", 66, 26_300},
	}
	for _, tt := range tests {
		t.Run(tt.world+" "+tt.ask, func(t *testing.T) {
			got := ask(t, serve(t, inWorld(t, tt.world)), tt.ask)
			var s series
			if err := json.Unmarshal([]byte(got.body), &s); err != nil {
				t.Fatal(err)
			}
			if len(s.Rates) != tt.days {
				t.Errorf("%s\ngot %d days, want %d", line, len(s.Rates), tt.days)
			}
			if got := len(got.body); got < tt.bytes*98/100 || got > tt.bytes*102/100 {
				t.Errorf("%s\ngot %d bytes, want about %d", line, got, tt.bytes)
			}
		})
	}
}

// What a range says of a day is what is said of the day alone, where nothing
// is carried over.
func TestARangeIsItsDays(t *testing.T) {
	h := inWorld(t, "snapshot")
	url := serve(t, h)
	for _, params := range []string{"?", "?base=USD", "?base=IDR&amount=3.7&symbols=EUR,USD,JPY"} {
		var s series
		if err := json.Unmarshal([]byte(ask(t, url, "GET /v1/2026-05-22.."+params).body), &s); err != nil {
			t.Fatal(err)
		}
		for day, rates := range s.Rates {
			var single struct {
				Date  string
				Rates map[string]json.Number
			}
			if err := json.Unmarshal([]byte(ask(t, url, "GET /v1/"+day+params).body), &single); err != nil {
				t.Fatal(err)
			}
			got, want := marshal(t, rates), marshal(t, single.Rates)
			if got != want || single.Date != day {
				t.Errorf("%s of %s: got %s, want %s", params, day, got, want)
			}
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
