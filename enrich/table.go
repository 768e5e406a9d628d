package enrich

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A Table is a lookup table of the user: rows of text keyed by network, port, interface and so on, from CSV files or the
// output of `aws ec2 describe-…`. Call Read for each file, then Check and Lookups; lookups are safe for concurrent use.
type Table struct {
	name     string
	file     string    // the first file
	key      *tableKey // of CSV files; nil for a listing
	index    []index   // of its rows
	columns  []*tableColumn
	rows     []tableRow
	interned map[string]string // interned cell texts, so that equal ones share memory and caches
}

// A tableColumn is a column that is not the key: each becomes a field.
type tableColumn struct {
	name  string
	place string   // for errors: file, line and column of its header; "" in a listing
	cells []string // by row, "" for null; there may be fewer than rows
}

func (c *tableColumn) cell(row int32) string {
	if int(row) < len(c.cells) {
		return c.cells[row]
	}
	return ""
}

// A tableRow is the origin of a row, for errors.
type tableRow struct {
	file string
	line int // 0 in a listing
}

func (r tableRow) String() string {
	if r.line == 0 {
		return r.file
	}
	return fmt.Sprintf("%s:%d", r.file, r.line)
}

// NewTable returns an empty table. Its name becomes part of the names of its fields.
func NewTable(name string) (*Table, error) {
	if schema.CanonicalName(name) == "" {
		return nil, fmt.Errorf("%q cannot be the name of a table, since it becomes a part of the names of fields: a letter, then letters, digits and _", name)
	}
	return &Table{name: schema.CanonicalName(name), interned: make(map[string]string)}, nil
}

// Read adds the content of a file: CSV, or a listing of network interfaces or instances. Files of one table
// must have the same kind of key. file names the file in errors.
func (t *Table) Read(file string, content []byte) error {
	if t.file == "" {
		t.file = file
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return fmt.Errorf("%s:1: column 1: the file is UTF-16 text, as PowerShell writes: save it as UTF-8", file)
	}
	if start := bytes.TrimSpace(content); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return t.readListing(file, content)
	}
	return t.readCSV(file, content)
}

// A tableKey is a kind of column that can be the key of a CSV table.
type tableKey struct {
	names []string // that such a column may have, compared without _; errors offer the first two
	index func() index
}

// tableKeys lists the kinds of key that a CSV table can have.
var tableKeys = []tableKey{
	{[]string{
		"cidr", "ip", "network", "prefix", "address", "addr", "net", "cidr_block", "ip_address", "ip_addr", "ip_prefix", "ip_range", "ip_network",
		"ipv4", "ipv6", "ipv4_cidr", "ipv6_cidr", "ipv6_prefix", "private_ip", "private_ip_address", "public_ip", "public_ip_address",
	}, func() index { return new(networks) }},
	{[]string{"port", "port_number"}, func() index { return &portNumbers{rows: make(map[uint32]portRow)} }},
	{[]string{"interface_id", "eni", "interface", "eni_id", "network_interface", "network_interface_id"}, func() index { return newTexts("interface_id") }},
	{[]string{"instance_id", "instance"}, func() index { return newTexts("instance_id") }},
	{[]string{"subnet_id", "subnet"}, func() index { return newTexts("subnet_id") }},
	{[]string{"vpc_id", "vpc"}, func() index { return newTexts("vpc_id") }},
	{[]string{"account_id", "account", "aws_account", "aws_account_id"}, func() index { return newTexts("account_id") }},
	{[]string{"tgw_attachment_id", "attachment_id", "transit_gateway_attachment_id"}, func() index { return newTexts("tgw_attachment_id") }},
}

// keyNamed returns the kind of key for a column name, or nil.
func keyNamed(name string) *tableKey {
	bare := strings.ReplaceAll(name, "_", "")
	for i := range tableKeys {
		if slices.ContainsFunc(tableKeys[i].names, func(n string) bool { return strings.ReplaceAll(n, "_", "") == bare }) {
			return &tableKeys[i]
		}
	}
	return nil
}

