package port

import (
	"context"
	"fmt"
	"net"
)

// Second is a further port of an app, which speaks another protocol than
// HTTP. It opens and drains with the first.
type Second struct {
	Scheme    string // of its URL: "redis"
	Listeners []net.Listener

	// Protocol serves as *http.Server does. Serve returns when its listener
	// is closed. Shutdown, called after that, returns when what was asked is
	// answered, or when ctx ends and it has cut off the rest.
	Protocol interface {
		Serve(net.Listener) error
		Shutdown(context.Context) error
	}
}

// shutdown returns what Shutdown returns.
func (s *Second) shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	for _, l := range s.Listeners {
		l.Close() // most are closed: their doors are shut
	}
	if err := s.Protocol.Shutdown(ctx); err != nil {
		return fmt.Errorf("drain: %s: %w", s.Scheme, err)
	}
	return nil
}

// cut ends it at once.
func (s *Second) cut() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.shutdown(ctx) // which says that it was cut
}
