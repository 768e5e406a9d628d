package price

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// YAML returns the book as a file of prices, which ReadYAML reads as the same book. regions are those that it has.
func (b *Book) YAML(regions []string) string {
	var w strings.Builder
	w.WriteString("# Prices of traffic, per GB of 2^30 bytes in USD unless a region says its currency. up_to_gb counts from the\n" +
		"# first GB of a month. Hours of an endpoint are for each zone, those of tgw for each attachment. assumed: a guess.\n")
	if date := b.Date(regions); date != "" {
		fmt.Fprintf(&w, "date: %s\n", date)
	}
	b.printDiscounts(&w)
	if len(b.Sides) > 0 {
		w.WriteString("sides:\n")
		for _, kind := range slices.Sorted(maps.Keys(b.Sides)) {
			fmt.Fprintf(&w, "  %s: %s\n", kind, b.Sides[kind])
		}
	}
	if b.Private != Unknown {
		fmt.Fprintf(&w, "virtual_private_gateway: %s\n", b.Private)
	}
	for _, name := range regions {
		if l := b.Regions[name]; l != nil {
			fmt.Fprintf(&w, "%s:\n", name)
			l.print(&w)
		}
	}
	return w.String()
}

// Date returns the date of the oldest list that the prices of some regions are from, "" if none has a date.
func (b *Book) Date(regions []string) string {
	oldest := ""
	for _, name := range regions {
		l := b.Regions[name]
		if l == nil {
			continue
		}
		for c := range l.priced().All {
			if d := l.Source[c].Date; d != "" && (oldest == "" || d < oldest) {
				oldest = d
			}
		}
	}
	return oldest
}

// printDiscounts prints the factors, which have as many decimals as prices.
func (b *Book) printDiscounts(w *strings.Builder) {
	var parts []string
	if all := b.Discounts[Unknown]; all != 0 {
		parts = append(parts, fmt.Sprintf("default: %s", all))
	}
	for c := range Priced {
		if d := b.Discounts[c]; d != 0 {
			parts = append(parts, fmt.Sprintf("%s: %s", Charge(c), d))
		}
	}
	if parts != nil {
		fmt.Fprintf(w, "discount: {%s}\n", strings.Join(parts, ", "))
	}
}

func (l *Local) print(w *strings.Builder) {
	if l.Currency != "USD" {
		fmt.Fprintf(w, "  currency: %s\n", l.Currency)
	}
	for c := range l.priced().All {
		fmt.Fprintf(w, "  %s: %s\n", c, l.text(c))
	}
	var hours []string
	for _, h := range hourly {
		if p, ok := l.Hours[h.name]; ok {
			hours = append(hours, fmt.Sprintf("%s: %s", h.name, p))
		}
	}
	if hours != nil {
		fmt.Fprintf(w, "  hours: {%s}\n", strings.Join(hours, ", "))
	}
	if l.Assumed != 0 {
		fmt.Fprintf(w, "  assumed: [%s]\n", strings.ReplaceAll(l.Assumed.String(), "+", ", "))
	}
}

// text returns the prices of a charge as YAML.
func (l *Local) text(c Charge) string {
	tiers := l.Tiers[c]
	if c == Region && len(l.To) > 0 {
		parts := []string{"default: " + tiers[0].Price.String()}
		for _, to := range slices.Sorted(maps.Keys(l.To)) {
			parts = append(parts, to+": "+l.To[to].String())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	if len(tiers) == 1 {
		return tiers[0].Price.String()
	}
	var parts []string
	for _, t := range tiers {
		if t.UpTo == 0 {
			parts = append(parts, fmt.Sprintf("{price: %s}", t.Price))
		} else {
			parts = append(parts, fmt.Sprintf("{up_to_gb: %d, price: %s}", t.UpTo, t.Price))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
