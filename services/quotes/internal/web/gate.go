package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"example.com/portpair/services/quotes/internal/quote"
)

// gate lets so many requests be worked on at once and turns the others away at
// once: in a queue all of them would come too late.
type gate chan struct{}

func (g gate) admit(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		// A body that comes slowly takes no place.
		if r.Body != http.NoBody {
			body, err := io.ReadAll(io.LimitReader(r.Body, maxOrder+1))
			if err != nil {
				return fmt.Errorf("%w: the body did not come whole", errMalformed)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		select {
		case g <- struct{}{}:
			defer func() { <-g }()
			return h(w, r)
		default:
			return fmt.Errorf("%w: %d requests are being worked on, and no more may be", quote.ErrOverloaded, cap(g))
		}
	}
}
