package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/aws/describe"
	"flowlog/parse/schema"
)

// A tally is what a run of inventory has come to.
type tally struct {
	accounts, regions []string
	files             int
	missing           int // calls
	refused           int // profiles and roles
	interfaces        int
	first             error // that was told
}

// add counts a snapshot that was written.
func (t *tally) add(s *describe.Snapshot) {
	t.files++
	t.interfaces += s.Counts["NetworkInterfaces"]
	if !slices.Contains(t.accounts, s.Account) {
		t.accounts = append(t.accounts, s.Account)
	}
	if !slices.Contains(t.regions, s.Region) {
		t.regions = append(t.regions, s.Region)
	}
}

// fail tells of an identity that cannot be had, and counts it.
func (t *tally) fail(v *inventorying, where string, err error) {
	t.refused++
	t.first = cmp.Or(t.first, err)
	fmt.Fprintln(v.con.err, printable("flowlog: "+where+sayPlural(err)))
}

// sayPlural is the text of an error with the flags of inventory, which takes several values where other commands take one.
func sayPlural(err error) string {
	return schema.Say(err, func(o schema.Option) string {
		if o.Name == "profile" || o.Name == "region" {
			o.Name += "s"
		}
		return asFlag(o)
	})
}

// A pluralError is an error of inventory, with its flags.
type pluralError struct{ error }

func (e pluralError) Error() string { return sayPlural(e.error) }
func (e pluralError) Unwrap() error { return e.error }

// said makes an error one with the flags of inventory.
func (v *inventorying) said(err error) error {
	if err == nil {
		return nil
	}
	return pluralError{err}
}

func (v *inventorying) note(text string) {
	if !v.quiet {
		fmt.Fprintln(v.con.err, printable("flowlog: note: "+text))
	}
}

// shownActions is how many calls a line about a failure names.
const shownActions = 3

// tellFailed tells which calls are missing from a snapshot, and why.
func (v *inventorying) tellFailed(s *describe.Snapshot, t *tally) {
	for _, f := range s.Failed {
		names := strings.Join(f.Actions[:min(len(f.Actions), shownActions)], ", ")
		if more := len(f.Actions) - shownActions; more > 0 {
			names += " and " + count(int64(more), "more call")
		}
		t.missing += len(f.Actions)
		t.first = cmp.Or(t.first, f.Err)
		fmt.Fprintln(v.con.err, printable(fmt.Sprintf("flowlog: %s %s: without %s: %s", s.Account, s.Region, names, sayPlural(f.Err))))
	}
}

// A noSnapshotError ends an inventory of which nothing was written. Why was printed.
type noSnapshotError struct{ first error }

func (e noSnapshotError) Error() string { return "no snapshot was written" }
func (e noSnapshotError) Unwrap() error { return e.first }

// tell prints the closing line, and returns what the exit code goes by.
func (v *inventorying) tell(t *tally) error {
	if t.files == 0 {
		return noSnapshotError{t.first}
	}
	if !v.quiet {
		line := fmt.Sprintf("flowlog: %s of %s in %s, with %s", count(int64(t.files), "snapshot"), count(int64(len(t.accounts)), "account"), count(int64(len(t.regions)), "region"), count(int64(t.interfaces), "interface"))
		if t.missing > 0 {
			line += fmt.Sprintf("; %s missing", count(int64(t.missing), "call"))
		}
		if t.refused > 0 {
			line += fmt.Sprintf("; %s could not be used", fmt.Sprintf("%d %s", t.refused, either(int64(t.refused), "profile or role", "profiles or roles")))
		}
		fmt.Fprintln(v.con.err, line)
	}
	if t.missing+t.refused > 0 {
		return errIncomplete
	}
	return nil
}
