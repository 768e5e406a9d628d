package parse

import (
	"unicode/utf8"

	"flowlog/parse/schema"
)

// A record of text, CSV or JSON is malformed or not whatever is read of it: values of columns that nobody reads are
// checked too. The columns here are those; they are empty but while a value is checked.

// binding is which columns the tokens of a layout go to.
type binding struct {
	cols   []*schema.Column // nil where nobody reads the token
	unread []*schema.Column // by which such a token is checked; nil where there is nothing to check
	checks []check          // of unread, for whole blocks
}

// A check is of neighbouring columns that nobody reads: one of addresses, or numbers that are looked at together.
type check struct {
	from int // the position of the first in the layout
	cols []*schema.Column
	rows func(data []byte, seps []int32, stride, rows int) int // how many rows from the first one on are surely valid
}

// bind returns the columns for the tokens of a layout.
func (w *worker) bind(l *layout) *binding {
	if b, ok := w.bound[l]; ok {
		return b
	}
	b := &binding{cols: make([]*schema.Column, len(l.names)), unread: make([]*schema.Column, len(l.names))}
	seen := map[string]bool{"": true}
	for i, name := range l.names {
		if seen[name] { // of two the first counts
			continue
		}
		seen[name] = true
		if b.cols[i] = w.column(name); b.cols[i] == nil {
			b.unread[i] = unreadColumn(name)
		}
	}
	b.checks = checksOf(b.unread)
	if len(w.bound) >= maxNames { // an input can have a new header on each line
		clear(w.bound)
	}
	w.bound[l] = b
	return b
}

// unreadColumn returns the column by which values of a name are checked that nobody reads.
func unreadColumn(name string) *schema.Column {
	f, ok := schema.LoggedField(name)
	if !ok {
		f = schema.Field{Name: name, Kind: schema.Text}
	}
	return schema.NewColumn(f)
}

// checksOf groups the columns that are checked in whole blocks. Text needs none: the block is UTF-8.
func checksOf(unread []*schema.Column) []check {
	var checks []check
	for i := 0; i < len(unread); i++ {
		c := unread[i]
		switch {
		case c == nil || c.Kind == schema.Text:
			continue
		case c.Kind == schema.Addr:
			checks = append(checks, check{i, unread[i : i+1], validAddrs})
		default:
			to := i + 1
			for to < len(unread) && to-i < maxTogether && unread[to] != nil && together(c, unread[to]) {
				to++
			}
			checks = append(checks, check{i, unread[i:to], numbersOf(unread[i:to])})
			i = to - 1
		}
	}
	return checks
}

// maxTogether is how many columns of numbers are looked at together.
const maxTogether = 4

// isShort reports whether the numbers of a column are so small that their value must be looked at.
func isShort(c *schema.Column) bool { return c.Kind == schema.Int32 && c.Max < 1e8 }

// together reports whether two columns of numbers are checked in the same way.
func together(a, b *schema.Column) bool {
	number := b.Kind == schema.Int32 || b.Kind == schema.Int64 || b.Kind == schema.Time
	return number && isShort(a) == isShort(b)
}

// maxDigits is how many digits a number of the column can have whatever they are.
func maxDigits(c *schema.Column) int {
	switch c.Kind {
	case schema.Int32:
		return 9
	case schema.Time:
		return 11
	case schema.Int64:
		return 18
	}
	return 0
}

// valid reports whether all values of a block that is regular are valid in the columns that nobody reads.
func (b *binding) valid(data []byte, seps []int32, rows int, ascii bool) bool {
	if !ascii && !utf8.Valid(data) {
		return false
	}
	stride := len(b.cols)
	for _, check := range b.checks {
		for r := 0; r < rows; r++ {
			if r += check.rows(data, seps[r*stride+check.from:], stride, rows-r); r == rows {
				break
			}
			for i, c := range check.cols {
				at := seps[r*stride+check.from+i:]
				if c.CheckEscaped(data[at[0]+1:at[1]]) != schema.Valid {
					return false
				}
			}
		}
	}
	return true
}

// validAddrsPortable is validAddrs in plain Go.
func validAddrsPortable(data []byte, seps []int32, stride, rows int) int {
	for r := range rows {
		if _, ok := shortAddr(data, int(seps[r*stride])+1, int(seps[r*stride+1])); !ok {
			return r
		}
	}
	return rows
}

// numbersPortable is numbersOf in plain Go.
func numbersPortable(cols []*schema.Column) func(data []byte, seps []int32, stride, rows int) int {
	return func(data []byte, seps []int32, stride, rows int) int {
		for r := range rows {
			for i, c := range cols {
				v, ok := shortInt(data, int(seps[r*stride+i])+1, int(seps[r*stride+i+1]))
				if !ok || c.Kind == schema.Int32 && v > uint64(c.Max) {
					return r
				}
			}
		}
		return rows
	}
}
