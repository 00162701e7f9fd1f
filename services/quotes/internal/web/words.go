package web

import (
	"fmt"
	"html/template"
	"strings"

	"example.com/portpair/services/quotes/internal/quote"
)

// oldDays is when the page warns of a newest day: no weekend and no holidays of
// the ECB's are that long.
const oldDays = 7

// dayWords is a day as people say it.
func dayWords(d quote.Date) string { return d.Midnight().Format("Monday 2 January 2006") }

func daysAgo(days int) string {
	switch {
	case days < 0:
		return "tomorrow's"
	case days == 0:
		return "today's"
	case days == 1:
		return "1 day ago"
	default:
		return fmt.Sprintf("%d days ago", days)
	}
}

// grouped is a decimal as it is written in en-GB, for readers without scripts;
// with them it is written as theirs is. The plain number stays beside it.
func grouped(decimal string) template.HTML {
	whole, fraction, hasFraction := strings.Cut(decimal, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if hasFraction {
		b.WriteString("." + fraction)
	}
	return template.HTML(fmt.Sprintf(`<data value="%s">%s</data>`, template.HTMLEscapeString(decimal), template.HTMLEscapeString(b.String())))
}
