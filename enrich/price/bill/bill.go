package bill

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"flowlog/enrich/price"
)

// A Bill is what was billed for traffic, of one or several files.
type Bill struct {
	items map[Key]*Item
	// Adjusted is the cost of lines of traffic that are no usage, by their type: Credit, Refund, EdpDiscount, Tax …, in the
	// unit of Item.Cost.
	Adjusted map[string]price.Amount
	// OtherCosts are the columns of cost beside UnblendedCost, which is what counts.
	OtherCosts []string
	Notes      []string // what a file has and is not as expected, a sentence each
	currency   string
}

// A Key is what an Item is the sum of.
type Key struct {
	UsageType string // as it was billed, with the code of the region
	Product   string // line_item_product_code, or the name of the service; "" if the bill does not say
	Resource  string // line_item_resource_id of what passes traffic on: gateways, attachments, endpoints
	// Start and End are days in UTC, End is the day after the last: 2026-11-27 and 2026-11-28.
	Start, End string
}

// An Item is a sum of lines.
type Item struct {
	Key
	price.Usage
	GB    price.Amount // of 2^30 bytes, in parts of price.Whole
	Cost  price.Amount // in units of the currency, in parts of price.Whole
	Lines int
}

// Daily reports whether the item is of one day, so that it can be compared with a day of logs.
func (i *Item) Daily() bool {
	from, err := time.Parse(time.DateOnly, i.Start)
	return err == nil && from.AddDate(0, 0, 1).Format(time.DateOnly) == i.End
}

// Logged reports whether flow logs can show the traffic: what load balancers, databases and S3 are billed for by the same
// usage types is theirs, and no record of an interface has it.
func (i *Item) Logged() bool {
	switch i.Product {
	case "", "AmazonEC2", "AmazonVPC", "AWSDataTransfer", "AWSDirectConnect", "AmazonECS", "AmazonEKS":
		return true
	}
	for _, name := range []string{"EC2", "Elastic Compute Cloud", "Virtual Private Cloud", "Direct Connect", "Data Transfer", "Elastic Container Service", "Kubernetes"} {
		if strings.Contains(i.Product, name) { // Cost Explorer has names in place of codes
			return true
		}
	}
	return false
}

// New returns an empty bill.
func New() *Bill { return &Bill{items: make(map[Key]*Item), Adjusted: make(map[string]price.Amount)} }

// Currency returns the currency of all costs.
func (b *Bill) Currency() string { return cmp.Or(b.currency, "USD") }

// Items returns the sums, in order of their keys. The caller owns them.
func (b *Bill) Items() []Item {
	var items []Item
	for _, i := range b.items {
		items = append(items, *i)
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.UsageType, b.UsageType), cmp.Compare(a.Product, b.Product), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Resource, b.Resource))
	})
	return items
}

// A line is a line of a bill, as text.
type line struct {
	kind     string // of a line of a report: Usage, Credit …; "" is Usage
	region   string // that the line is of, "" if only the usage type says it
	amount   string
	unit     string
	cost     string
	currency string
	Key
}

// maxItems is the most sums that are kept: 1,000 regions and products, for 30 days, of 30 resources each.
const maxItems = 1_000_000

// add adds a line, if its usage type is one of traffic.
func (b *Bill) add(l line) error {
	usage, ok := price.UsageOf(l.UsageType)
	if !ok {
		return nil
	}
	if l.region != "" {
		usage.Region = l.region
	}
	cost, err := price.ParseDecimal(l.cost)
	if err != nil {
		return fmt.Errorf("the cost %q of %s %w", l.cost, l.UsageType, err)
	}
	if l.currency != "" && b.currency == "" {
		b.currency = l.currency
	}
	if l.currency != "" && b.currency != l.currency {
		return fmt.Errorf("costs in %s and in %s: read their bills apart", b.currency, l.currency)
	}
	switch l.kind {
	case "", "Usage", "DiscountedUsage", "SavingsPlanCoveredUsage":
	default:
		sum := b.Adjusted[l.kind]
		sum.Plus(cost)
		b.Adjusted[l.kind] = sum
		return nil
	}
	gb, err := price.ParseDecimal(l.amount)
	if err != nil {
		return fmt.Errorf("the amount %q of %s %w", l.amount, l.UsageType, err)
	}
	switch strings.ToLower(l.unit) {
	case "gb", "gigabytes", "n/a", "":
	default:
		b.note("the usage of %s is in %s, and left out", l.UsageType, l.unit)
		return nil
	}
	switch usage.Charge {
	case price.NAT, price.TGW, price.Endpoint, price.GWLBEndpoint:
	default:
		l.Resource = "" // each instance has lines of its own
	}
	item := b.items[l.Key]
	if item == nil {
		if len(b.items) == maxItems {
			return errors.New("more than a million of usage types, days and resources")
		}
		item = &Item{Key: l.Key, Usage: usage}
		b.items[l.Key] = item
	}
	item.GB.Plus(gb)
	item.Cost.Plus(cost)
	item.Lines++
	return nil
}

func (b *Bill) note(format string, args ...any) {
	const most = 20
	if text := fmt.Sprintf(format, args...); len(b.Notes) < most && !slices.Contains(b.Notes, text) {
		b.Notes = append(b.Notes, text)
	}
}

// otherCosts notes columns of cost that do not count.
func (b *Bill) otherCosts(names []string) {
	all := make(map[string]bool)
	for _, name := range append(names, b.OtherCosts...) {
		all[name] = true
	}
	b.OtherCosts = slices.Sorted(maps.Keys(all))
}

// day returns the day of a time in UTC, as bills write it: 2026-11-27, alone or with a time behind it.
func day(text string) (time.Time, error) {
	if len(text) < len(time.DateOnly) {
		return time.Time{}, fmt.Errorf("%q is no time", text)
	}
	t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time", text)
	}
	return t, nil
}

// span sets the days of a key: from that of start to that before end, at least one. Without an end it is one day.
func (k *Key) span(start, end string) error {
	from, err := day(start)
	if err != nil {
		return err
	}
	to := from.AddDate(0, 0, 1)
	if end != "" {
		last, err := day(end)
		if err != nil {
			return err
		}
		if last.After(to) {
			to = last
		}
	}
	k.Start, k.End = from.Format(time.DateOnly), to.Format(time.DateOnly)
	return nil
}

// traffic reports whether a usage type is of traffic.
func traffic(usageType string) bool {
	_, ok := price.UsageOf(usageType)
	return ok
}
