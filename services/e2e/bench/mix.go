package main

import "fmt"

// The mixes are a thousand different questions each, so that no cache of whole
// answers would help.

var codes = []string{"USD", "JPY", "GBP", "CHF", "SEK", "NOK", "PLN", "CZK", "CAD", "AUD"}

func ratesMix() (paths []string) {
	for i, base := range codes {
		for j, symbol := range codes {
			for amount := range 10 {
				if i == j {
					symbol = "EUR"
				}
				paths = append(paths, fmt.Sprintf("/v1/latest?base=%s&symbols=%s&amount=%d", base, symbol, 10+100*amount+i))
			}
		}
	}
	return paths
}

func quotesMix() (paths []string) {
	for i, source := range codes {
		for j, target := range codes {
			for amount := range 10 {
				if i == j {
					target = "EUR"
				}
				paths = append(paths, fmt.Sprintf("/v1/convert?amount=%d&source=%s&target=%s", 10+100*amount+i, source, target))
			}
		}
	}
	return paths
}
