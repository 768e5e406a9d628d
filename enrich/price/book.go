package price

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Book is the prices of regions, and what else of a file of prices decides what traffic costs.
type Book struct {
	Regions map[string]*Local // by name
	// Discounts are factors in parts of Whole: that of a charge, or else that of all, under Unknown. 0 is none.
	Discounts [Unknown + 1]Price
	Sides     map[string]Side // by type of interface, where it is not each of the two ends
	Private   Charge          // what traffic path 3 leads to: DX, VPN, or Unknown
	Notes     []string        // what the file has and is not as expected, a sentence each
}

// A Local is the prices of one region.
type Local struct {
	Currency string // USD
	// Tiers has the prices by charge, nil if there is none. Those of Region are for regions that To lacks.
	Tiers   [Priced][]Tier
	To      map[string]Price // of Region, by the region where the traffic goes
	Hours   map[string]Price // by the names of hourly
	Assumed Set              // of charges whose price is a guess
	Source  [Priced]Source   // where the price is from
}

// A Source is where a price is from.
type Source struct {
	File string // "" is the built-in table
	Date string // of the list, as it says itself, 2026-08-17; "" if it does not
}

func (s Source) String() string {
	name := cmp.Or(s.File, "the built-in table")
	if s.Date != "" {
		name += " of " + s.Date
	}
	return name
}

// A Tier is a price that holds for the GB of a month up to and without UpTo, counted from the month's first; 0 is no end.
// The price of the tiers together is that of the organisation: AWS adds up its accounts, and for Internet its services.
type Tier struct {
	UpTo  int64
	Price Price
}

// Lay puts the prices of another book over those of b. A region keeps the prices that the other has not, unless the
// currency is another one.
func (b *Book) Lay(over *Book) {
	for name, local := range over.Regions {
		mine := b.Regions[name]
		if mine == nil || mine.Currency != local.Currency {
			b.Regions[name] = local
			continue
		}
		for c := range Priced {
			if local.Tiers[c] == nil {
				continue
			}
			mine.Tiers[c], mine.Source[c] = local.Tiers[c], local.Source[c]
			if mine.Assumed &^= 1 << c; local.Assumed.Has(Charge(c)) {
				mine.Assumed |= 1 << c
			}
			if Charge(c) == Region {
				mine.To = local.To
			}
		}
		maps.Copy(mine.Hours, local.Hours)
	}
	for c, d := range over.Discounts {
		if d != 0 {
			b.Discounts[c] = d
		}
	}
	for kind, side := range over.Sides {
		b.Sides[kind] = side
	}
	if over.Private != Unknown {
		b.Private = over.Private
	}
	b.Notes = append(b.Notes, over.Notes...)
}

// newBook returns a book without prices.
func newBook() *Book {
	return &Book{Regions: make(map[string]*Local), Sides: make(map[string]Side), Private: Unknown}
}

// local returns the prices of a region, and adds it if there is none.
func (b *Book) local(region string) *Local {
	l := b.Regions[region]
	if l == nil {
		l = &Local{Currency: "USD", Hours: make(map[string]Price)}
		b.Regions[region] = l
	}
	return l
}

// Names returns the regions that have prices, in order.
func (b *Book) Names() []string { return slices.Sorted(maps.Keys(b.Regions)) }

// Rules returns what of the book decides which charges a record pays.
func (b *Book) Rules(at ChargeAt) *Rules {
	return &Rules{At: at, Sides: b.Sides, Private: b.Private}
}

// Rates are the prices of one run, fixed before the scan: of each charge that of one tier, after discount. They are safe
// for concurrent use.
type Rates struct{ regions map[string]*localRates }

type localRates struct {
	currency string
	rate     [Priced]Rate
	has      Set
	to       map[string]Rate
}

