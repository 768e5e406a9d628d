package parse

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What each kind of processor finds is what plain Go finds, and what it looks like.
func TestKindsOfSeparators(t *testing.T) {
	const room = 64*70 + 63
	r := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, room)
	regular := 0
	for round := range 4000 {
		rare := 2 + r.IntN(30)
		for i := range data {
			switch data[i] = "!az09\x7f\x80\xff"[r.IntN(8)]; {
			case r.IntN(rare) == 0 && (i == 0 || data[i-1] > ' ' || round%8 == 0 && r.IntN(500) == 0):
				data[i] = " \n\t\r\x1f\x00"[r.IntN(6)]
			case round%2 == 0 && data[i] >= 0x80:
				data[i] = 'x'
			}
		}
		blocks, from, at, before := r.IntN(71), r.IntN(63), 64*r.IntN(100), uint64(r.IntN(2))
		var want []int32
		was, neighbours := before == 1, false
		for i, c := range data[from : from+64*blocks] {
			is := c <= ' '
			neighbours = neighbours || is && was
			if was = is; is {
				want = append(want, int32(at+i))
			}
		}
		if neighbours {
			want = nil
		} else {
			regular++
		}
		out := make([]int32, room/2+16)
		for name, f := range kinds() {
			for i := range out {
				out[i] = -7
			}
			n, last, high := f(data[from:], blocks, at, before, out)
			if neighbours {
				if n != -1 {
					t.Fatalf("%s: %d found in %q after %d", name, n, data[from:from+64*blocks], before)
				}
				continue
			}
			if wantHigh := slices.ContainsFunc(data[from:from+64*blocks], func(c byte) bool { return c >= 0x80 }); (high != 0) != wantHigh {
				t.Fatalf("%s: high is %x, but that there are bytes above ASCII is %t", name, high, wantHigh)
			}
			if n < 0 || !slices.Equal(out[:n], want) || (last == 1) != was {
				t.Fatalf("%s: got %d, last %d, want %d, %t: %q", name, n, last, want, was, data[from:from+64*blocks])
			}
		}
	}
	if regular < 500 {
		t.Errorf("only %d are without neighbours", regular)
	}
}

// Every text of up to three bytes is the number that it is, or none.
func TestOctet(t *testing.T) {
	for n := uint(1); n <= uint(fewer(3)+1) && n <= 3; n++ {
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

func BenchmarkSeparators(b *testing.B) {
	data := []byte(strings.Repeat("2 123456789012 eni-0a1b2c3d4e5f60718 10.0.0.5 192.0.2.10 40000 443 6 20 30000 1778749200 1778749230 ACCEPT OK\n", 2000))
	out := make([]int32, len(data)/2+16)
	for name, f := range kinds() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if n, _, _ := f(data, len(data)/64, 0, 1, out); n < 0 {
					b.Fatal("not regular")
				}
			}
		})
	}
}
