package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// close prints the closing line. It returns a nothingError if no record is left to report on, and errIncomplete if not
// everything could be read.
func (r *reader) close() error {
	s := r.stats
	if !r.quiet {
		line := fmt.Sprintf("flowlog: read %s, %s: %s, %s NODATA, %s SKIPDATA",
			count(s.Objects, "object"), count(s.Records, "record"), count(s.Flows, "flow"), humanize.Comma(s.NoData), humanize.Comma(s.SkipData))
		if s.Other > 0 {
			line += fmt.Sprintf(", %s with another log-status", humanize.Comma(s.Other))
		}
		if r.opt.Since != 0 || r.opt.Until != 0 {
			line += fmt.Sprintf(", %s outside the time", humanize.Comma(s.Outside))
		}
		line += fmt.Sprintf("; %s malformed", humanize.Comma(s.Malformed))
		if len(s.Failed) > 0 {
			line += fmt.Sprintf("; %s could not be read to the end: %s", count(int64(len(s.Failed)), "object"), failedNames(s.Failed))
		}
		if len(s.Formats) > 1 {
			var parts []string
			for _, name := range slices.Sorted(maps.Keys(s.Formats)) {
				v := s.Formats[name]
				parts = append(parts, fmt.Sprintf("%s %s with %s", name, count(v.Objects, "object"), count(v.Records, "record")))
			}
			line += " (" + strings.Join(parts, ", ") + ")"
		}
		if left := r.unchosen(); left != "" {
			line += "; " + left
		}
		line += fmt.Sprintf("; %s in %.2f s", humanize.IBytes(uint64(s.Bytes)), s.Seconds)
		fmt.Fprintln(r.err, line)
	}
	if err := r.nothing(); err != nil {
		return err
	}
	if s.Malformed > 0 || len(s.Failed) > 0 {
		return errIncomplete
	}
	return nil
}

// failedNames lists the objects that could not be read, where the exit code is seen.
func failedNames(failed []parse.ObjectError) string {
	names := make([]string, len(failed))
	for i, f := range failed {
		names[i] = schema.Shown(f.Object)
	}
	return few(names)
}

// count says how many of a thing there are.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(n) + " " + thing
}

// faults lists how many records were malformed in which way.
func faults(s schema.Stats) string {
	var parts []string
	for f, n := range s.Faults {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(n), schema.Fault(f)))
		}
	}
	return strings.Join(parts, ", ")
}
