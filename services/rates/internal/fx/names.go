package fx

// names are those of all currencies that the ECB has published a rate for since 1999.
var names = map[string]string{
	"AUD": "Australian Dollar",
	"BGN": "Bulgarian Lev",
	"BRL": "Brazilian Real",
	"CAD": "Canadian Dollar",
	"CHF": "Swiss Franc",
	"CNY": "Chinese Renminbi Yuan",
	"CYP": "Cypriot Pound",
	"CZK": "Czech Koruna",
	"DKK": "Danish Krone",
	"EEK": "Estonian Kroon",
	"EUR": "Euro",
	"GBP": "British Pound",
	"HKD": "Hong Kong Dollar",
	"HRK": "Croatian Kuna",
	"HUF": "Hungarian Forint",
	"IDR": "Indonesian Rupiah",
	"ILS": "Israeli New Sheqel",
	"INR": "Indian Rupee",
	"ISK": "Icelandic Króna",
	"JPY": "Japanese Yen",
	"KRW": "South Korean Won",
	"LTL": "Lithuanian Litas",
	"LVL": "Latvian Lats",
	"MTL": "Maltese Lira",
	"MXN": "Mexican Peso",
	"MYR": "Malaysian Ringgit",
	"NOK": "Norwegian Krone",
	"NZD": "New Zealand Dollar",
	"PHP": "Philippine Peso",
	"PLN": "Polish Złoty",
	"ROL": "Old Romanian Leu",
	"RON": "Romanian Leu",
	"RUB": "Russian Ruble",
	"SEK": "Swedish Krona",
	"SGD": "Singapore Dollar",
	"SIT": "Slovenian Tolar",
	"SKK": "Slovak Koruna",
	"THB": "Thai Baht",
	"TRL": "Old Turkish Lira",
	"TRY": "Turkish Lira",
	"USD": "United States Dollar",
	"ZAR": "South African Rand",
}

// Name is a currency's name in English. For a code that is newer than the list it is the code itself.
func Name(code string) string {
	if name, ok := names[code]; ok {
		return name
	}
	return code
}
