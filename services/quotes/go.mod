module example.com/portpair/services/quotes

go 1.26

require (
	example.com/portpair/services/twelve v0.0.0
	github.com/go-chi/chi/v5 v5.5.0
	github.com/hashicorp/go-retryablehttp v0.7.8
)

require (
	github.com/VictoriaMetrics/metrics v1.43.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/kelseyhightower/envconfig v1.4.0 // indirect
	github.com/valyala/fastrand v1.1.0 // indirect
	github.com/valyala/histogram v1.2.0 // indirect
	golang.org/x/sys v0.38.0 // indirect
)

replace example.com/portpair/services/twelve => ../twelve
