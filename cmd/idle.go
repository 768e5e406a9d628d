package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowlog/parse"
)

// This file says of flags that were typed that they have no effect on this run.

// plainFormats have plain numbers whether --raw is given or not.
var plainFormats = []string{"json", "ndjson", "csv", "tsv", "html", "parquet", "arrow", "none"}

// tellRaw warns that --raw changes nothing in a format.
func (o *output) tellRaw(con *console, format string) {
	if o.raw && !o.quiet() && slices.Contains(plainFormats, format) && slices.Contains(con.settings.typed(o.command, "Output flags"), "raw") {
		fmt.Fprintf(con.err, "flowlog: warning: --raw is for tables, and -o %s does not round: without effect\n", format)
	}
}

// tellPartial says what --partial means where a report is printed, since another format makes it mean another thing.
func (r *reporting) tellPartial(c *cobra.Command, format string) {
	if !r.input.partial || format == "arrow" || r.input.quiet || !slices.Contains(r.settings.typed(c, inputHeading), "partial") {
		return
	}
	fmt.Fprintln(r.err, "flowlog: --partial here prints what there is if the run is interrupted; what `flowlog merge` brings together is written by --partial -o arrow -O FILE.arrow")
}

// tellRenamed warns of names that --rename has and no input.
func (r *reader) tellRenamed() {
	if r.opt.Renamed == nil || r.stats.Objects == 0 || !r.renameTyped {
		return
	}
	var idle []string
	for name := range r.opt.Rename {
		if !r.opt.Renamed.Has(name) {
			idle = append(idle, name)
		}
	}
	if len(idle) == 0 {
		return
	}
	slices.Sort(idle)
	fmt.Fprintln(r.err, printable(fmt.Sprintf("flowlog: warning: --rename: no input has %s %s: without effect", either(int64(len(idle)), "a column", "columns"), strings.Join(idle, ", "))))
}

// watchRenames has the scan note which names it renames.
func (in *input) watchRenames(con *console, r *reader) {
	if len(r.opt.Rename) > 0 {
		r.opt.Renamed = new(parse.MetNames)
		r.renameTyped = slices.Contains(con.settings.typed(in.command, inputHeading), "rename")
	}
}
