package price

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
)

// A Price is a list price, exact as a file has it, in 10^-12 of a unit of currency per GB or hour. AWS's price lists
// have ten decimals.
type Price int64

// MostPrice is the largest price that is read, in units of currency per GB. It is 6,000 times the largest of AWS's, and
// keeps sums within the 128 bits of an Amount.
const MostPrice = 1000

// Whole is the number of parts of one in a decimal number that ParseDecimal reads, and of a Price in one unit of currency.
const Whole = 1_000_000_000_000

// decimalPlaces is how many decimals that is.
const decimalPlaces = 12

// decimalNumber matches what ParseDecimal reads. The exponent has no more digits than keep the number small in memory.
var decimalNumber = regexp.MustCompile(`^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?$`)

// ParseDecimal reads a decimal number, with an exponent or without, as parts of which Whole are one. What is smaller is
// rounded half to even.
func ParseDecimal(text string) (Amount, error) {
	const longest = 100 // characters: more is no number that anybody writes
	if len(text) > longest || !decimalNumber.MatchString(text) {
		return Amount{}, errors.New("is no decimal number")
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return Amount{}, errors.New("is no decimal number")
	}
	n := halfEven(new(big.Int).Mul(r.Num(), big.NewInt(Whole)), r.Denom())
	if n.BitLen() > 100 { // 27 bits are left for sums
		return Amount{}, errors.New("is too large")
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	return Amount{new(big.Int).Rsh(n, 64).Int64(), low.Uint64()}, nil
}

// ParsePrice reads a price from 0 to MostPrice.
func ParsePrice(text string) (Price, error) {
	n, err := ParseDecimal(text)
	switch {
	case err != nil:
		return 0, err
	case n.Hi != 0 || n.Lo > MostPrice*Whole:
		return 0, errors.New("is no price from 0 to 1000")
	}
	return Price(n.Lo), nil
}

// String returns the price with as few digits as say it: 0.045.
func (p Price) String() string {
	text := strings.TrimRight(Amount{Lo: uint64(p)}.Decimal(Whole, decimalPlaces), "0")
	return strings.TrimSuffix(text, ".")
}

// times returns the rate that the price is after a discount, which is a factor in the same parts as a price. It rounds once,
// half to even.
func (p Price) times(discount Price) Rate {
	const parts = Whole / 1_000_000 * Whole // to millionths, and from the parts of the discount
	n := new(big.Int).Mul(big.NewInt(int64(p)), big.NewInt(int64(discount)))
	return Rate(halfEven(n, big.NewInt(parts)).Int64())
}
