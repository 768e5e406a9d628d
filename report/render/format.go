package render

import (
	"io"
	"strings"

	"flowlog/parse/schema"
)

// A Format is an output format. Whatever commands and help need to know of it is a property of its row: none of them names
// a format.
type Format struct {
	Name string
	Doc  string // one line
	// Columns are the columns of records if the user names no fields.
	Columns Columns
	// Charts says when tables of reports are drawn.
	Charts Charts
	// Rounded numbers have units, unless Options.Raw is set; other formats have plain numbers.
	Rounded bool
	// Binary output is refused on a terminal.
	Binary bool
	// Single output can have only one report.
	Single bool
	// Bare output is the rows alone: it does not show that further rows were cut.
	Bare bool
	// Partial reports may be written as partial results, for `flowlog merge`. One format has this property.
	Partial bool
	// Unmarked records are read as logs by a later run: the output has no metadata that says what it was made of.
	Unmarked bool
	// Plain reports are told from records by the names of their columns alone.
	Plain bool
	// Tables writes finished reports.
	Tables func(io.Writer, Document, Options) error
	// Records starts to write records, whose columns are the fields in order. A batch may have further columns of the
	// input: formats whose Columns are NotNull write them.
	Records func(io.Writer, schema.Table, Options) (RecordWriter, error)
}

// Columns says which columns the records of a format have where the user names no fields.
type Columns int

const (
	_         Columns = iota // no format has the zero value: each chooses
	NotNull                  // the fields of each record that are not null, also those that only the input knows
	AllLogged                // all fields that flow logs can have, and what the inputs have beside
	OfInput                  // the columns of the inputs
	NoColumns                // nothing is written, but all fields that flow logs can have are checked
)

// columnsDoc says in help what records of a format have.
var columnsDoc = [...]string{
	NotNull:   "every field that is not null",
	AllLogged: "all fields that AWS logs, so that all files fit one table",
	OfInput:   "the columns of the inputs",
	NoColumns: "nothing",
}

// Doc says in help what records have.
func (c Columns) Doc() string { return columnsDoc[c] }

// Charts says when the tables of a format are drawn.
type Charts int

const (
	NoCharts  Charts = iota
	OnRequest        // if Options.Chart is set
	Always           // wherever the columns of a report fit a chart
)

// Formats is THE table of output formats.
var Formats = []Format{
	{Name: "table", Doc: "aligned columns for people, with units", Columns: OfInput, Charts: OnRequest, Rounded: true, Tables: tableReports, Records: tableRecords},
	{Name: "json", Doc: "one JSON document: rows, totals, input statistics", Columns: NotNull, Unmarked: true, Tables: jsonReports, Records: jsonRecords},
	{Name: "ndjson", Doc: "one JSON object per line (also: jsonl)", Columns: NotNull, Bare: true, Unmarked: true, Tables: ndjsonReports, Records: ndjsonRecords},
	{Name: "csv", Doc: "comma-separated values with a header", Columns: OfInput, Single: true, Bare: true, Unmarked: true, Plain: true, Tables: csvReports, Records: csvRecords},
	{Name: "tsv", Doc: "tab-separated values with a header", Columns: OfInput, Single: true, Bare: true, Unmarked: true, Plain: true, Tables: tsvReports, Records: tsvRecords},
	{Name: "markdown", Doc: "GitHub tables (also: md)", Columns: OfInput, Rounded: true, Tables: markdownReports, Records: markdownRecords},
	{Name: "html", Doc: "one page with charts and tables, which needs no server and no network", Columns: AllLogged, Charts: Always, Tables: htmlReports, Records: htmlRecords},
	{Name: "parquet", Doc: "Apache Parquet, zstd", Columns: AllLogged, Binary: true, Single: true, Bare: true, Tables: typedReports("parquet", parquetRecords), Records: parquetRecords},
	{Name: "arrow", Doc: "Apache Arrow IPC stream", Columns: AllLogged, Binary: true, Single: true, Bare: true, Partial: true, Unmarked: true, Tables: typedReports("arrow", arrowRecords), Records: arrowRecords},
	{Name: "none", Doc: "no output: read and count only", Columns: NoColumns, Tables: noReports, Records: noRecords},
}

// NamesOf lists the formats that have a property.
func NamesOf(has func(Format) bool) []string {
	var names []string
	for _, f := range Formats {
		if has(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

// PartialName is the format of partial results.
func PartialName() string { return NamesOf(func(f Format) bool { return f.Partial })[0] }

// SeveralNames are the formats for programs that have room for several reports: those that name each value, so that rows of
// other columns may follow.
func SeveralNames() []string {
	return NamesOf(func(f Format) bool { return f.Columns == NotNull && !f.Single })
}

// ColumnsText says which columns the records of each format have, in one sentence without a full stop. Formats that write
// nothing are not in it.
func ColumnsText() string {
	var parts []string
	for c, doc := range columnsDoc {
		names := NamesOf(func(f Format) bool { return f.Columns == Columns(c) })
		if names == nil || Columns(c) == NoColumns {
			continue
		}
		have := " have "
		if len(names) == 1 {
			have = " has "
		}
		parts = append(parts, schema.Join(names, "and")+have+doc)
	}
	return strings.Join(parts, "; ")
}
