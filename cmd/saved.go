package cmd

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowlog/parse/schema"
	"flowlog/report"
)

// What a saved report measures, and how many rows it has, if it does not start from a report of the catalog.
const (
	savedMeasures = "bytes packets flows"
	savedLimit    = 10
)

// base is the report that the values of a saved one are changes to.
func (r *savedReport) base() report.Report {
	var base report.Report
	catalog := report.Catalog()
	if i := slices.IndexFunc(catalog, func(c report.Report) bool { return c.Name == r.from }); i >= 0 {
		base = catalog[i]
	} else {
		base.Limit = savedLimit
		for _, name := range strings.Fields(savedMeasures) {
			m, err := report.ParseMeasure(name, schema.Logged())
			if err != nil {
				panic(err)
			}
			base.Measures = append(base.Measures, m)
		}
	}
	base.Name, base.Doc = r.name, cmp.Or(r.doc, "flowlog report "+r.command())
	return base
}

// next says what to look at after a report: in the words of its user if it is a saved one.
func (con *console) next(r report.Report) string {
	if saved := con.settings.report(r.Name); saved != nil && saved.next != "" {
		return saved.next
	}
	return say(r.Next)
}

// list is the value of a list, nil if it has none.
func (r *savedReport) list(flag string) []string {
	v, ok := r.values[flag]
	if !ok || v.list {
		return v.values
	}
	list, err := splitList(v.values[0])
	if err != nil {
		return v.values
	}
	return list
}

// command is what a user would type for the same, behind `flowlog report`.
func (r *savedReport) command() string {
	var words []string
	if r.from != "" {
		words = append(words, r.from)
	}
	for _, flag := range r.flags {
		values := []string{r.values[flag].text()}
		if r.values[flag].each {
			values = r.values[flag].values
		}
		for _, v := range values {
			switch v := withoutSecrets(flag, v); {
			case v == "true":
				words = append(words, "--"+flag)
			case v == "false":
				words = append(words, "--"+flag+"=false")
			default:
				words = append(words, "--"+flag, quote(v))
			}
		}
	}
	return strings.Join(words, " ")
}

// names lists the saved reports by their names.
func (s *settings) names() []string {
	var names []string
	for _, r := range s.saved {
		names = append(names, r.name)
	}
	return names
}

// reports lists what saved reports start from, under their own names.
func (s *settings) reports() []report.Report {
	var reports []report.Report
	for _, r := range s.saved {
		reports = append(reports, r.base())
	}
	return reports
}

// fromSaved reports whether a flag of the running command has the value that its saved report gives it.
func (s *settings) fromSaved(flag string) bool {
	return slices.ContainsFunc(s.used, func(u applied) bool { return u.flag == flag && u.saved })
}

// addSaved makes each saved report a subcommand beside those of the catalog. Its values are those of its flags
// unless the command line has others, by the one way in which all settings reach flags.
func addSaved(con *console, root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "report" {
			continue
		}
		for _, r := range con.settings.saved {
			base := r.base()
			sub := newReporting(con, []report.Report{base}, nil)
			sub.Use = r.name + " [flags] [INPUT ...]"
			sub.Short = base.Doc
			if r.doc != "" {
				sub.Long = r.doc + ".\n\n"
			}
			sub.Long += "The same as: flowlog report " + r.command() + "\nSaved in:    " + r.origin
			if next := con.next(base); next != "" {
				sub.Long += "\nLook next:   " + next
			}
			sub.Args = cobra.ArbitraryArgs
			c.AddCommand(sub)
		}
	}
}
