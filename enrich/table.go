package enrich

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/gaissmai/bart"

	"flowlog/parse/schema"
)

// A Table is a table of the user's own: rows of text about networks, ports, interfaces and so on. It comes
// from CSV files, or from what `aws ec2 describe-…` said. Read is called for each file, then Check and
// Lookups; these run from any number of goroutines at once.
type Table struct {
	name    string
	file    string    // the first
	key     *tableKey // of CSV files; nil for a listing of AWS's
	index   []index   // the ways to its rows
	columns []*tableColumn
	rows    []tableRow
	words   map[string]string // each text of a cell once: the fewer there are, the more of them a cache holds
}

// A tableColumn is what the table says of its keys.
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

// A tableRow is where a row comes from, for errors.
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

// NewTable returns an empty table. Its name becomes a part of the names of fields.
func NewTable(name string) (*Table, error) {
	if schema.CanonicalName(name) == "" {
		return nil, fmt.Errorf("%q cannot be the name of a table, since it becomes a part of the names of fields: a letter, then letters, digits and _", name)
	}
	return &Table{name: schema.CanonicalName(name), words: make(map[string]string)}, nil
}

// Read adds the content of a file: CSV, or a listing of network interfaces or instances. Files of one table
// must have the same kind of key. The name of the file is for errors.
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

// none is the row of what is not in a table.
const none int32 = -1

// An index finds the row that is about a value of some fields.
type index interface {
	// add says that a row is about what key names. If another row is, it returns the first such row, or else
	// none. The error says how to mend the key.
	add(key string, row int32) (before int32, err error)
	// ways says which fields the values are in. It is called after all rows were added.
	ways(table string) []way
}

// A way is one of the uses of an index.
type way struct {
	prefix string   // of the fields that come of it; a column's name follows
	from   []string // fields that hold the value
	doc    string   // names those
	find   func(in []arrow.Array, row int) int32
}

// A tableKey is a kind of column that can be the key of a CSV table.
type tableKey struct {
	names []string // that such a column may have, compared without _; errors offer the first two
	index func() index
}

// tableKeys lists what a table can be about.
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

// keyNamed returns the kind of key that a column of this name is, or nil.
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

