package parse

import (
	"unicode/utf8"

	"flowlog/parse/schema"
)

// A record of text, CSV or JSON is malformed or not independently of the columns that are read: values of the other columns
// are validated too, by the columns here, which stay empty.

// A binding says which columns the tokens of a layout go to.
type binding struct {
	cols   []*schema.Column // nil where the token is not read
	unread []*schema.Column // validates a token that is not read; nil where there is nothing to validate
	checks []check          // of unread, by whole blocks
}

// A check validates neighbouring columns that are not read: one of addresses, or several of numbers at once.
type check struct {
	from int // the position of the first in the layout
	cols []*schema.Column
	rows func(data []byte, seps []int32, stride, rows int) int // number of rows, from the first one on, that are certainly valid
}

// bind returns the binding of a layout.
func (w *worker) bind(l *layout) *binding {
	if b, ok := w.bound[l]; ok {
		return b
	}
	b := &binding{cols: make([]*schema.Column, len(l.names)), unread: make([]*schema.Column, len(l.names))}
	seen := map[string]bool{"": true}
	for i, name := range l.names {
		if seen[name] { // the first of two counts
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

// unreadColumn returns a column that validates the values of a name without collecting them.
func unreadColumn(name string) *schema.Column {
	f, ok := schema.LoggedField(name)
	if !ok {
		f = schema.Field{Name: name, Kind: schema.Text}
	}
	return schema.NewColumn(f)
}

// checksOf groups the columns that are validated in whole blocks. Text needs no check beside that the block is UTF-8.
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

// maxTogether is the largest number of columns of numbers that one check validates.
const maxTogether = 4

// isShort reports whether the maximum of a column is so small that a check must look at the value, not only at the digits.
func isShort(c *schema.Column) bool { return c.Kind == schema.Int32 && c.Max < 1e8 }

// together reports whether one check can validate both columns of numbers.
func together(a, b *schema.Column) bool {
	number := b.Kind == schema.Int32 || b.Kind == schema.Int64 || b.Kind == schema.Time
	return number && isShort(a) == isShort(b)
}

// maxDigits is the number of digits up to which every number fits the column.
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

// valid reports whether all values of a regular block are valid in the columns that are not read.
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
