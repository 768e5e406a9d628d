package enrich

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/dustin/go-humanize"

	"flowlog/enrich/list"
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
	member   membership        // of a table by address
	notes    []string          // what was left out
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

// Read adds the content of a file: CSV, a listing that AWS's CLI printed, or a list of addresses in one of the forms of
// package list. The form is told by the content. Files of one table must have the same kind of key. file names the file in
// errors.
func (t *Table) Read(file string, content []byte) error {
	if t.file == "" {
		t.file = file
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return fmt.Errorf("%s:1: column 1: the file is UTF-16 text, as PowerShell writes: save it as UTF-8", file)
	}
	start := bytes.TrimSpace(content)
	isJSON := len(start) > 0 && (start[0] == '{' || start[0] == '[')
	if isJSON && isListing(start) {
		return t.readListing(file, content)
	}
	if isJSON || !slices.ContainsFunc(list.Titles(content), func(title string) bool { return keyNamed(fieldName(title)) != nil }) {
		l, err := list.Detect(file, content)
		if l == nil && err == nil && !isJSON {
			l, err = list.Plain(file, content)
		}
		if err != nil {
			return err
		}
		if l != nil {
			return t.readList(file, l)
		}
	}
	if isJSON {
		return t.readListing(file, content)
	}
	return t.readCSV(file, content)
}

// Notes returns what of the files is not in the table, or not said, a line each.
func (t *Table) Notes() []string {
	notes := slices.Clone(t.notes)
	for _, index := range t.index {
		if n, ok := index.(*networks); ok && n.shared > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s: %s in several VPCs or of several owners (such as %s): fields by address are null for these", t.name, t.file, sharedBy(n.shared), n.firstShared))
		}
	}
	return notes
}

func sharedBy(n int) string {
	if n == 1 {
		return "1 address or network is"
	}
	return humanize.Comma(int64(n)) + " addresses and networks are"
}

// A tableKey is a kind of column that can be the key of a CSV table.
type tableKey struct {
	names []string // that such a column may have, compared without _; errors offer the first two
	index func() index
}

// tableKeys lists the kinds of key that a CSV table can have.
var tableKeys = []tableKey{
	{list.Addresses, func() index { return new(networks) }},
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
		if n, ok := index.(*networks); ok {
			lookups = append(lookups, t.memberLookups(n)...)
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

// set sets a cell of the last row.
func (t *Table) set(c *tableColumn, text string) { t.put(c, int32(len(t.rows)-1), text) }

// put sets a cell of a row.
func (t *Table) put(c *tableColumn, row int32, text string) {
	if text == "" {
		return
	}
	word, ok := t.interned[text]
	if !ok {
		word = strings.Clone(text)
		t.interned[word] = word
	}
	c.cells = append(c.cells, make([]string, max(int(row)+1-len(c.cells), 0))...)
	c.cells[row] = word
}

// same reports whether two rows are equal.
func (t *Table) same(a, b int32) bool {
	return !slices.ContainsFunc(t.columns, func(c *tableColumn) bool { return c.cell(a) != c.cell(b) })
}
