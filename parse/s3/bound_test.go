package s3

import (
	"context"
	"runtime"
	"testing"
)

// A number of objects at a time that no machine could hold in memory is lowered to a few per processor.
func TestMostConcurrency(t *testing.T) {
	s := newServer(t)
	for given, want := range map[int]int{0: concurrency(), -1: concurrency(), 3: 3, MostConcurrency() + 1: MostConcurrency(), 1 << 40: MostConcurrency()} {
		opt := s.options()
		opt.Concurrency = given
		c, err := Connect(context.Background(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if c.opt.Concurrency != want {
			t.Errorf("%d: %d at a time, want %d", given, c.opt.Concurrency, want)
		}
	}
	if most, per := MostConcurrency(), runtime.GOMAXPROCS(0); most > 128*per {
		t.Errorf("%d at a time on %d processors", most, per)
	}
}
