package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/report"
)

// dashboardName is the report that is all panels.
const (
	dashboardName = "dashboard"
	dashboardDoc  = "All of it on one page, with charts: use -o html -O report.html"
)

// newDashboard returns `flowlog report dashboard`, which computes many reports in one pass. What a panel needs and
// the logs or the machine do not have is said in its place.
func newDashboard(con *console, args []string) *cobra.Command {
	if !slices.Contains(args, dashboardName) {
		return &cobra.Command{Use: dashboardName + " [flags] [INPUT ...]", Short: dashboardDoc, Run: func(*cobra.Command, []string) {}}
	}
	panels := report.Dashboard()
	var reports []report.Report
	for _, p := range panels {
		r, ok := report.Named(p.Report)
		if !ok {
			panic("there is no report " + p.Report)
		}
		reports = append(reports, r)
	}
	c := newReporting(con, reports, panels)
	c.Use = dashboardName + " [flags] [INPUT ...]"
	c.Short = dashboardDoc
	c.Long = "dashboard is many reports in one pass over the logs, in tabs: " + join(tabs(panels)) + ".\n" +
		"As html it is one file with charts and tables that opens from disk, asks for nothing from anywhere and\n" +
		"can be mailed. As json it is the same for machines."
	c.Example = "  flowlog report dashboard -o html -O report.html logs/\n" +
		"  flowlog report dashboard -o html -O report.html --since 1d --city-db City.mmdb --asn-db ASN.mmdb s3://my-bucket\n" +
		"  flowlog report dashboard -o html -O web.html --where 'vpc_id = vpc-0123' logs/"
	c.Args = cobra.ArbitraryArgs
	return c
}

func tabs(panels []report.Panel) []string {
	var all []string
	for _, p := range panels {
		if !slices.Contains(all, p.Tab) {
			all = append(all, p.Tab)
		}
	}
	return all
}

// changeOf is what is different about a report: for a panel, its own change and what the user wants of all.
func (r *reporting) changeOf(i int) report.Change {
	if r.panels == nil {
		return r.change
	}
	c := r.panels[i].Change
	switch {
	case c.Where == "":
		c.Where = r.change.Where
	case r.change.Where != "":
		c.Where = "(" + c.Where + ") and (" + r.change.Where + ")"
	}
	if r.change.Top >= 0 && c.Top > 0 {
		c.Top = r.change.Top
	}
	timed := func(k report.Key) bool { return k.Every != 0 }
	if c.By == nil && slices.ContainsFunc(r.reports[i].Keys, timed) || slices.Contains(c.By, "time") {
		c.Every = r.change.Every
	}
	return c
}

// assemble puts the tables that were computed in the places of their reports, and says on each what prints it alone.
// Reports whose fields the logs lack stay on a dashboard, and are left out elsewhere.
func (r *reporting) assemble(c *cobra.Command, args []string, b *binding, done computed, selection []report.Setting) []report.Table {
	lacking := make(map[int]*report.Lacking)
	for _, l := range done.lacks {
		lacking[l.Index] = l
	}
	var out []report.Table
	next := 0
	for i, t := range b.tables {
		if at := slices.Index(b.places, i); at >= 0 {
			switch l := lacking[at]; {
			case l == nil:
				t = done.tables[next]
				t.Settings = slices.Concat(t.Settings, selection)
				next++
			case r.panels == nil:
				continue
			default:
				t.Lacks, t.Notes = l.Fields, []string{say(l.Advice())}
			}
		}
		if r.panels != nil {
			t.Tab, t.Title = r.panels[i].Tab, r.panels[i].Title
		}
		if r.panels == nil && t.Why != "" {
			t.Notes = append(t.Notes, t.Why)
		}
		t.Command = r.command(c, i, args)
		out = append(out, t)
	}
	return out
}

// command is what prints a report alone.
func (r *reporting) command(c *cobra.Command, i int, args []string) string {
	change := r.changeOf(i)
	words := []string{"flowlog", "report", r.reports[i].Name}
	for _, s := range change.Settings() {
		words = append(words, "--"+s.Name, s.Value)
	}
	read := change.Words()
	r.reports[i].Fields(func(name string) { read = append(read, name) })
	mine := []string{"by", "measures", "where", "having", "every", "sort", "top", // which are in change
		"output", "out", "raw", "chart", "quiet", "progress", "workers", "partial", "rejects", "memory", "temp-dir", // which change nothing
		flagTrinoDSN} // which may have a password
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(mine, f.Name) || needless(f.Name, read) {
			return
		}
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		if f.NoOptDefVal != "" { // a switch
			words = append(words, "--"+f.Name+"="+value)
		} else {
			words = append(words, "--"+f.Name, value)
		}
	})
	const longest = 200 // characters of names of inputs; a shell may have made thousands of one glob
	if len(strings.Join(args, " ")) > longest {
		args = []string{"LOGS"}
	}
	words = append(words, args...)
	for i, w := range words {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// needless reports whether a flag names a database that none of the fields comes from.
func needless(flag string, fields []string) bool {
	for _, db := range databases {
		if db.flag == flag && db.kind != enrich.Owners { // which fills logged fields too
			return !slices.ContainsFunc(fields, func(name string) bool { return enrich.NeedsDB(name) == db.kind })
		}
	}
	return false
}
