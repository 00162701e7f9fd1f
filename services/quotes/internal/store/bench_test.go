package store

import (
	"context"
	"testing"
)

// writers and readers at once, as many as a busy app has.
const atOnce = 32

func benchmarkEach(b *testing.B, f func(ctx context.Context, s *Store, id string) error) {
	for name, make := range map[string]func(testing.TB) database{"SQLite": sqliteDatabase, "PostgreSQL": postgresDatabase} {
		b.Run(name, func(b *testing.B) {
			s := make(b).open(roomy, nil)
			kept := mustLock(b, s, aQuote(b, "100.00"), "")
			b.ReportAllocs()
			b.SetParallelism(atOnce)
			b.RunParallel(func(p *testing.PB) {
				ctx, cancel := context.WithCancel(context.Background()) // as a request has
				defer cancel()
				for p.Next() {
					if err := f(ctx, s, kept.ID); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkLock(b *testing.B) {
	q := aQuote(b, "100.00")
	benchmarkEach(b, func(ctx context.Context, s *Store, _ string) error {
		_, _, err := s.Lock(ctx, q, "")
		return err
	})
}

func BenchmarkQuote(b *testing.B) {
	benchmarkEach(b, func(ctx context.Context, s *Store, id string) error {
		_, err := s.Quote(ctx, id)
		return err
	})
}

func BenchmarkAcceptAgain(b *testing.B) {
	benchmarkEach(b, func(ctx context.Context, s *Store, id string) error {
		_, _, err := s.Accept(ctx, id)
		return err
	})
}
