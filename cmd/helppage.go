package cmd

import (
	"fmt"
	"strings"

	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report/render"
)

// helpParts are the parts of help pages that come from the tables: {{name}} in a page stands for the text. So a row of a
// table is in help without a change of the page.
var helpParts = []struct {
	name string
	text func() string
}{
	{"versions", func() string { return schema.VersionRange(" … ") }},
	{"compressions", func() string { return schema.Join(parse.Codecs(), "and") }},
	{"input formats", inputTable},
	{"output formats", outputTable},
	{"formats for one report", func() string {
		return schema.Join(render.NamesOf(func(f render.Format) bool { return f.Single }), "and")
	}},
	{"finding formats", func() string { return markdownTable([]string{"format", "what it is"}, findingRows()) }},
}

// helpPage is the text of a page with its parts from the tables.
func helpPage(text string) string {
	pairs := make([]string, 0, 2*len(helpParts))
	for _, part := range helpParts {
		if mark := "{{" + part.name + "}}"; strings.Contains(text, mark) {
			pairs = append(pairs, mark, part.text())
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func inputTable() string {
	var rows [][]string
	for _, f := range parse.Formats() {
		rows = append(rows, []string{f.Name, f.Doc})
	}
	return markdownTable([]string{"format", "what is read"}, rows)
}

// outputTable has a row for each format with the properties that matter to a user.
func outputTable() string {
	var rows [][]string
	for _, f := range render.Formats {
		reports := "any number"
		if f.Single {
			reports = "one"
		}
		rows = append(rows, []string{f.Name, f.Doc, reports, f.Columns.Doc()})
	}
	return markdownTable([]string{"format", "what it is", "reports", "columns of `parse`"}, rows)
}

func findingRows() [][]string {
	var rows [][]string
	for _, f := range render.FindingFormats {
		rows = append(rows, []string{f.Name, f.Doc})
	}
	return rows
}

// markdownTable is a table of help, without a line feed behind the last row.
func markdownTable(header []string, rows [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s", strings.Join(header, " | "), strings.Repeat("---|", len(header)))
	for _, row := range rows {
		fmt.Fprintf(&b, "\n| %s |", strings.Join(row, " | "))
	}
	return b.String()
}
