package render

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/cells"
)

// The page's style and script are the only ones that its content security policy allows. They do not depend on the data:
// values from the input are only text and quoted attributes, which the script reads as such.
var (
	//go:embed html/page.css
	pageStyle string
	//go:embed html/page.js
	pageScript string
)

// rowsEmbedded is the most rows of a table in a page. Nobody reads more there, and a page with forty tables stays small
// enough to mail. The page counts the rows left out, and shows the command that prints them.
const rowsEmbedded = 500

// htmlReports writes one self-contained page. Each report has its chart, its table and the command that prints it;
// reports with a tab are in tabs, others below each other.
func htmlReports(w io.Writer, doc Document, opt Options) error {
	opt.Raw = false // a page has both: the rounded number to see, and the exact one
	title := "VPC flow logs"
	if len(doc.Tables) == 1 {
		title = titleOf(doc.Tables[0])
	}
	m := &markup{clock: commonClock(doc.Tables, binsDrawn, opt)}
	if !filtered(doc) {
		m.clock.from, m.clock.to = period(doc)
	}
	m.head(title)
	m.put(`<header><div><h1>{}</h1>`, title)
	m.input(doc, opt)
	m.put(`</div><button type="button" id="theme" class="js" aria-label="Light or dark">◐</button></header><main>`)
	tabs := tabsOf(doc.Tables)
	if len(tabs) > 1 {
		m.put(`<div id="tabs" class="js" role="tablist" aria-label="Parts of the report">`)
		for _, tab := range tabs {
			m.put(`<button type="button" role="tab" id="tab-{}" aria-controls="panel-{}">{}</button>`, slug(tab), slug(tab), tab)
		}
		m.put(`</div>`)
	}
	for _, tab := range tabs {
		if len(tabs) > 1 {
			m.put(`<section class="tab" id="panel-{}" aria-labelledby="tab-{}"><h2>{}</h2>`, slug(tab), slug(tab), tab)
		} else {
			m.put(`<section>`)
		}
		m.put(`<div class="cards">`)
		for _, t := range doc.Tables {
			if t.Tab == tab {
				m.card(t, len(doc.Tables) == 1, opt)
				if err := m.send(w); err != nil {
					return err
				}
			}
		}
		m.put(`</div></section>`)
	}
	m.foot()
	return m.send(w)
}

