package parse

import (
	"math/rand/v2"
	"slices"
	"strconv"
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

// Every text of up to three bytes is the number that it is, or none.
func TestOctet(t *testing.T) {
	for n := uint(1); n <= 3; n++ {
		for bytes := range uint32(1) << (8 * n) {
			text := make([]byte, n)
			for i := range text {
				text[i] = byte(bytes >> (8 * i))
			}
			want, err := strconv.ParseUint(string(text), 10, 8)
			valid := err == nil && text[0] != '+' && (n == 1 || text[0] != '0')
			got, bad := octet(bytes<<(32-8*n)|0x2e2e2e2e>>(8*n)&0xffffff, n)
			if (bad == 0) != valid || valid && got != uint32(want) {
				t.Fatalf("%q: got %d, bad %d, want %d, %t", text, got, bad, want, valid)
			}
		}
	}
	for _, n := range []uint{0, 4, 5} {
		if _, bad := octet(0x31313131, n); bad == 0 {
			t.Errorf("%d digits are taken for an octet", n)
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
