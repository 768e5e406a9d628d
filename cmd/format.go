package cmd

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"flowlog/report"
	"flowlog/report/render"
)

// formatName is the format, of those that there are, which the flags name: the one of -o, or else the one that the name of the
// file ends in. It is "" if there is neither.
func (o *output) formatName(what string, formats []string) (string, error) {
	end := o.ending()
	if slices.Contains(compressed, end) {
		as := render.Named(o.format, formats)
		if as == "" {
			as = "csv"
		}
		return "", usageError{fmt.Errorf("-O %s: flowlog compresses no output: leave -O out, and pipe it, as in -o %s | gzip >%[1]s", o.file, as)}
	}
	if o.format != "" {
		return o.asked(what, formats)
	}
	if name := render.Named(end, formats); name != "" && !slices.Contains(plainText, end) {
		return name, nil
	}
	if name := render.Named(end, render.Names()); name != "" && !slices.Contains(plainText, end) {
		return "", usageError{fmt.Errorf("-O %s: %w", o.file, render.UnknownFormat(what, name, formats))}
	}
	if instead := render.Instead(end); instead != "" {
		return "", usageError{fmt.Errorf("-O %s: flowlog does not write %s: %s; -o says the format, whatever the file is called", o.file, end, instead)}
	}
	return "", nil
}

// asked is the format of -o.
func (o *output) asked(what string, formats []string) (string, error) {
	if name := render.Named(o.format, formats); name != "" {
		return name, nil
	}
	if end := filepath.Ext(o.format); strings.ContainsAny(o.format, `/\`) || render.Named(strings.TrimPrefix(end, "."), formats) != "" {
		return "", usageError{fmt.Errorf("-o %s: --output is the format; the file is -O %[1]s (--out), whose name says the format", o.format)}
	}
	return "", usageError{render.UnknownFormat(what, o.format, formats)}
}

// ending is the ending of the file's name, in lower case and without the dot. It is "" where there is no file.
func (o *output) ending() string {
	if o.file == "-" {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(o.file), "."))
}

// compressed are endings of compressed files and archives, which no output is.
var compressed = []string{"gz", "gzip", "zst", "zstd", "bz2", "xz", "lz4", "zip", "7z", "tar", "tgz", "br"}

// plainText are endings that say nothing but that somebody is to read the file.
var plainText = []string{"", "txt", "text", "out", "log"}

// tellCut notes that rows of tables were not written, and how to get all.
func (o *output) tellCut(con *console, tables []report.Table, how string) {
	written, all := 0, 0
	for _, t := range tables {
		written, all = written+len(t.Rows), all+len(t.Rows)+t.Cut
	}
	if o.quiet() || written == all {
		return
	}
	to := ""
	if o.file != "" && o.file != "-" {
		to = " to " + o.file
	}
	fmt.Fprintln(con.err, printable(fmt.Sprintf("flowlog: wrote %s of %s%s: %s", humanize.Comma(int64(written)), count(int64(all), "row"), to, how)))
}

// tellEnding says as which format a file is written whose name ends in what is no format.
func (o *output) tellEnding(con *console, format string) {
	if end := o.ending(); o.format == "" && !o.quiet() && !slices.Contains(plainText, end) && render.Named(end, []string{format}) == "" {
		fmt.Fprintln(con.err, printable(fmt.Sprintf("flowlog: %s is written as %s: .%s is the ending of no format, and -o names another", o.file, format, end)))
	}
}
