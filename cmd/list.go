package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"flowlog/enrich"
	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// wordsFilter reports whether a thing is asked for, by its name and what is said about it.
type wordsFilter func(texts ...string) bool

// listing makes a command that prints what flowlog knows: as text, a row a thing, or as JSON. Words behind the command
// choose the things that have all of them.
func listing(con *console, use, short string, header []string, list func(wordsFilter) (rows [][]string, document any, err error)) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: use + " [WORD ...]", Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, words []string) error {
			names := []string{}
			rows, document, err := list(func(texts ...string) bool {
				names = append(names, texts[0])
				text := strings.ToLower(strings.Join(texts, "\n"))
				return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
			})
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return usageError{fmt.Errorf("no %s has %q in its name or text: %s`flowlog %s` lists them", strings.TrimSuffix(use, "s"), strings.Join(words, " "),
					schema.DidYouMean(strings.Join(words, "_"), names), use)}
			}
			return listOutput(con, format, document, func() error {
				w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, strings.Join(header, "\t"))
				for _, row := range wrapped(header, rows, columns(con.out)) {
					fmt.Fprintln(w, strings.Join(row, "\t"))
				}
				return w.Flush()
			})
		},
	}
	listFlag(c, &format)
	return c
}

// listFormats are the formats of what flowlog says of itself.
var listFormats = []string{"table", "json"}

// listFlag adds the flag that chooses one of listFormats.
func listFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", listFormats[0], "`format`: "+schema.Join(listFormats, "or"))
	complete(c, "output", func() []string { return listFormats })
}

// listOutput writes a document as JSON, or has table write it, as the format says.
func listOutput(con *console, format string, document any, table func() error) error {
	switch render.Named(format, listFormats) {
	case "json":
		enc := json.NewEncoder(con.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(document)
	case "table":
		return table()
	}
	return unknownListFormat(format)
}

func unknownListFormat(format string) error {
	return usageError{fmt.Errorf("-o is %s here, not %q", schema.Join(listFormats, "or"), format)}
}

// columns is how many characters fit on a line of a terminal, 0 if the stream is none.
func columns(stream any) int {
	if !terminal(stream) {
		return 0
	}
	width, _, _ := term.GetSize(int(stream.(*os.File).Fd())) // 0 if that is not known
	return width
}

// narrowest is how many characters the last column of a list has at least, if it has to be broken.
const narrowest = 30

// wrapped breaks the last column of a list, which is prose, so that lines are not longer than so many characters. 0 is
// any number of them, for a pipe: there a line is a thing.
func wrapped(header []string, rows [][]string, width int) [][]string {
	last := len(header) - 1
	left := 0
	for i := range last {
		longest := 0
		for _, row := range append(rows, header) {
			longest = max(longest, utf8.RuneCountInString(row[i]))
		}
		left += longest + len("  ")
	}
	if width == 0 || width-left < narrowest {
		return rows
	}
	var lines [][]string
	for _, row := range rows {
		for i, line := range fold(row[last], width-left) {
			cells := make([]string, len(header))
			if i == 0 {
				copy(cells, row)
			}
			cells[last] = line
			lines = append(lines, cells)
		}
	}
	return lines
}

// fold breaks prose into lines of at most so many characters, at least one line, and a word too long for one is a line.
func fold(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		line := &lines[len(lines)-1]
		switch {
		case *line == "":
			*line = word
		case utf8.RuneCountInString(*line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, word)
		default:
			*line += " " + word
		}
	}
	return lines
}

