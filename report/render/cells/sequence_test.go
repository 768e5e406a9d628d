package cells

import (
	"bytes"
	"testing"
	"time"
)

func TestSequencer(t *testing.T) {
	var s Sequencer
	var got bytes.Buffer
	done := make(chan error)
	for _, n := range []int64{3, 1, 2, 0} {
		go func() { done <- s.Do(n, func() error { return got.WriteByte(byte('0' + n)) }) }()
		time.Sleep(time.Millisecond)
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got.String() != "0123" {
		t.Errorf("turns were taken in the order %s", got.String())
	}
	if err := s.Do(2, nil); err == nil {
		t.Error("a number that has had its turn got another")
	}
}
