package parse

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// tokensOf puts tokens behind each other, a row each, after bytes enough for all to be read 16 at a time.
func tokensOf(tokens []string) (data []byte, seps []int32) {
	data = []byte(strings.Repeat("9", 20) + " ")
	seps = []int32{20}
	for _, tok := range tokens {
		data = append(append(data, tok...), ' ')
		seps = append(seps, int32(len(data)-1))
	}
	return data, seps
}

// almost is a token with a change or two, which may leave it valid.
func almost(r *rand.Rand, tok string) string {
	b := []byte(tok)
	for range r.IntN(3) {
		const all = "0123456789.0123456789..:-x/;\x00\xff\x2f\x3a"
		i := r.IntN(len(b))
		switch c := all[r.IntN(len(all))]; r.IntN(3) {
		case 0:
			b[i] = c
		case 1:
			b = append(b[:i], append([]byte{c}, b[i:]...)...)
		default:
			if b = append(b[:i], b[i+1:]...); len(b) == 0 {
				b = append(b, c)
			}
		}
	}
	return string(b)
}

// What is read many at a time is what each of them is, and what is not read is what is none.
func TestValues(t *testing.T) {
	if !hasValues() {
		t.Skip("this processor has no instructions that read values many at a time")
	}
	r := rand.New(rand.NewPCG(2, 2))
	var numbers, addrs []string
	for range 200_000 {
		n := strconv.FormatUint(r.Uint64N(1<<(1+r.UintN(63))), 10)
		numbers = append(numbers, almost(r, strings.Repeat("0", max(0, r.IntN(12)-8))+n))
		a := netip.AddrFrom4([4]byte{byte(r.UintN(256) >> r.UintN(8)), byte(r.UintN(256) >> r.UintN(8)), byte(r.UintN(256) >> r.UintN(8)), byte(r.UintN(256) >> r.UintN(8))})
		addrs = append(addrs, almost(r, a.String()))
	}
	numbers = append(numbers, "0", "9", "65535", "65536", "4294967296", "9999999999", "9999999999999999", "10000000000000000")
	addrs = append(addrs, "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.256.1.1", "1.1.1.256", "1.123.45.67.8", "::1", "1.1.1.1.", ".1.1.1.1", "01.1.1.1", "1.1.1.00")

	data, seps := tokensOf(numbers)
	for i, tok := range numbers {
		want, err := strconv.ParseUint(tok, 10, 64)
		for _, most := range []int{10, 16} {
			out := []int64{-7}
			if n := int64s(data, seps[i:], 1, most, out); n == 1 != (err == nil && len(tok) <= most) || n == 1 && uint64(out[0]) != want {
				t.Fatalf("%q, up to %d digits: read %d, %d", tok, most, n, out)
			}
		}
		for _, top := range []int64{255, 65535, 1<<31 - 1} {
			out := []int32{-7}
			if n := int32s(data, seps[i:], 1, top, out); n == 1 != (err == nil && len(tok) <= 10 && want <= uint64(top)) || n == 1 && uint64(out[0]) != want {
				t.Fatalf("%q, up to %d: read %d, %d", tok, top, n, out)
			}
		}
	}
	data, seps = tokensOf(addrs)
	read := 0
	for i, tok := range addrs {
		want, err := netip.ParseAddr(tok)
		out := make([][16]byte, 1)
		n := ipv4s(data, seps[i:], 1, out)
		if n == 1 != (err == nil && want.Is4()) || n == 1 && out[0] != want.As16() {
			t.Fatalf("%q: read %d, %v", tok, n, out)
		}
		read += n
	}
	if read < 50_000 {
		t.Errorf("only %d addresses are valid", read)
	}
}

// They stop at the first token that is not like the others, and near the start of the data.
func TestValuesStop(t *testing.T) {
	if !hasValues() {
		t.Skip("this processor has no instructions that read values many at a time")
	}
	for bad := range 9 {
		numbers, addrs := make([]string, 9), make([]string, 9)
		for i := range numbers {
			numbers[i], addrs[i] = strconv.Itoa(100+i), fmt.Sprintf("10.0.0.%d", i)
		}
		numbers[bad], addrs[bad] = "-", "-"
		data, seps := tokensOf(numbers)
		want(t, "int64", int64s(data, seps, 1, 16, make([]int64, 9)), bad)
		want(t, "int32", int32s(data, seps, 1, 1000, make([]int32, 9)), bad)
		data, seps = tokensOf(addrs)
		want(t, "IPv4", ipv4s(data, seps, 1, make([][16]byte, 9)), bad)
	}
	data, seps := []byte("1234567890 123 45 10.0.0.1 1 "), []int32{-1, 10, 14, 17, 26, 28}
	for i, n := range []int{0, 0, 1, 0, 1} {
		want(t, "int64", int64s(data, seps[i:], 1, 16, make([]int64, 1)), n)
		want(t, "int32", int32s(data, seps[i:], 1, 1000, make([]int32, 1)), n)
	}
	want(t, "none", int64s(nil, nil, 1, 16, nil)+int32s(nil, nil, 1, 1, nil)+ipv4s(nil, nil, 1, nil), 0)
}

func BenchmarkValues(b *testing.B) {
	numbers, addrs := make([]string, 2000), make([]string, 2000)
	r := rand.New(rand.NewPCG(2, 2))
	for i := range numbers {
		numbers[i] = strconv.FormatUint(r.Uint64N(1<<(1+r.UintN(30))), 10)
		addrs[i] = netip.AddrFrom4([4]byte{10, byte(r.UintN(256)), byte(r.UintN(256)), byte(r.UintN(256))}).String()
	}
	data, seps := tokensOf(numbers)
	out := make([]int64, len(numbers))
	b.Run("numbers at once", func(b *testing.B) {
		for b.Loop() {
			int64s(data, seps, 1, 16, out)
		}
	})
	b.Run("numbers", func(b *testing.B) {
		for b.Loop() {
			for i := range out {
				v, _ := shortInt(data, int(seps[i])+1, int(seps[i+1]))
				out[i] = int64(v)
			}
		}
	})
	data, seps = tokensOf(addrs)
	ips := make([][16]byte, len(addrs))
	b.Run("addresses at once", func(b *testing.B) {
		for b.Loop() {
			ipv4s(data, seps, 1, ips)
		}
	})
	b.Run("addresses", func(b *testing.B) {
		for b.Loop() {
			for i := range ips {
				ips[i], _ = shortAddr(data, int(seps[i])+1, int(seps[i+1]))
			}
		}
	})
}