// newFields returns `flowlog fields`.
func newFields(con *console) *cobra.Command {
	var e enrichment
	c := listing(con, "fields", "List the fields of records, logged and enriched", []string{"FIELD", "TYPE", "SINCE", "WHAT IT IS"}, func(asked wordsFilter) ([][]string, any, error) {
		tables, _, _, err := e.readTables()
		if err != nil {
			return nil, nil, err
		}
		fields := slices.Concat(schema.Logged(), schema.Delivered(), enrich.Fields(), tables)
		fields = slices.DeleteFunc(fields, func(f schema.Field) bool { return !asked(f.Name, f.Doc) })
		var rows [][]string
		for _, f := range fields {
			since := "enriched"
			switch kind := enrich.NeedsDB(f.Name); {
			case f.Since > 0:
				since = fmt.Sprintf("v%d", f.Since)
			case kind != "":
				since = string(kind)
			case f.From == nil:
				since = "object name"
			}
			rows = append(rows, []string{f.Name, f.Kind.String(), since, f.Doc})
		}
		return rows, fields, nil
	})
	e.tableFlag(c.Flags())
	return c
}

// listedKeys is how many keys of a report are listed for people, so that there is room for what it answers.
const listedKeys = 2

// newReports returns `flowlog reports`.
func newReports(con *console) *cobra.Command {
	c := listing(con, "reports", "List the reports", []string{"REPORT", "GROUPS BY", "WHAT IT ANSWERS"}, func(asked wordsFilter) ([][]string, any, error) {
		type entry struct {
			Name     string   `json:"name"`
			Doc      string   `json:"doc"`
			Keys     []string `json:"keys"`
			Measures []string `json:"measures"`
			Where    string   `json:"where,omitempty"`
			Next     string   `json:"next"`
			Saved    string   `json:"saved,omitempty"` // where it stands
			Command  string   `json:"command,omitempty"`
		}
		var rows [][]string
		entries := []entry{}
		for _, r := range slices.Concat(report.Catalog(), con.settings.reports()) {
			if !asked(r.Name, r.Doc) {
				continue
			}
			e := entry{Name: r.Name, Doc: r.Doc, Next: con.next(r), Keys: []string{}}
			for _, k := range r.Keys {
				e.Keys = append(e.Keys, k.Name())
			}
			for _, m := range r.Measures {
				e.Measures = append(e.Measures, m.Name)
			}
			if r.Where != nil {
				e.Where = r.Where.String()
			}
			doc := r.Doc
			if saved := con.settings.report(r.Name); saved != nil {
				e.Saved, e.Command = saved.origin, "flowlog report "+saved.command()
				if by := saved.list("by"); by != nil {
					e.Keys = by
				}
				if measures := saved.list("measures"); measures != nil {
					e.Measures = measures
				}
				doc += " (saved in " + saved.origin + ")"
			}
			by := "-"
			if len(e.Keys) > 0 {
				by = strings.Join(e.Keys[:min(len(e.Keys), listedKeys)], ", ")
			}
			if len(e.Keys) > listedKeys {
				by += ", …"
			}
			rows = append(rows, []string{r.Name, by, doc})
			entries = append(entries, e)
		}
		if asked(dashboardName, dashboardDoc) {
			rows = append(rows, []string{dashboardName, "-", dashboardDoc})
		}
		return rows, entries, nil
	})
	c.PreRunE = func(*cobra.Command, []string) error { return con.settings.err }
	return c
}

// newFormats returns `flowlog formats`.
func newFormats(con *console) *cobra.Command {
	return listing(con, "formats", "List the formats of input and output", []string{"FORMAT", "USE", "WHAT IT IS"}, func(asked wordsFilter) ([][]string, any, error) {
		type entry struct {
			Name string `json:"name"`
			Use  string `json:"use"`
			Doc  string `json:"doc"`
		}
		var entries []entry
		for _, f := range parse.Formats() {
			entries = append(entries, entry{f.Name, "input", f.Doc})
		}
		for _, name := range parse.Codecs() {
			entries = append(entries, entry{name, "compression", "told by the content of an input, whatever its name"})
		}
		for _, f := range render.Formats {
			entries = append(entries, entry{f.Name, "output", f.Doc})
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool { return !asked(e.Name, e.Use, e.Doc) })
		var rows [][]string
		for _, e := range entries {
			rows = append(rows, []string{e.Name, e.Use, e.Doc})
		}
		return rows, entries, nil
	})
}