// Check returns an error if a field of the table has a name that is used for something else, which taken
// says, or "".
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
		for _, way := range index.ways(t.name) {
			for _, column := range t.columns {
				f := schema.Field{
					Name: way.prefix + column.name, Kind: schema.Text, From: way.from,
					Doc: fmt.Sprintf("%s of %s, in the table %s", column.name, way.doc, t.name),
				}
				lookups = append(lookups, tableLookup{Lookup{f, func(out *schema.Column, in []arrow.Array, row int) {
					if found := way.find(in, row); found < 0 || column.cell(found) == "" {
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

// column returns the named column, which it adds if need be.
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
func (t *Table) set(c *tableColumn, text string) {
	if text == "" {
		return
	}
	word, ok := t.words[text]
	if !ok {
		word = strings.Clone(text)
		t.words[word] = word
	}
	c.cells = append(c.cells, make([]string, len(t.rows)-len(c.cells))...)
	c.cells[len(t.rows)-1] = word
}

// same reports whether two rows say the same.
func (t *Table) same(a, b int32) bool {
	return !slices.ContainsFunc(t.columns, func(c *tableColumn) bool { return c.cell(a) != c.cell(b) })
}

// networks finds rows by an address: the longest prefix that it is in counts.
type networks struct{ trie bart.Fast[int32] }

func (n *networks) add(key string, row int32) (int32, error) {
	p, err := parseNetwork(key)
	if err != nil {
		return none, err
	}
	if before, ok := n.trie.Get(p); ok {
		return before, nil
	}
	n.trie.Insert(p, row)
	return none, nil
}

func (n *networks) ways(table string) []way {
	var ways []way
	for _, side := range sides {
		ways = append(ways, way{side.prefix + "_" + table + "_", side.addrs, side.addrDoc, n.find})
	}
	return ways
}

func (n *networks) find(in []arrow.Array, row int) int32 {
	if a, ok := address(in, row); ok {
		if found, ok := n.trie.Lookup(a); ok {
			return found
		}
	}
	return none
}

// parseNetwork reads a network, or an address, which is the network of itself. IPv4 in IPv6 is IPv4, as in
// records.
func parseNetwork(s string) (netip.Prefix, error) {
	const forms = "write 10.0.0.0/8, 10.0.0.1, 2001:db8::/32 or 2001:db8::1"
	var p netip.Prefix
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		p = netip.PrefixFrom(a, a.BitLen())
	} else if p, err = netip.ParsePrefix(s); err != nil {
		return p, fmt.Errorf("%q is not a network or an address: %s", s, forms)
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if m := p.Masked(); m != p {
		return p, fmt.Errorf("%q has bits set behind the first %d: write %s for the network, or %s for the one address", s, p.Bits(), m, p.Addr())
	}
	return p, nil
}

// texts finds rows by the text in a logged field.
type texts struct {
	fields []string // the first that is in the table counts
	rows   map[string]int32
}

func newTexts(fields ...string) *texts { return &texts{fields, make(map[string]int32)} }

func (x *texts) add(key string, row int32) (int32, error) {
	field := x.fields[0]
	if _, err := parseNetwork(key); err == nil {
		return none, fmt.Errorf("%q is an address or a network, which %s never is: call the column cidr", key, field)
	}
	if field == "account_id" {
		digits := strings.ReplaceAll(key, "-", "")
		if _, err := strconv.ParseUint(digits, 10, 64); err != nil && key != "unknown" || len(digits) > 12 {
			return none, fmt.Errorf("%q is not an account, which has 12 digits: in a spreadsheet, format the column as text", key)
		} else if err == nil {
			key = strings.Repeat("0", 12-len(digits)) + digits // which spreadsheets drop
		}
	}
	if before, ok := x.rows[key]; ok {
		return before, nil
	}
	x.rows[key] = row
	return none, nil
}

func (x *texts) ways(string) []way {
	return []way{{"", x.fields, strings.Join(x.fields, ", or else "), x.find}}
}

func (x *texts) find(in []arrow.Array, row int) int32 {
	for _, a := range in {
		if key, ok := word(a, row); ok {
			if found, ok := x.rows[key]; ok {
				return found
			}
		}
	}
	return none
}

// portNumbers finds rows by a port, of one protocol or of any. The narrowest range of ports counts.
type portNumbers struct {
	rows      map[uint32]portRow
	protocols bool // some row is about one protocol
}

type portRow struct {
	row   int32
	width int // of the range that the port was in
}

// anyProtocol stands for all of them.
const anyProtocol = -1

func portKey(port int64, protocol int64) uint32 { return uint32(port)<<9 | uint32(protocol+1) }

func (x *portNumbers) add(key string, row int32) (int32, error) {
	number, proto, of := strings.Cut(key, "/")
	protocol := int64(anyProtocol)
	if of {
		var ok bool
		if protocol, ok = protocolNumber(proto); !ok {
			return none, fmt.Errorf("%q is not a protocol: write its number, a name such as tcp or udp, or any", proto)
		}
		x.protocols = x.protocols || protocol != anyProtocol
	}
	lo, hi, isRange := strings.Cut(number, "-")
	if !isRange {
		hi = lo
	}
	from, err1 := strconv.ParseUint(strings.TrimSpace(lo), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(hi), 10, 16)
	if err1 != nil || err2 != nil || from > to {
		return none, fmt.Errorf("%q is not a port: write a number, 0 to 65535, a range such as 8000-8099, or 53/udp", key)
	}
	before := none
	mine := portRow{row, int(to - from)}
	for port := from; port <= to; port++ {
		k := portKey(int64(port), protocol)
		other, ok := x.rows[k]
		switch {
		case !ok || mine.width < other.width:
			x.rows[k] = mine
		case mine.width == other.width && before == none:
			before = other.row
		}
	}
	return before, nil
}

// protocolNumber reads a protocol: its number, its name in any case, or a word for all of them.
func protocolNumber(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if slices.Contains([]string{"", "*", "-", "-1", "any", "all"}, s) {
		return anyProtocol, true
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return int64(n), true
	}
	for n, name := range protocols {
		if name != "" && strings.ToLower(name) == s {
			return int64(n), true
		}
	}
	return 0, false
}

func (x *portNumbers) ways(table string) []way {
	var ways []way
	for _, side := range sides {
		from, doc := []string{side.port}, side.port
		if x.protocols {
			from, doc = append(from, "protocol"), doc+" and protocol"
		}
		ways = append(ways, way{side.prefix + "_" + table + "_", from, doc, x.find})
	}
	return ways
}

func (x *portNumbers) find(in []arrow.Array, row int) int32 {
	port, ok := integer(in, row)
	if !ok {
		return none
	}
	if len(in) > 1 {
		if protocol, ok := integer(in[1:], row); ok {
			if found, ok := x.rows[portKey(port, protocol)]; ok {
				return found.row
			}
		}
	}
	if found, ok := x.rows[portKey(port, anyProtocol)]; ok {
		return found.row
	}
	return none
}
