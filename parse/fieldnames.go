package parse

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"flowlog/parse/schema"
)

// This file maps names of the input to fields, for the readers of all formats.

// field returns the name of the field that a name of the input stands for, or "" if it cannot be the name of one.
func (opt Options) field(name string) string {
	if field, ok := opt.renamed(name); ok {
		return field
	}
	return schema.FieldNamed(schema.CanonicalName(name))
}

// RenameKey is the form in which Options.Rename has a name of the input: case, blanks, - and _ make no difference.
func RenameKey(name string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// renamed returns the field that Options.Rename has for a name of the input.
func (opt Options) renamed(name string) (string, bool) {
	if len(opt.Rename) == 0 {
		return "", false
	}
	key := RenameKey(name)
	field, ok := opt.Rename[key]
	if ok && opt.Renamed != nil {
		opt.Renamed.met.Store(key, true)
	}
	return field, ok
}

// MetNames collects names that the input has. Any goroutine may use it.
type MetNames struct{ met sync.Map }

// Has reports whether the input has a name.
func (n *MetNames) Has(name string) bool {
	_, ok := n.met.Load(name)
	return ok
}

// fields returns the fields that the names of the columns, or of the members, of one record stand for; "" is a name that
// cannot be a field's. If several names stand for one field, it is the one that was renamed to it, else the field's own
// name, else the first; the others are columns of their own names.
func (opt Options) fields(raw []string) []string {
	own, names := make([]string, len(raw)), make([]string, len(raw))
	renamed, has := make(map[string]bool), make(map[string]bool)
	for i, name := range raw {
		field, ok := opt.renamed(name)
		if ok {
			renamed[field] = true
		} else {
			own[i] = schema.CanonicalName(name)
			field = schema.FieldNamed(own[i])
			has[own[i]] = true
		}
		names[i] = field
	}
	for i, field := range names {
		switch {
		case own[i] == "": // it was renamed, or is no name
		case renamed[field] && own[i] == field:
			names[i] = "" // there is no other name for it
		case own[i] != field && (renamed[field] || has[field]):
			names[i] = own[i]
		}
	}
	return names
}

// displaces reports whether one of the names was renamed to a field, which may leave another without a name.
func (opt Options) displaces(raw []string) bool {
	return slices.ContainsFunc(raw, func(name string) bool { _, ok := opt.renamed(name); return ok })
}

// measures are names of columns that reports have and records have not.
var measures = []string{"flows", "rejected", "accepted", "bps", "pps", "nodata", "skipdata", "malformed", "rejected_share", "change_share"}

func isMeasure(name string) bool {
	return slices.Contains(measures, name) || strings.HasPrefix(name, "distinct_")
}

// notFlowLog returns why columns or members of these names are not those of a flow log, or nil if they are: all of them are
// known, or there are both addresses, or the interface and both times. A name that is "" cannot be a field's.
func notFlowLog(names []string, p *schema.Projection) error {
	var known, unknown []string
	for _, name := range names {
		if p.Knows(name) {
			known = append(known, name)
		} else {
			unknown = append(unknown, cmp.Or(name, "one that cannot be a field's"))
		}
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(known, name) })
	}
	switch {
	case slices.ContainsFunc(unknown, isMeasure):
		return errReport
	case len(known) > 0 && len(unknown) == 0, has("srcaddr", "dstaddr"), has("pkt_srcaddr", "pkt_dstaddr"), has("interface_id", "start", "end"):
		return nil
	}
	return schema.Wordsf("these are no flow logs: %s, without both addresses or the interface and both times; "+
		"if they are, %s", seen(known, unknown), advice(known, unknown))
}

// RecordColumns reports whether a header of these names is read as that of flow logs. p has the fields that are known.
func RecordColumns(names []string, p *schema.Projection) bool {
	return notFlowLog(Options{}.fields(names), p) == nil
}

// advice says how to read columns whose names are not known.
func advice(known, unknown []string) *schema.Words {
	names := make([]string, len(unknown))
	for i, name := range unknown {
		names[i] = RenameKey(name)
	}
	guesses := slices.DeleteFunc(schema.Guesses(names), func(g schema.Renaming) bool { return slices.Contains(known, g.Field) })
	if len(guesses) == 0 {
		return schema.Wordsf("say which field a column is with %s", schema.Opt("rename", "theirs=field"))
	}
	return schema.Wordsf("name their fields with %s", schema.RenameOption(guesses))
}

// seen lists the names of the input.
func seen(known, unknown []string) string {
	list := func(names []string) string {
		const most = 6
		more := ""
		if len(names) > most {
			names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
		}
		return clip(strings.Join(names, ", ")) + more
	}
	if len(known) == 0 {
		return "no name is that of a field, but " + list(unknown)
	}
	return "the names are " + list(known) + ", and not known are " + list(unknown)
}

// refused is notFlowLog for a format. If Options.Input names that format, one known name is enough.
func (opt Options) refused(format string, names []string, p *schema.Projection) error {
	err := notFlowLog(names, p)
	switch known := slices.ContainsFunc(names, p.Knows); {
	case err == nil, err == errReport, !known:
		return err
	case opt.Input == format:
		return nil
	}
	return schema.Wordsf("%w, or name the format with %s", err, schema.Opt("input-format", format))
}

// holding is refused for a format whose metadata says what a file of flowlog holds: records of parse are flow logs,
// whichever columns they have. what is "" if the metadata does not say.
func (opt Options) holding(format, what string, names []string, p *schema.Projection) error {
	switch what {
	case schema.FlowRecords:
		return nil
	case schema.ReportRecords:
		return errReport
	}
	return opt.refused(format, names, p)
}

// wholeRecords adds advice to the error of a columnar file without fields, if a column of text may hold whole records.
func wholeRecords(err error, columns []string) error {
	i := slices.IndexFunc(columns, func(name string) bool {
		name = strings.ToLower(strings.TrimPrefix(name, "@"))
		return name == "message" || slices.Contains(textColumns, name)
	})
	if i < 0 || errors.As(err, new(*OwnError)) {
		return err
	}
	return fmt.Errorf("%w; if each text in %s is a whole record, write them as lines, which flowlog reads: duckdb -noheader -list -c 'select \"%s\" from \"FILE\"'", err, clip(columns[i]), clip(columns[i]))
}
