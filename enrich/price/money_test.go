package price

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The sum is exact, whatever the order and the parts.
func TestAmountIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	want := new(big.Int)
	var parts [3]Amount
	for range 10_000 {
		bytes, rate := random.Int64(), Rate(random.Int64N(MostPrice*1e6))
		if random.IntN(4) == 0 {
			bytes = -bytes
		}
		parts[random.IntN(len(parts))].Add(bytes, rate)
		want.Add(want, new(big.Int).Mul(big.NewInt(bytes), big.NewInt(int64(rate))))
	}
	for _, order := range [][3]int{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}} {
		var sum Amount
		for _, i := range order {
			sum.Plus(parts[i])
		}
		if got := sum.Big(); got.Cmp(want) != 0 {
			t.Errorf("order %v: got %s, want %s", order, got, want)
		}
	}
	var one Amount
	one.Add(math.MaxInt64, -MostPrice*1e6)
	if got, want := one.Big(), new(big.Int).Mul(big.NewInt(math.MaxInt64), big.NewInt(-MostPrice*1e6)); got.Cmp(want) != 0 {
		t.Errorf("negative rate: got %s, want %s", got, want)
	}
}

// Money is rounded once, half to even, at the end.
func TestAmountText(t *testing.T) {
	const dollar = Unit
	for _, test := range []struct {
		n                 int64 // parts of a dollar
		money, nine, four string
	}{
		{0, "0.00", "0.000000000", "0.0000"},
		{dollar, "1.00", "1.000000000", "1.0000"},
		{dollar + dollar/200, "1.00", "1.005000000", "1.0050"},   // half: to the even cent
		{dollar + 3*dollar/200, "1.02", "1.015000000", "1.0150"}, // half: to the even cent
		{dollar + dollar/200 + 1, "1.01", "1.005000000", "1.0050"},
		{dollar / 100, "0.01", "0.010000000", "0.0100"},
		{dollar/100 - 1, "0.0100", "0.010000000", "0.0100"},
		{dollar / 1000, "0.0010", "0.001000000", "0.0010"},
		{-dollar / 1000, "-0.0010", "-0.001000000", "-0.0010"},
		{-3 * dollar / 2, "-1.50", "-1.500000000", "-1.5000"},
		{1, "0.0000", "0.000000000", "0.0000"},
	} {
		var a Amount
		a.Add(test.n, 1)
		if got := [3]string{a.Money(), a.Nine(), a.Decimal(Unit, 4)}; got != [3]string{test.money, test.nine, test.four} {
			t.Errorf("%d: got %q, want %q", test.n, got, [3]string{test.money, test.nine, test.four})
		}
	}
	var many Amount
	many.Add(20<<30, 45_000)
	if got := many.Float(); got != 0.9 {
		t.Errorf("20 GB of 0.045: got %v, want 0.9", got)
	}
}

func TestParsePrice(t *testing.T) {
	for text, want := range map[string]Price{
		"0.0450000000": 45_000_000_000, "0": 0, "1000": 1000 * Whole, ".5": Whole / 2, "4.5e-2": 45_000_000_000, "1.": Whole,
		"0.0000000000005": 0, "0.0000000000015": 2, // half to even
	} {
		if got, err := ParsePrice(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "1000.01", "1e999999999", "1e99", "0x10", "1_000", "NaN", "Inf", "0.09 USD", "1/3", "."} {
		if got, err := ParsePrice(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
	for text, want := range map[string]string{"0.0450": "0.045", "0": "0", "10": "10", "0.1093": "0.1093"} {
		if p, _ := ParsePrice(text); p.String() != want {
			t.Errorf("%s: got %s, want %s", text, p, want)
		}
	}
}
