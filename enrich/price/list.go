package price

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A priceList collects what AWS's price list says of traffic, whatever its format.
type priceList struct {
	name, date string // of the file; its publicationDate
	products   map[string]*product
	notes      []string
}

// A product is what a price list has a price for: a charge of a region, or hours.
type product struct {
	usage     Usage
	hours     string // the name of hourly; "" for traffic
	effective string // when its prices hold from; of several terms the last counts
	currency  string
	tiers     []listTier
}

// A listTier is a row of a price list.
type listTier struct {
	from, to int64 // GB; to is math.MaxInt64 without an end
	price    Price
}

// add adds a product, if it is one of traffic. region and to are what the list says beside the usage type, "" if nothing.
func (l *priceList) add(sku, usageType, region, to string) error {
	p := &product{}
	if u, ok := UsageOf(usageType); ok {
		_, rest := cutRegion(usageType)
		if u.Charge == Region {
			rest = charges[Region].usage[0]
		}
		if u.Charge >= Free || charges[u.Charge].usage[0] != rest {
			return nil // the prices are those of the first usage type
		}
		p.usage = u
	} else {
		code, rest := cutRegion(usageType)
		i := slices.IndexFunc(hourly, func(h struct{ name, usage string }) bool { return h.usage == rest })
		if i < 0 {
			return nil
		}
		p.usage.Region, p.hours = code, hourly[i].name
		if code == "" {
			p.usage.Region = "us-east-1"
		}
	}
	if regionName.MatchString(region) {
		p.usage.Region = region
	}
	if regionName.MatchString(to) && p.usage.Charge == Region && p.hours == "" {
		p.usage.To = to
	}
	l.products[sku] = p
	if len(l.products) > maxProducts {
		return errors.New("more products of traffic than AWS has")
	}
	return nil
}

// maxProducts is the most products of traffic that are kept, and maxTiers the most rows of one: AWS's list of all regions
// has some 2,000 of up to 4.
const (
	maxProducts = 100_000
	maxTiers    = 100
)

// row adds a row of a product's prices. effective is the date of the term that it is from.
func (l *priceList) row(p *product, effective, unit, currency, from, to, price string) error {
	if unit := strings.ToLower(unit); unit != "gb" && unit != "gigabytes" && p.hours == "" || p.hours != "" && unit != "hrs" && unit != "hours" {
		l.note("a price of %s is per %s, and left out", p.what(), unit)
		return nil
	}
	switch {
	case effective > p.effective:
		p.tiers, p.effective = nil, effective
	case effective < p.effective:
		return nil
	}
	t := listTier{to: math.MaxInt64}
	var err error
	if t.price, err = ParsePrice(price); err != nil {
		return fmt.Errorf("the price %q of %s %w", price, p.what(), err)
	}
	if t.from, err = listRange(from); err == nil && to != "" && to != "Inf" {
		t.to, err = listRange(to)
	}
	if err != nil {
		return fmt.Errorf("the tier from %q to %q of %s: %w", from, to, p.what(), err)
	}
	if !currencyName.MatchString(currency) {
		return fmt.Errorf("%q is no currency, such as USD, of %s", currency, p.what())
	}
	if len(p.tiers) > 0 && p.currency != currency {
		return fmt.Errorf("prices of %s in %s and in %s", p.what(), p.currency, currency)
	}
	p.currency = currency
	if p.tiers = append(p.tiers, t); len(p.tiers) > maxTiers {
		return fmt.Errorf("%s has more than %d tiers", p.what(), maxTiers)
	}
	return nil
}

// listRange reads an end of a tier.
func listRange(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	whole, fraction, _ := strings.Cut(text, ".") // 10240.0000000000
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || strings.Trim(fraction, "0") != "" {
		return 0, errors.New("is no number of GB")
	}
	return n, nil
}

// what names a product in messages.
func (p *product) what() string {
	if p.hours != "" {
		return p.usage.Region + " hours of " + p.hours
	}
	if p.usage.To != "" {
		return fmt.Sprintf("%s %s to %s", p.usage.Region, p.usage.Charge, p.usage.To)
	}
	return fmt.Sprintf("%s %s", p.usage.Region, p.usage.Charge)
}

func (l *priceList) note(format string, args ...any) {
	text := l.name + ": " + fmt.Sprintf(format, args...)
	if len(l.notes) < maxWrong && !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// book makes a book of the products. Several products can have one usage type, such as what transit gateways pass to
// peering attachments, which is free: the one with the highest price is that of traffic.
func (l *priceList) book() (*Book, error) {
	b := newBook()
	for _, sku := range slices.Sorted(maps.Keys(l.products)) {
		p := l.products[sku]
		tiers := l.tiersOf(p)
		if tiers == nil {
			continue
		}
		local := b.local(p.usage.Region)
		if local.Currency != p.currency && local.priced() == 0 && len(local.Hours) == 0 {
			local.Currency = p.currency
		}
		if local.Currency != p.currency {
			return nil, fmt.Errorf("%s: prices of %s in %s and in %s", l.name, p.usage.Region, local.Currency, p.currency)
		}
		l.put(local, p, tiers)
	}
	if len(b.Regions) == 0 {
		return nil, fmt.Errorf("%s: has no prices of traffic: the price lists AmazonEC2, AmazonVPC and AWSDataTransfer have them", l.name)
	}
	for _, local := range b.Regions {
		if local.Tiers[Region] == nil && len(local.To) > 0 { // a region that is not known is not cheaper than all others
			local.Tiers[Region] = []Tier{{Price: slices.Max(slices.Collect(maps.Values(local.To)))}}
			local.Source[Region] = Source{l.name, l.date}
		}
	}
	b.Notes = l.notes
	return b, nil
}

// put puts the prices of a product among those of its region.
func (l *priceList) put(local *Local, p *product, tiers []Tier) {
	first := tiers[0].Price
	switch c := p.usage.Charge; {
	case p.hours != "":
		local.Hours[p.hours] = max(first, local.Hours[p.hours])
	case p.usage.To != "":
		if local.To == nil {
			local.To = make(map[string]Price)
		}
		local.To[p.usage.To] = max(first, local.To[p.usage.To])
	default:
		if had := local.Tiers[c]; had != nil && had[0].Price >= first {
			return
		}
		local.Tiers[c], local.Source[c] = tiers, Source{l.name, l.date}
	}
}

// tiersOf returns the tiers of a product, nil if it has none. A first tier that is free, of a GB or a hundred of each
// month, is left out: it is the organisation's, and no window of logs knows what is left of it.
func (l *priceList) tiersOf(p *product) []Tier {
	rows := slices.SortedFunc(slices.Values(p.tiers), func(a, b listTier) int { return cmp.Compare(a.from, b.from) })
	var tiers []Tier
	next := int64(0)
	for i, row := range rows {
		if row.from != next || row.to <= row.from {
			l.note("the tiers of %s do not follow each other, and are left out", p.what())
			return nil
		}
		next = row.to
		const freeTier = 100
		if i == 0 && row.price == 0 && row.to <= freeTier && len(rows) > 1 {
			continue
		}
		t := Tier{UpTo: row.to, Price: row.price}
		if row.to == math.MaxInt64 {
			t.UpTo = 0
		}
		tiers = append(tiers, t)
	}
	if len(tiers) > 0 && tiers[len(tiers)-1].UpTo != 0 {
		l.note("the last tier of %s ends, and its prices are left out", p.what())
		return nil
	}
	return tiers
}
