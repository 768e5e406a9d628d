package price

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxYAML is the most bytes that a file of prices in YAML has: prices of a hundred regions are 40 KB.
const maxYAML = 1 << 20

// maxWrong is how many errors of a file are told.
const maxWrong = 20

// ReadYAML reads a file of prices in YAML, as YAML writes it. name is for errors, which have the line and column and are
// joined. What the file does not say is not in the book.
func ReadYAML(name string, text []byte) (*Book, error) {
	root, err := yamlRoot(name, text)
	if err != nil {
		return nil, err
	}
	r := &yamlReader{name: name, book: newBook()}
	if root != nil {
		r.document(root)
	}
	if r.errs != nil {
		return nil, errors.Join(r.errs...)
	}
	for _, l := range r.book.Regions {
		for c := range l.priced().All {
			l.Source[c] = Source{name, r.date}
		}
	}
	return r.book, nil
}

// yamlRoot parses the one document of a text.
func yamlRoot(name string, text []byte) (*yaml.Node, error) {
	unprintable := func(r rune) bool {
		return r == utf8.RuneError || r < ' ' && !strings.ContainsRune("\t\r\n", r) || r == 0x7f
	}
	if at := bytes.IndexFunc(text, unprintable); at >= 0 {
		line := bytes.LastIndexByte(text[:at], '\n') + 1
		return nil, fmt.Errorf("%s:%d:%d: is no text in UTF-8", name, 1+bytes.Count(text[:at], []byte{'\n'}), 1+utf8.RuneCount(text[line:at]))
	}
	load, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	if err = load.Load(&doc); err == nil {
		if err = load.Load(&second); err == nil {
			return nil, fmt.Errorf("%s:%d:%d: a second document begins: one file is one document", name, second.Line, second.Column)
		}
	}
	var wrong *yaml.LoadError
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("%s:%d:%d: %s", name, wrong.Mark.Line, wrong.Mark.Column, wrong.Message)
	case err != io.EOF:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(doc.Content) == 0 || isNull(doc.Content[0]):
		return nil, nil
	}
	return doc.Content[0], nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// A yamlReader makes a book of a tree. It goes on after an error, up to maxWrong of them.
type yamlReader struct {
	name string
	date string
	book *Book
	errs []error
}

func (r *yamlReader) fail(n *yaml.Node, format string, args ...any) {
	if len(r.errs) < maxWrong {
		r.errs = append(r.errs, fmt.Errorf("%s:%d:%d: %s", r.name, n.Line, n.Column, fmt.Sprintf(format, args...)))
	}
}

// entries yields the entries of a mapping, which what names.
func (r *yamlReader) entries(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.fail(n, "%s is written as names with values, as in name: value", what)
			return
		}
		lines := make(map[string]int)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch {
			case key.Kind != yaml.ScalarNode || len(key.Value) > 100:
				r.fail(key, "a name is a word")
			case lines[key.Value] != 0:
				r.fail(key, "%s stands here a second time, after line %d", key.Value, lines[key.Value])
			default:
				lines[key.Value] = key.Line
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

// word returns the text of a scalar, false if the node is none.
func (r *yamlReader) word(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Style&yaml.TaggedStyle != 0 {
		r.fail(n, "%s has one value", what)
		return "", false
	}
	return n.Value, true
}

// oneOf returns the index of a scalar's text among words, or -1 after an error.
func (r *yamlReader) oneOf(n *yaml.Node, what string, words []string) int {
	text, ok := r.word(n, what)
	if !ok {
		return -1
	}
	i := slices.Index(words, text)
	if i < 0 {
		r.fail(n, "%s is %s, not %q", what, strings.Join(words, " or "), text)
	}
	return i
}

var (
	regionName   = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	dateText     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	currencyName = regexp.MustCompile(`^[A-Z]{3}$`)
	kindName     = regexp.MustCompile(`^[a-z0-9_-]{1,60}$`)
)

func (r *yamlReader) document(root *yaml.Node) {
	for key, value := range r.entries(root, "a file of prices") {
		switch {
		case key.Value == "date":
			if text, ok := r.word(value, "date"); ok && !dateText.MatchString(text) {
				r.fail(value, "a date is written as in 2026-08-17, not %q", text)
			} else if ok {
				r.date = text
			}
		case key.Value == "discount":
			r.discounts(value)
		case key.Value == "sides":
			r.sides(value)
		case key.Value == "virtual_private_gateway":
			if i := r.oneOf(value, key.Value, []string{DX.String(), VPN.String()}); i >= 0 {
				r.book.Private = []Charge{DX, VPN}[i]
			}
		case regionName.MatchString(key.Value):
			r.region(key, value)
		default:
			r.fail(key, "%q is no region, such as us-east-1, and none of date, discount, sides, virtual_private_gateway", key.Value)
		}
	}
}

func (r *yamlReader) discounts(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		r.book.Discounts[Unknown] = r.discount(n)
		return
	}
	for key, value := range r.entries(n, "discount") {
		c, ok := ChargeNamed(key.Value)
		switch {
		case key.Value == "default":
			c = Unknown
		case !ok:
			r.fail(key, "discount: %s", notACharge(key.Value))
			continue
		}
		r.book.Discounts[c] = r.discount(value)
	}
}

