package web_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"
)

// Facts about the ECB's data that show in answers. Those about its files are
// in the tests of package ecb.
func TestFacts(t *testing.T) {
	const (
		ended = "Ended: SIT CYP MTL SKK EEK LVL LTL HRK, BGN (2025-12-31), TRL and ROL (redenominated TRY 2005-01-03, RON 2005-07-01), RUB (last 2022-03-01)."
		isk   = "ISK has none from 2008-12-10 to 2018-01-31."
		nok   = "A day can be corrected after publication: 2025-10-23 first said NOK 11.8529, then 11.5829."
	)
	check(t, []row{
		{ended, "history", "GET /v1/2025-12-30..?symbols=BGN", "", `200 {…"end_date":"2025-12-31","rates":{"2025-12-30":{"BGN":1.9558},"2025-12-31":{"BGN":1.9558}}}`},
		{ended, "history", "GET /v1/2026-01-14?symbols=BGN", "", `200 {…"date":"2025-12-31",…`},
		{ended, "history", "GET /v1/2026-01-15?symbols=BGN", "", missing},
		{ended, "history", "GET /v1/2004-12-30..2005-01-04?symbols=TRL,TRY", "",
			`200 {…"2004-12-31":{"TRL":1836200},"2005-01-03":{"TRY":1.815}…`},
		{ended, "history", "GET /v1/2005-06-30..2005-07-01?symbols=ROL,RON", "", `200 {…"2005-06-30":{"ROL":36030},"2005-07-01":{"RON":3.603}}}`},
		{ended, "history", "GET /v1/2022-02-28..2022-03-31?symbols=RUB", "", `200 {…"end_date":"2022-03-01",…`},
		{ended, "history", "GET /v1/2023-01-16?symbols=HRK", "", missing},
		{ended, "history", "GET /v1/latest?symbols=SIT,CYP,MTL,SKK,EEK,LVL,LTL,HRK,BGN,TRL,ROL,RUB", "", missing},
		{ended, "history", "GET /v1/2006-12-29?symbols=SIT", "", `200 {…"date":"2006-12-29","rates":{"SIT":239.64}}`},
		{isk, "history", "GET /v1/2008-12-09..2018-02-01?symbols=ISK", "",
			`200 {…"start_date":"2008-12-09","end_date":"2018-02-01","rates":{"2008-12-09":{"ISK":290},"2018-02-01":{"ISK":…}}}`},
		{isk, "history", "GET /v1/2008-12-10..2018-01-31?symbols=ISK", "", missing},
		{nok, "history", "GET /v1/2025-10-23?symbols=NOK", "", `200 {…"date":"2025-10-23","rates":{"NOK":11.5829}}`},
		{"The ECB asks to be named, and says that the rates are for information.", "snapshot", "GET /", "",
			"200 …Source: European Central Bank. The reference rates are for information only…"},
	})
}

func TestTwentyNineCurrencies(t *testing.T) {
	const line = "29 currencies in 2026."
	for _, world := range []string{"snapshot", "history"} {
		t.Run(world, func(t *testing.T) {
			var names map[string]string
			if err := json.Unmarshal([]byte(ask(t, serve(t, inWorld(t, world)), "GET /v1/currencies").body), &names); err != nil {
				t.Fatal(err)
			}
			if got, want := len(names), 29+1; got != want || names["EUR"] != "Euro" {
				t.Errorf("%s\ngot %d with the euro, want %d: %v", line, got, want, names)
			}
		})
	}
}

func TestTheLongestGap(t *testing.T) {
	const line = "The longest gap between days is 5."
	var s series
	body := ask(t, serve(t, inWorld(t, "history")), "GET /v1/1999-01-04..?symbols=USD").body
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	dates := slices.Sorted(maps.Keys(s.Rates))
	longest, last := 0, dates[0]
	for _, date := range dates[1:] {
		longest, last = max(longest, daysBetween(t, last, date)), date
	}
	if longest != 5 {
		t.Errorf("%s\ngot %d, want 5", line, longest)
	}
}

func daysBetween(t *testing.T, from, to string) int {
	t.Helper()
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return int(b.Sub(a).Hours() / 24)
}

func TestAtMostSixDecimals(t *testing.T) {
	const line = "Decimals: up to 6."
	body := ask(t, serve(t, inWorld(t, "history")), "GET /v1/1999-01-04..").body
	most := 0
	for _, decimals := range regexp.MustCompile(`\.[0-9]+`).FindAllString(body, -1) {
		most = max(most, len(decimals)-len("."))
	}
	if most != 6 {
		t.Errorf("%s\ngot %d, want 6", line, most)
	}
}
