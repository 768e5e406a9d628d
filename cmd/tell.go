package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// tell says on stderr what could not be read, and returns err, or that nothing was read.
func (r *reader) tell(err error) error {
	r.tellPassedOver()
	r.warnOfColumns()
	r.warnOfOddValues()
	r.warnOfCounting()
	for _, p := range r.stats.Problems {
		fmt.Fprintln(r.con.err, "flowlog:", printable(p.String()))
	}
	if more := r.stats.Malformed + r.stats.MalformedValues - int64(len(r.stats.Problems)); more > 0 {
		fmt.Fprintf(r.con.err, "flowlog: … and %s more; %s in all: %s\n", humanize.Comma(more), malformed(r.stats.Stats), faults(r.stats.Stats))
	}
	for _, f := range r.stats.Failed {
		fmt.Fprintln(r.con.err, "flowlog:", printable(say(f)))
	}
	err = r.endRejects(err)
	var many *parse.TooManyErrors
	if errors.As(err, &many) {
		return fmt.Errorf("stopped: %w, which is what --max-errors allows", many)
	}
	if err != nil || r.stats.Records+r.stats.Malformed+r.stats.Outside > 0 {
		return err
	}
	if len(r.stats.Failed) == 0 {
		return r.tellEmpty()
	}
	return r.unreadable()
}

// tellEmpty warns of an input that was read and has no records. That there was nothing to read is an error.
func (r *reader) tellEmpty() error {
	switch other := r.otherServices(); {
	case r.nothing() != nil: // which close says
	case r.stats.Objects == 0 && other != "":
		return errors.New("there is nothing to read: " + other)
	case r.stats.Objects == 0 && r.none.empty != "":
		if !r.quiet {
			fmt.Fprintln(r.con.err, printable("flowlog: warning: the dataset "+r.none.empty+" has no records yet"))
		}
	case r.stats.Objects == 0 && !r.none.done:
		return errors.New("there is nothing to read: the input has no files")
	case r.stats.Objects > 0 && !r.quiet:
		fmt.Fprintln(r.con.err, "flowlog: warning: there are no records in the input")
	}
	return nil
}

// unreadable is the error if no object could be read, and nil if some could. A missing permission is named.
func (r *reader) unreadable() error {
	if int64(len(r.stats.Failed)) < r.stats.Objects {
		return nil
	}
	for _, f := range r.stats.Failed {
		if accessDenied(f.Err) {
			return fmt.Errorf("no input could be read: %w", f.Err)
		}
	}
	return errors.New("no input could be read")
}

// endRejects completes the file of malformed records if the scan has ended as asked for, and discards it otherwise. It
// returns err or its own error.
func (r *reader) endRejects(err error) error {
	switch {
	case r.rejects == nil:
		return err
	case err == nil, r.partial && errors.Is(err, context.Canceled):
		return cmp.Or(err, r.rejects.commit())
	}
	return errors.Join(err, r.rejects.discard())
}

// shownColumns is how many columns a warning names, and longestColumn how many letters it shows of a name.
const (
	shownColumns  = 5
	longestColumn = 80
)

// warnOfColumns says which columns are none that AWS documents.
func (r *reader) warnOfColumns() {
	unknown := r.stats.Unknown
	if len(unknown) == 0 || r.quiet {
		return
	}
	first := unknown[0].Object
	where, them := schema.Shown(first), "s %s; they can be used by those names, as text"
	if slices.ContainsFunc(unknown, func(u parse.UnknownColumn) bool { return u.Object != first }) {
		where += " and others"
	}
	if len(unknown) == 1 {
		them = " %s; it can be used by that name, as text"
	}
	names := make([]string, min(len(unknown), shownColumns))
	for i := range names {
		if names[i] = unknown[i].Name; len(names[i]) > longestColumn {
			names[i] = names[i][:longestColumn] + "…"
		}
	}
	list := strings.Join(names, ", ")
	if more := len(unknown) - len(names); more > 0 {
		list += fmt.Sprintf(" and %s more", humanize.Comma(int64(more)))
	}
	fmt.Fprintln(r.con.err, printable("flowlog: warning: "+where+": this version does not know the column"+fmt.Sprintf(them, list)))
}

// warnOfOddValues says which values are none that AWS documents.
func (r *reader) warnOfOddValues() {
	var parts []string
	for _, o := range r.stats.Odd {
		parts = append(parts, fmt.Sprintf("%s of %s such as %q", o.Field, count(o.Records, "record"), o.Value))
	}
	if len(parts) > 0 && !r.quiet {
		fmt.Fprintln(r.con.err, printable("flowlog: warning: this version does not know these values, and keeps them: "+strings.Join(parts, "; ")))
	}
}

// shownSkipped is how many names a warning about skipped objects has.
const shownSkipped = 3

// warnOfCounting says what counts more than once, and what was not read.
func (r *reader) warnOfCounting() {
	if r.quiet {
		return
	}
	if other := r.otherServices(); other != "" && r.stats.Objects > 0 {
		fmt.Fprintln(r.con.err, printable("flowlog: "+other))
	}
	if n := len(r.stats.Twice); n > 0 {
		fmt.Fprintln(r.con.err, printable(fmt.Sprintf("flowlog: warning: %s given twice and counted twice, such as %s", count(int64(n), "object"), schema.Shown(r.stats.Twice[0]))))
	}
	if n := len(r.stats.Remakes); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %s more of the kind)", count(int64(n-1), "object"))
		}
		fmt.Fprintln(r.con.err, printable(fmt.Sprintf("flowlog: warning: flowlog parse made %s of %s, and both are read%s: their records count twice", schema.Shown(r.stats.Remakes[0].Name), schema.Shown(r.stats.Remakes[0].Of), more)))
	}
	for _, src := range r.from.sources {
		remote, ok := src.(*s3.Source)
		if !ok || len(remote.Skipped()) == 0 {
			continue
		}
		skipped, more := remote.Skipped(), ""
		if n := len(skipped) - shownSkipped; n > 0 {
			skipped, more = skipped[:shownSkipped], fmt.Sprintf(" and %d more", n)
		}
		for i, name := range skipped {
			skipped[i] = schema.Shown(name)
		}
		fmt.Fprintln(r.con.err, printable("flowlog: warning: not read, since it lies beside AWSLogs/: "+strings.Join(skipped, ", ")+more+"; name it to read it"))
	}
	if slices.ContainsFunc(r.from.sources, func(src parse.Source) bool { remote, ok := src.(*s3.Source); return ok && remote.Miscounted() }) {
		fmt.Fprintln(r.con.err, "flowlog: warning: the S3 server says of a page of its listing that it has another number of objects (KeyCount) than it lists: objects may be missing")
	}
	r.tellRenamed()
	if r.typed.logFormat && r.stats.Records > 0 && r.stats.Headerless == 0 {
		fmt.Fprintln(r.con.err, "flowlog: warning: --log-format is for records without a header, and all inputs say their fields: without effect")
	}
	if n := len(r.stats.Overlaps); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %s more)", count(int64(n-1), "pair"))
		}
		fmt.Fprintf(r.con.err, "flowlog: warning: flow logs %s%s log the same interfaces, whose flows count twice: --flow-log restricts to one\n", printable(r.stats.Overlaps[0]), more)
	}
}