// discount reads a factor.
func (r *yamlReader) discount(n *yaml.Node) Price {
	text, ok := r.word(n, "discount")
	if !ok {
		return 0
	}
	p, err := ParsePrice(text)
	if err != nil || p <= 0 || p > Whole {
		r.fail(n, "a discount is the factor of what is left, above 0 and at most 1, as in 0.93; not %q", text)
		return 0
	}
	return p
}

func (r *yamlReader) sides(n *yaml.Node) {
	for key, value := range r.entries(n, "sides") {
		if !kindName.MatchString(key.Value) {
			r.fail(key, "%q is no type of interface, such as network_load_balancer", key.Value)
		} else if i := r.oneOf(value, "the side of "+key.Value, sideNames[:]); i >= 0 {
			r.book.Sides[key.Value] = Side(i)
		}
	}
}

func notACharge(name string) string {
	return fmt.Sprintf("%q is no charge with a price: these are %s", name, strings.Join(Names()[:Priced], ", "))
}

func (r *yamlReader) region(key, n *yaml.Node) {
	l := r.book.local(key.Value)
	for key, value := range r.entries(n, "the region "+key.Value) {
		c, ok := ChargeNamed(key.Value)
		switch {
		case ok && c == Region && value.Kind == yaml.MappingNode:
			r.regionPrices(l, value)
		case ok:
			l.Tiers[c] = r.tiers(value, key.Value)
		case key.Value == "currency":
			if text, ok := r.word(value, "currency"); ok && !currencyName.MatchString(text) {
				r.fail(value, "a currency is three letters, such as USD or CNY, not %q", text)
			} else if ok {
				l.Currency = text
			}
		case key.Value == "hours":
			r.hours(l, value)
		case key.Value == "assumed":
			r.assumed(l, value)
		default:
			r.fail(key, "%s; or currency, hours, assumed", notACharge(key.Value))
		}
	}
	if extra := l.Assumed &^ l.priced(); extra != 0 {
		r.fail(n, "assumed names %s, which has no price here", extra)
	}
}

// regionPrices reads prices of Region by destination.
func (r *yamlReader) regionPrices(l *Local, n *yaml.Node) {
	l.To = make(map[string]Price)
	for key, value := range r.entries(n, "region") {
		switch p, ok := r.price(value, key.Value); {
		case !ok:
		case key.Value == "default":
			l.Tiers[Region] = []Tier{{Price: p}}
		case regionName.MatchString(key.Value):
			l.To[key.Value] = p
		default:
			r.fail(key, "%q is neither default nor a region, such as us-east-2", key.Value)
		}
	}
	if l.Tiers[Region] == nil && r.errs == nil {
		r.fail(n, "region has no default, for regions that are not named")
	}
}

func (r *yamlReader) hours(l *Local, n *yaml.Node) {
	var names []string
	for _, h := range hourly {
		names = append(names, h.name)
	}
	for key, value := range r.entries(n, "hours") {
		if !slices.Contains(names, key.Value) {
			r.fail(key, "hours are of %s, not of %q", strings.Join(names, ", "), key.Value)
		} else if p, ok := r.price(value, key.Value); ok {
			l.Hours[key.Value] = p
		}
	}
}

func (r *yamlReader) assumed(l *Local, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "assumed is a list of charges, as in [tgw, endpoint]")
		return
	}
	for _, item := range n.Content {
		if c, ok := ChargeNamed(item.Value); ok && item.Kind == yaml.ScalarNode {
			l.Assumed |= Of(c)
		} else {
			r.fail(item, "assumed: %s", notACharge(item.Value))
		}
	}
}

func (r *yamlReader) price(n *yaml.Node, what string) (Price, bool) {
	text, ok := r.word(n, what)
	if !ok {
		return 0, false
	}
	p, err := ParsePrice(text)
	if err != nil {
		r.fail(n, "%s: %q %s", what, text, err)
	}
	return p, err == nil
}

// tiers reads one price, or a list of tiers.
func (r *yamlReader) tiers(n *yaml.Node, what string) []Tier {
	if n.Kind != yaml.SequenceNode {
		if p, ok := r.price(n, what); ok {
			return []Tier{{Price: p}}
		}
		return nil
	}
	var tiers []Tier
	for _, item := range n.Content {
		t, last := Tier{Price: -1}, int64(0)
		if len(tiers) > 0 {
			last = tiers[len(tiers)-1].UpTo
			if last == 0 {
				r.fail(item, "%s: a tier after the one without up_to_gb", what)
				return nil
			}
		}
		for key, value := range r.entries(item, "a tier of "+what) {
			switch key.Value {
			case "price":
				t.Price, _ = r.price(value, what)
			case "up_to_gb":
				gb, err := strconv.ParseInt(value.Value, 10, 64)
				if err != nil || gb <= last || value.Kind != yaml.ScalarNode {
					r.fail(value, "%s: up_to_gb counts from the first GB of the month and ascends: %q is not more than %d", what, value.Value, last)
				}
				t.UpTo = gb
			default:
				r.fail(key, "a tier has up_to_gb and price, not %q", key.Value)
			}
		}
		if t.Price < 0 {
			r.fail(item, "%s: a tier without a price", what)
		}
		tiers = append(tiers, t)
	}
	if len(tiers) == 0 || tiers[len(tiers)-1].UpTo != 0 {
		r.fail(n, "%s: the last tier has no end: leave its up_to_gb out", what)
		return nil
	}
	return tiers
}