// At leaves of each charge the one tier that the next byte of the month is in. months is how many GB the month has already,
// by charge.
func (b *Book) At(months map[Charge]int64) {
	for _, local := range b.Regions {
		for c, tiers := range local.Tiers {
			if tiers != nil {
				local.Tiers[c] = []Tier{{Price: tierAt(tiers, months[Charge(c)])}}
			}
		}
	}
}

// Rates fixes the rates: of each charge that of the first tier.
func (b *Book) Rates() *Rates {
	r := &Rates{regions: make(map[string]*localRates)}
	for name, local := range b.Regions {
		l := &localRates{currency: local.Currency, to: make(map[string]Rate)}
		for c := range Priced {
			of := Charge(c) // whose prices hold
			if local.Tiers[of] == nil {
				of = charges[c].key
			}
			if tiers := local.Tiers[of]; tiers != nil {
				l.has |= 1 << c
				l.rate[c] = tiers[0].Price.times(b.discount(Charge(c), of))
			}
		}
		for to, p := range local.To {
			l.to[to] = p.times(b.discount(Region, Region))
		}
		r.regions[name] = l
	}
	return r
}

// discount returns the factor of a charge that has the prices of another one, or its own.
func (b *Book) discount(c, of Charge) Price {
	for _, c := range []Charge{c, of, Unknown} {
		if d := b.Discounts[c]; d != 0 {
			return d
		}
	}
	return Whole
}

// tierAt returns the price of the tier that the next byte after so many GB is in.
func tierAt(tiers []Tier, gb int64) Price {
	i := slices.IndexFunc(tiers, func(t Tier) bool { return t.UpTo == 0 || gb < t.UpTo })
	if i < 0 {
		i = len(tiers) - 1
	}
	return tiers[i].Price
}

// Rate returns the rate of a charge in a region. to is the region where the traffic goes, for Region. It is false if there
// is no price.
func (r *Rates) Rate(region string, c Charge, to string) (Rate, bool) {
	l := r.regions[region]
	if l == nil || !l.has.Has(c) {
		return 0, false
	}
	if rate, ok := l.to[to]; ok && c == Region {
		return rate, true
	}
	return l.rate[c], true
}

// Currency returns the currency of a region's prices, "" if it has none.
func (r *Rates) Currency(region string) string {
	if l := r.regions[region]; l != nil {
		return l.currency
	}
	return ""
}

// Of returns the sum of the rates of some charges of one record. It is false if one of them has no price, which then
// is not in the sum. Free and Unknown cost nothing.
func (r *Rates) Of(region string, set Set, to string) (sum Rate, all bool) {
	all = true
	for c := range (set &^ Of(Free, Unknown)).All {
		rate, ok := r.Rate(region, c, to)
		sum, all = sum+rate, all && ok
	}
	return sum, all
}

// String returns all rates, a line a region, in one order: equal texts are equal rates, so that parts of a result can be
// compared.
func (r *Rates) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.regions)) {
		l := r.regions[name]
		fmt.Fprintf(&b, "%s %s", name, l.currency)
		for c := range l.has.All {
			fmt.Fprintf(&b, " %s=%d", c, l.rate[c])
		}
		for _, to := range slices.Sorted(maps.Keys(l.to)) {
			fmt.Fprintf(&b, " %s:%s=%d", Region, to, l.to[to])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// MonthGB reads how many GB the month has already: charge=GB, or GB alone for Internet.
func MonthGB(text string, months map[Charge]int64) error {
	name, number, ok := strings.Cut(text, "=")
	if !ok {
		name, number = Internet.String(), text
	}
	c, known := ChargeNamed(strings.TrimSpace(name))
	if !known {
		return fmt.Errorf("%q is no charge with a price: %s", name, strings.Join(Names()[:Priced], ", "))
	}
	gb, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || gb < 0 {
		return fmt.Errorf("%q is no whole number of GB, as in internet=50000", number)
	}
	if _, twice := months[c]; twice {
		return fmt.Errorf("%s has a number already", c)
	}
	months[c] = gb
	return nil
}
