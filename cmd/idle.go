package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowlog/parse"
	"flowlog/report/render"
)

// This file says of flags that were typed that they have no effect on this run.

// tellRaw warns that --raw changes nothing in a format.
func (o *output) tellRaw(con *console, format render.Format) {
	if o.raw && !o.quiet() && !format.Rounded && slices.Contains(con.settings.typed(o.command, "Output flags"), "raw") {
		fmt.Fprintf(con.err, "flowlog: warning: --raw is for tables, and -o %s does not round: without effect\n", format.Name)
	}
}

// tellPartial says what --partial means where a report is printed, since another format makes it mean another thing.
func (r *reporting) tellPartial(c *cobra.Command, b *binding) {
	if !r.input.partial || b.partial || r.input.quiet || !slices.Contains(r.con.settings.typed(c, inputHeading), "partial") {
		return
	}
	fmt.Fprintln(r.con.err, "flowlog: --partial here prints what there is if the run is interrupted; what `flowlog merge` brings together is written by --partial -o arrow -O FILE.arrow")
}

// tellRenamed warns of names that --rename has and no input.
func (r *reader) tellRenamed() {
	if r.opt.Renamed == nil || r.stats.Objects == 0 || !r.typed.rename {
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
	fmt.Fprintln(r.con.err, printable(fmt.Sprintf("flowlog: warning: --rename: no input has %s %s: without effect", either(int64(len(idle)), "a column", "columns"), strings.Join(idle, ", "))))
}

// watchRenames has the scan note which names it renames.
func (in *input) watchRenames(con *console, r *reader) {
	if len(r.opt.Rename) > 0 {
		r.opt.Renamed = new(parse.MetNames)
		r.typed.rename = slices.Contains(con.settings.typed(in.command, inputHeading), "rename")
	}
}