// Note says which addresses of records have no row because several rows have them; "" if none was asked for.
func (t *Table) Note() string {
	for _, index := range t.index {
		n, ok := index.(*networks)
		if !ok || !n.doubt.asked.Load() {
			continue
		}
		what := fmt.Sprintf("%d addresses, such as %s, have several owners", n.doubt.count, n.doubt.first)
		if n.doubt.count == 1 {
			what = n.doubt.first + " has several owners"
		}
		return fmt.Sprintf("table %s: %s in its files, and so no columns: an inventory tells them apart by VPC and time", t.name, what)
	}
	return ""
}

// Name is the table's name.
func (t *Table) Name() string { return t.name }

// Check returns an error if the name of a field is in use elsewhere: taken says for what, or returns "".
func (t *Table) Check(taken func(field string) string) error {
	for _, l := range t.lookups() {
		what := taken(l.Name)
		switch {
		case what == "":
		case l.place == "":
			return &schema.OptionError{Option: "table", Subject: true, Err: fmt.Errorf("%s=%s: it would give the field %s, which is %s: give the table another name, such as %ss", t.name, t.file, l.Name, what, t.name)}
		case l.Name != l.column:
			return fmt.Errorf("%s: it would give the field %s, which is %s: rename the column, or give the table another name", l.place, l.Name, what)
		default:
			return fmt.Errorf("%s: it would give the field %s, which is %s: rename the column, to %s_%s for example", l.place, l.Name, what, t.name, l.column)
		}
	}
	return nil
}

// Lookups returns the lookups of all its fields.
func (t *Table) Lookups() []Lookup {
	var lookups []Lookup
	for _, l := range t.lookups() {
		lookups = append(lookups, l.Lookup)
	}
	return lookups
}

type tableLookup struct {
	Lookup
	column, place string
}

func (t *Table) lookups() []tableLookup {
	var lookups []tableLookup
	for _, index := range t.index {
		for _, join := range index.joins(t.name) {
			for _, column := range t.columns {
				f := schema.Field{
					Name: join.prefix + column.name, Kind: schema.Text, From: join.from,
					Doc: fmt.Sprintf("%s of %s, in the table %s", column.name, join.doc, t.name),
				}
				lookups = append(lookups, tableLookup{Lookup{Field: f, Append: func(out *schema.Column, in []arrow.Array, row int) {
					if found := join.find(in, row); found < 0 || column.cell(found) == "" {
						out.Null()
					} else {
						out.Text(column.cell(found))
					}
				}}, column.name, column.place})
			}
		}
	}
	return lookups
}

// column returns the named column, and adds it if it does not exist.
func (t *Table) column(name, place string) *tableColumn {
	i := slices.IndexFunc(t.columns, func(c *tableColumn) bool { return c.name == name })
	if i < 0 {
		i = len(t.columns)
		t.columns = append(t.columns, &tableColumn{name: name, place: place})
	}
	return t.columns[i]
}

// row adds a row and returns its number.
func (t *Table) row(file string, line int) int32 {
	t.rows = append(t.rows, tableRow{file, line})
	return int32(len(t.rows) - 1)
}

// setBits sets a cell of the last row.
func (t *Table) set(c *tableColumn, text string) {
	if text == "" {
		return
	}
	word, ok := t.interned[text]
	if !ok {
		word = strings.Clone(text)
		t.interned[word] = word
	}
	c.cells = append(c.cells, make([]string, len(t.rows)-len(c.cells))...)
	c.cells[len(t.rows)-1] = word
}

// same reports whether two rows are equal.
func (t *Table) same(a, b int32) bool {
	return !slices.ContainsFunc(t.columns, func(c *tableColumn) bool { return c.cell(a) != c.cell(b) })
}
