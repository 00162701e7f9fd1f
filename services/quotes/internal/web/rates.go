package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/quotes/internal/ratesapi"
)

type seriesReply struct {
	SourceCurrency string     `json:"sourceCurrency"`
	TargetCurrency string     `json:"targetCurrency"`
	Stale          bool       `json:"stale"`
	Age            string     `json:"age"`
	Rates          []dayReply `json:"rates"`
}

type dayReply struct {
	Date string `json:"date"`
	Rate string `json:"rate"`
}

// firstDay of the ECB's reference rates: from when a series is without a from.
var firstDay, _ = quote.ParseDate("1999-01-04")

// series answers with what a pair was worth on each published day, oldest
// first: as JSON, or as CSV where the path or Accept says so.
func (a App) series(asCSV bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := parseQuery(r)
		if err != nil {
			return err
		}
		source, target, err := pairParams(query)
		if err != nil {
			return err
		}
		from, to, err := spanParams(query, a.Now())
		if err != nil {
			return err
		}
		series, err := a.Rates.Between(r.Context(), from, to, source, target)
		if err != nil {
			return err
		}
		w.Header().Set("Vary", "Accept")
		if asCSV || strings.HasPrefix(r.Header.Get("Accept"), "text/csv") {
			return writeCSV(w, series, source, target)
		}
		reply := seriesReply{
			SourceCurrency: source.Code, TargetCurrency: target.Code,
			Stale: series.Stale, Age: series.Age.Truncate(time.Second).String(), Rates: make([]dayReply, len(series.Days)),
		}
		for i, d := range series.Days {
			reply.Rates[i] = dayReply{d.Date.String(), d.Rate.String()}
		}
		return writeJSON(w, http.StatusOK, reply)
	}
}

// spanParams are the parameters from and to: the first day that there is and
// today, where they are missing.
func spanParams(query url.Values, now time.Time) (from, to quote.Date, err error) {
	if from, err = dateParam(query, "from", now); err != nil {
		return from, to, err
	}
	if to, err = dateParam(query, "to", now); err != nil {
		return from, to, err
	}
	if from.IsZero() {
		from = firstDay
	}
	if to.IsZero() {
		to = quote.DateOf(now)
	}
	if from.DaysSince(to) > 0 {
		err = inField("to", fmt.Errorf("%w: it is before from", errMalformed))
	}
	return from, to, err
}

func writeCSV(w http.ResponseWriter, series ratesapi.Series, source, target quote.Currency) error {
	var body bytes.Buffer
	rows := csv.NewWriter(&body)
	_ = rows.Write([]string{"date", source.Code + "/" + target.Code}) // into memory
	for _, d := range series.Days {
		_ = rows.Write([]string{d.Date.String(), d.Rate.String()})
	}
	rows.Flush()
	header(w, []string{"text/csv; charset=utf-8"}, body.Len())
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.csv"`, source.Code, target.Code))
	_, _ = body.WriteTo(w)
	return nil
}
