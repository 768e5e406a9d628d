package parse

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What the processor finds is what plain Go finds, and what it looks like.
func TestBlankMasks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, 64*70+63)
	for round := range 200 {
		for i := range data {
			switch data[i] = byte(r.IntN(256)); {
			case round%2 == 0 && r.IntN(3) == 0:
				data[i] = " \n\t\r!\x1f\x00\x80\xff"[r.IntN(9)]
			}
		}
		blocks := r.IntN(70)
		from := r.IntN(63)
		got, plain, want := make([]uint64, blocks+1), make([]uint64, blocks), make([]uint64, blocks)
		for i, c := range data[from : from+64*blocks] {
			if c <= ' ' {
				want[i/64] |= 1 << (i % 64)
			}
		}
		blankMasks(data[from:], got[:blocks])
		blankMasksPortable(data[from:], plain)
		if !slices.Equal(got[:blocks], want) || !slices.Equal(plain, want) || got[blocks] != 0 {
			t.Fatalf("%d blocks from %d: got %x and in plain Go %x, want %x", blocks, from, got, plain, want)
		}
	}
}

func BenchmarkBlankMasks(b *testing.B) {
	data := []byte(strings.Repeat("2 123456789012 eni-0a1b2c3d4e5f60718 10.0.0.5 192.0.2.10 40000 443 6 20 30000 1778749200 1778749230 ACCEPT OK\n", 600))
	masks := make([]uint64, len(data)/64)
	for name, f := range map[string]func([]byte, []uint64){"portable": blankMasksPortable, "processor": blankMasks} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				f(data, masks)
			}
		})
	}
}

func BenchmarkSeparators(b *testing.B) {
	data := []byte(strings.Repeat("2 123456789012 eni-0a1b2c3d4e5f60718 10.0.0.5 192.0.2.10 40000 443 6 20 30000 1778749200 1778749230 ACCEPT OK\n", 2000))
	b.SetBytes(int64(len(data)))
	var out []int32
	for b.Loop() {
		var ok bool
		if out, ok = separators(data, out[:0]); !ok {
			b.Fatal("not regular")
		}
	}
}
