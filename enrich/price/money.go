package price

import (
	"math/big"
	"math/bits"
	"strings"
)

// A Rate is a price in millionths of a unit of currency per GB, which is 2^30 bytes, or per hour.
type Rate int64

// Unit is by what the sum of bytes times rates is divided to have units of currency: 2^30 bytes times 10^6 millionths.
const Unit = 1 << 30 * 1_000_000

// An Amount is an exact sum: a whole number of 128 bits, in two's complement. As money it is a sum of bytes times rates,
// and its unit is the Unit-th part of a unit of currency. The sum does not depend on the order of what is added. With
// rates of at most MostPrice it cannot overflow before 2^34 records of the largest number of bytes that a record can have.
// Both halves fit a cell of 64 bits.
type Amount struct {
	Hi int64
	Lo uint64
}

// Add adds bytes times rate. Both may be negative.
func (a *Amount) Add(bytes int64, rate Rate) {
	hi, lo := bits.Mul64(uint64(bytes), uint64(rate))
	high := int64(hi)
	if bytes < 0 {
		high -= int64(rate)
	}
	if rate < 0 {
		high -= bytes
	}
	a.Plus(Amount{high, lo})
}

// Plus adds another amount.
func (a *Amount) Plus(b Amount) {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	a.Hi, a.Lo = a.Hi+b.Hi+int64(carry), lo
}

// Big returns the whole number.
func (a Amount) Big() *big.Int {
	n := big.NewInt(a.Hi)
	return n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(a.Lo))
}

// Decimal returns the amount divided by unit with so many decimals, rounded half to even.
func (a Amount) Decimal(unit int64, places int) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	n := halfEven(new(big.Int).Mul(a.Big(), scale), big.NewInt(unit))
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	digits := n.String()
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if places == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}

// halfEven returns n divided by a positive d, rounded half to even.
func halfEven(n, d *big.Int) *big.Int {
	q, r := new(big.Int).DivMod(n, d, new(big.Int)) // 0 <= r < d
	switch r.Lsh(r, 1).Cmp(d) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0))))
	}
	return q
}

// Money returns the amount in units of currency as tables show it: with two decimals, or with four if it is below a
// hundredth but not nothing.
func (a Amount) Money() string {
	cent := new(big.Int).Abs(a.Big())
	if cent.Sign() != 0 && cent.Mul(cent, big.NewInt(100)).Cmp(big.NewInt(Unit)) < 0 {
		return a.Decimal(Unit, 4)
	}
	return a.Decimal(Unit, 2)
}

// Nine returns the amount in units of currency with nine decimals, as every format but tables has it.
func (a Amount) Nine() string { return a.Decimal(Unit, 9) }

// Float returns the nearest number to the amount in units of currency, for comparisons and arithmetic.
func (a Amount) Float() float64 {
	f, _ := new(big.Rat).SetFrac(a.Big(), big.NewInt(Unit)).Float64()
	return f
}