// head writes what precedes the visible page. The content security policy forbids requests, and scripts and styles other
// than the page's own, so that text from the input could not become one even if it were not escaped.
func (m *markup) head(title string) {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	m.put(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">`)
	m.put(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'">`, hash(pageStyle), hash(pageScript))
	m.put(`<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="generator" content="flowlog">`)
	m.put(`<link rel="icon" href="data:,"><title>{}</title><style>`, title)
	m.buf = append(m.buf, pageStyle...)
	m.put(`</style></head><body>`)
}

func (m *markup) foot() {
	m.put(`</main><footer>Made by flowlog from flow logs of AWS. This file asks for nothing from anywhere. Outlines of the map: Natural Earth.</footer>`)
	m.put(`<div id="tip" hidden></div><div id="said" role="status" class="unseen"></div><script>`)
	m.buf = append(m.buf, pageScript...)
	m.put("</script></body></html>\n")
}

// send writes the buffer.
func (m *markup) send(w io.Writer) error {
	_, err := w.Write(m.buf)
	m.buf = m.buf[:0]
	return err
}

// tabsOf lists the tabs of the tables, in order.
func tabsOf(tables []report.Table) []string {
	var tabs []string
	for _, t := range tables {
		if !slices.Contains(tabs, t.Tab) {
			tabs = append(tabs, t.Tab)
		}
	}
	return tabs
}

// slug returns a name for the fragment of a URL. No element has it as its id, so that a browser that opens the URL does
// not scroll.
func slug(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

// card writes a report: its heading, chart, table and command.
func (m *markup) card(t report.Table, alone bool, opt Options) {
	chart, measure := chartOf(t)
	facts := upright(t)
	if alone || chart.wide || facts {
		m.put(`<article class="card wide">`)
	} else {
		m.put(`<article class="card">`)
	}
	if !alone {
		m.put(`<h3>{}</h3>`, titleOf(t))
	}
	if t.Title != "" && t.Doc != "" {
		m.put(`<p class="doc">{}</p>`, t.Doc)
	}
	switch {
	case t.Lacks != nil:
		m.put(`<p class="lacks"><b>Not in these logs:</b> {}</p>`, strings.Join(t.Lacks, ", "))
	case len(t.Rows) == 0:
		why := emptyReason(t)
		m.put(`<p class="lacks">{}.</p>`, strings.ToUpper(why[:1])+why[1:])
	case facts:
		m.facts(t, opt)
	case measure >= 0:
		m.put(`<div class="chart {}" tabindex="0" role="group" aria-label="{}: {}. The arrow keys read its values.">`, chart.name, chart.doc, titleOf(t))
		chart.page(m, t, measure, opt)
		m.put("</div>\n")
	}
	for _, note := range notesOf(t) {
		m.put(`<p class="note">{}</p>`, note)
	}
	if len(t.Columns) > 0 && len(t.Rows) > 0 && !facts {
		m.table(t, alone, opt)
	}
	if t.Command != "" {
		m.put(`<p class="command"><code>{}</code><button type="button" class="js copy" aria-label="Copy the command">Copy</button></p>`, t.Command)
	}
	m.put("</article>\n")
}

// facts writes a report without keys as a list of measures.
func (m *markup) facts(t report.Table, opt Options) {
	m.put(`<dl class="facts">`)
	for i, c := range t.Columns {
		v := t.Rows[0][i]
		m.put(`<div><dt>{}</dt><dd data-v="{}" title="{}">{}</dd></div>`, factName(c.Name), plain(c, v), exact(c, v, opt), human(c, v, opt))
	}
	m.put(`</dl>`)
}

// factNames has display names of measures.
var factNames = map[string]string{
	"first": "first start", "last": "last end", "nodata": "NODATA records", "skipdata": "SKIPDATA records",
	"malformed": "malformed records", "distinct_srcaddr": "source addresses", "distinct_dstaddr": "destination addresses",
	"distinct_interface_id": "interfaces",
}

func factName(name string) string {
	if n, ok := factNames[name]; ok {
		return n
	}
	return spoken(name)
}

// plain formats a value as the formats for programs do.
func plain(c report.Column, v any) string {
	f := schema.Field{Name: c.Name, Kind: c.Kind}
	return string(appendPlain(nil, &f, v, func(dst []byte, _ *schema.Field, s string) []byte { return append(dst, s...) }))
}

// table writes the rows with all columns, so that what is copied or saved from the page equals csv.
func (m *markup) table(t report.Table, open bool, opt Options) {
	rows := t.Rows[:min(len(t.Rows), rowsEmbedded)]
	name := titleOf(t)
	m.put(`<details class="data"`)
	if open {
		m.put(` open`)
	}
	m.put(`><summary>Table <span>{}</span></summary>`, count(len(rows), len(t.Rows)+t.Cut))
	m.put(`<p class="tools js"><button type="button" class="copy">Copy</button><button type="button" class="csv" data-name="{}">CSV</button></p>`, t.Name)
	m.put(`<div class="scroll" tabindex="0" role="region" aria-label="Table: {}"><table><caption class="unseen">{}</caption><thead><tr>`, name, name)
	right := make([]bool, len(t.Columns))
	for i, c := range t.Columns {
		right[i] = numeric(c)
		zone := ""
		if timed(t, i) {
			zone = " (" + opt.zone().String() + ")"
		}
		class := "text"
		if right[i] {
			class = "num"
		}
		sort := "none"
		if i == t.Order {
			sort = "ascending"
			if t.Desc {
				sort = "descending"
			}
		}
		m.put(`<th scope="col" class="{}" data-name="{}" aria-sort="{}">{}{}</th>`, class, c.Name, sort, c.Name, zone)
	}
	m.put("</tr></thead><tbody>\n")
	for _, row := range rows {
		m.put(`<tr>`)
		for i, c := range t.Columns {
			m.cell(c, right[i], row[i], opt)
		}
		m.put("</tr>\n")
	}
	m.put(`</tbody>`)
	total := len(t.Totals) == len(t.Columns) && len(t.Rows)+t.Cut+t.Excluded > 1
	if others := t.Cut > 0 && len(t.Others) == len(t.Columns); others || total {
		m.put(`<tfoot>`)
		if others {
			m.sums(othersLabel(t), t, t.Others, opt)
		}
		if total {
			m.sums(totalLabel, t, t.Totals, opt)
		}
		m.put(`</tfoot>`)
	}
	m.put(`</table></div>`)
	if len(rows) < len(t.Rows) {
		m.put(`<p class="note">{} rows are not in this page, to keep it small: the command prints all of them.</p>`, grouped(int64(len(t.Rows)-len(rows))))
	}
	m.put(`</details>`)
}

// count says how many rows are shown, of how many.
func count(shown, all int) string {
	s := grouped(int64(shown))
	if shown < all {
		s += " of " + grouped(int64(all))
	}
	if all == 1 {
		return s + " row"
	}
	return s + " rows"
}

// cell writes a value for people, with the exact value as an attribute if it differs. A null is an empty cell.
func (m *markup) cell(c report.Column, right bool, v any, opt Options) {
	if isNull(v) {
		m.put(`<td></td>`)
		return
	}
	shown := human(c, v, opt)
	exact := shown
	switch at := v.(type) {
	case string:
	case time.Time:
		exact = plain(c, v)
		if c.Unit != report.Instant { // a field of a record: seconds, as it was logged
			exact = plain(c, at.Unix())
		}
	default:
		exact = plain(c, v)
	}
	switch {
	case right && shown == exact:
		m.put(`<td class="num">{}</td>`, shown)
	case right:
		m.put(`<td class="num" data-v="{}">{}</td>`, exact, shown)
	case shown == exact:
		m.put(`<td>{}</td>`, shown)
	default:
		m.put(`<td data-v="{}">{}</td>`, exact, shown)
	}
}

// sums writes the row of totals or of others, with a label in place of its first value.
func (m *markup) sums(label string, t report.Table, row []any, opt Options) {
	m.put(`<tr><th scope="row">{}</th>`, label)
	for i, c := range t.Columns[1:] {
		m.cell(c, numeric(c), row[i+1], opt)
	}
	m.put(`</tr>`)
}

// htmlRecords writes a page with a table of the first records, and the number of the others: no browser opens a table of
// a million rows.
func htmlRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return &recordPage{out: w, fields: fields, opt: opt}, nil
}

// recordPage keeps the first records until Close, when the number of the others is known.
type recordPage struct {
	out    io.Writer
	fields schema.Table
	opt    Options
	turns  cells.Sequencer
	cells  cells.Batch
	rows   [][]any
	all    int
}

func (p *recordPage) Add(b schema.Batch) error {
	return p.turns.Do(b.Seq, func() error {
		if cells.Empty(b) {
			return nil
		}
		p.all += int(b.NumRows())
		if len(p.rows) == rowsEmbedded {
			return nil
		}
		if err := p.cells.Load(b.Record, p.fields); err != nil {
			return err
		}
		for row := 0; row < p.cells.Rows && len(p.rows) < rowsEmbedded; row++ {
			values := make([]any, len(p.fields))
			for i := range p.fields {
				values[i] = p.cells.Columns[i].Value(row)
			}
			p.rows = append(p.rows, values)
		}
		return nil
	})
}

func (p *recordPage) Close() error {
	return p.turns.Finish(func() error {
		t := report.Table{Name: "records", Doc: "Flow log records", Rows: p.rows, Order: -1, Cut: p.all - len(p.rows)}
		for _, f := range p.fields {
			t.Columns = append(t.Columns, report.Column{Name: f.Name, Role: report.LabelRole, Kind: f.Kind})
		}
		m := &markup{}
		m.head(t.Doc)
		m.put(`<header><div><h1>{}</h1></div><button type="button" id="theme" class="js" aria-label="Light or dark">◐</button></header><main><div class="cards"><article class="card wide">`, t.Doc)
		if len(t.Rows) == 0 {
			m.put(`<p class="lacks">No records.</p>`)
		} else {
			m.table(t, true, p.opt)
		}
		m.put(`</article></div>`)
		m.foot()
		return m.send(p.out)
	})
}
