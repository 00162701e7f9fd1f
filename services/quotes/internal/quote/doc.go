// Package quote is the field of the app quotes: currencies, amounts, rates
// and days, what an amount is worth in another currency, and how far the
// rates at hand may be trusted.
//
// Its values are exact: an [Amount] is an integer of minor units, a [Rate] an
// integer and a power of ten. A [Table] holds one reference date's rates and
// makes the cross rate of any two of them; [Rate.Target] and [Rate.Source]
// compute the other amount; [Rules.Standing] judges the table's age.
//
// It leaves fetching rates and keeping them to ratesapi, rows to store, and
// requests and replies to web, which names the field that an error concerns.
// It reads no clock: callers pass the time in.
package quote
