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
		line += "; " + malformedPart(s.Stats)
		line += failed(s.Failed)
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
		fmt.Fprintln(r.con.err, line)
	}
	if err := r.nothing(); err != nil {
		return err
	}
	if s.Malformed > 0 || s.MalformedValues > 0 || len(s.Failed) > 0 {
		return errIncomplete
	}
	return nil
}

// failed is the part of the closing line about objects that could not be read and listings that broke off: it names
// them where the exit code is seen.
func failed(all []parse.ObjectError) string {
	var objects, listings []string
	for _, f := range all {
		if f.Listing() {
			listings = append(listings, schema.Shown(f.Object))
		} else {
			objects = append(objects, schema.Shown(f.Object))
		}
	}
	part := ""
	if len(objects) > 0 {
		part += fmt.Sprintf("; %s could not be read to the end: %s", count(int64(len(objects)), "object"), few(objects))
	}
	if len(listings) > 0 {
		part += fmt.Sprintf("; %s not whole, and how many objects are missing is not known: %s", either(int64(len(listings)), "1 listing is", count(int64(len(listings)), "listing")+" are"), few(listings))
	}
	return part
}

// count is a number with the name of what it counts.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(n) + " " + thing
}

// malformedPart is the part of a closing line about malformed records and values.
func malformedPart(s schema.Stats) string {
	part := humanize.Comma(s.Malformed) + " malformed"
	if s.MalformedValues > 0 {
		part += fmt.Sprintf("; %s read as null", count(s.MalformedValues, "malformed value"))
	}
	return part
}

// malformed is the number of malformed records and of malformed values, in words.
func malformed(s schema.Stats) string {
	var parts []string
	if s.Malformed > 0 {
		parts = append(parts, count(s.Malformed, "malformed record"))
	}
	if s.MalformedValues > 0 {
		parts = append(parts, count(s.MalformedValues, "malformed value"))
	}
	return strings.Join(parts, " and ")
}

// faults lists the numbers of malformed records and values by fault.
func faults(s schema.Stats) string {
	var parts []string
	for f, n := range s.Faults {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(n), schema.Fault(f)))
		}
	}
	return strings.Join(parts, ", ")
}
