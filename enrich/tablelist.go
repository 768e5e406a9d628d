package enrich

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/enrich/list"
	"flowlog/parse/schema"
)

// A membership is what a table by address says of an address that is in it: the text of the field named like the table.
type membership struct {
	lists []string    // the files that are lists without titles of the user's own
	label tableColumn // what the list says of the row
	files tableColumn // the lists that the row is in
}

// member is the text of the field for addresses that are in a table that is no list, or in a list without labels.
const member = "true"

// text is the text of a row: the names of its lists if the table has several, or else the label.
func (m *membership) text(row int32) string {
	text := m.label.cell(row)
	if len(m.lists) > 1 {
		text = m.files.cell(row)
	}
	if text == "" {
		return member
	}
	return text
}

// readList adds a list of addresses. Rows of one address become one: lists repeat addresses, with other cells.
func (t *Table) readList(file string, l *list.List) error {
	if t.key != nil && t.key != &tableKeys[0] || t.key == nil && t.index != nil {
		return fmt.Errorf("%s:1: column 1: all files of a table must have the same kind of key, and this is a list of addresses: give it another name", file)
	}
	if t.key == nil {
		t.key = &tableKeys[0]
		t.index = []index{t.key.index()}
	}
	if note := l.Note(file); note != "" {
		t.notes = append(t.notes, note)
	}
	t.member.lists = append(t.member.lists, file)
	columns := t.listColumns(file, l.Columns)
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	networks := t.index[0].(*networks)
	for _, e := range l.Entries {
		prefixes, err := listNetworks(e.Value)
		if err != nil {
			return fmt.Errorf("%s:%d: column 1: %w", file, e.Line, err)
		}
		for _, p := range prefixes {
			row := networks.listed(p, e.Port)
			if row == noRow {
				row = t.row(file, e.Line)
				networks.list(p, e.Port, row)
			}
			for i, cell := range e.Cells {
				t.join(columns[i], row, cell)
			}
			t.join(&t.member.label, row, e.Label)
			t.join(&t.member.files, row, name)
		}
	}
	return nil
}

// listColumns returns the columns for the titles of a list. Titles that are none for a field get a number.
func (t *Table) listColumns(file string, titles []string) []*tableColumn {
	used := make(map[string]bool)
	var columns []*tableColumn
	for i, title := range titles {
		name := fieldName(title)
		if name == "" || used[name] {
			name = "column_" + strconv.Itoa(i+1)
		}
		used[name] = true
		columns = append(columns, t.column(name, file+":1: column "+strconv.Itoa(i+1)))
	}
	return columns
}

// listNetworks reads a value of a list: an address, a network, or a range, which is several networks.
func listNetworks(value string) ([]netip.Prefix, error) {
	from, to, isRange := strings.Cut(value, "..")
	if !isRange {
		p, err := parseNetwork(value)
		return []netip.Prefix{p}, err
	}
	first, err1 := netip.ParseAddr(from)
	last, err2 := netip.ParseAddr(to)
	first, last = first.Unmap(), last.Unmap()
	if err1 != nil || err2 != nil || first.BitLen() != last.BitLen() || last.Less(first) || first.Zone()+last.Zone() != "" {
		return nil, fmt.Errorf("%q is not a range of addresses: write 10.0.0.1..10.0.0.9", value)
	}
	var prefixes []netip.Prefix
	for {
		p := netip.PrefixFrom(first, first.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(first, p.Bits()-1)
			if wider.Masked().Addr() != first || last.Less(lastOf(wider)) {
				break
			}
			p = wider
		}
		prefixes = append(prefixes, p)
		end := lastOf(p)
		if end == last {
			return prefixes, nil
		}
		first = end.Next()
	}
}

// lastOf returns the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// between stands between the different cells of the rows that became one.
const between = "; "

// join adds a text to a cell of a row, unless it is there.
func (t *Table) join(c *tableColumn, row int32, text string) {
	before := c.cell(row)
	switch {
	case text == "" || text == "-" || before == text:
		return
	case before == "":
	case strings.Contains(between+before+between, between+text+between) || len(before) > maxJoined:
		return
	default:
		text = before + between + text
	}
	t.put(c, row, text)
}

// maxJoined is how long a cell is at most before further texts are left out: an address may be on a list a thousand times.
const maxJoined = 1000

// memberLookups returns the lookups that say whether an address is in the table.
func (t *Table) memberLookups(n *networks) []tableLookup {
	var lookups []tableLookup
	for _, join := range n.joins(t.name) {
		what := "true"
		if len(t.member.lists) > 1 {
			what = "the lists"
		} else if len(t.member.lists) == 1 {
			what = "what the list says, or true"
		}
		f := schema.Field{
			Name: strings.TrimSuffix(join.prefix, "_"), Kind: schema.Text, From: join.from,
			Doc: fmt.Sprintf("%s if %s is in the table %s", what, join.doc, t.name),
		}
		lookups = append(lookups, tableLookup{Lookup: Lookup{Field: f, Append: func(out *schema.Column, in []arrow.Array, row int) {
			if found := join.find(in, row); found < 0 {
				out.Null()
			} else {
				out.Text(t.member.text(found))
			}
		}}})
	}
	return lookups
}
