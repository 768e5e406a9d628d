package dataset

import (
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// Settings must be the same for all runs that write to a dataset, since they decide its rows and columns. Columns are the
// first run's: commits can add more.
type Settings struct {
	Format      int      `json:"format"`
	PartitionBy []string `json:"partition_by"`
	Fields      []string `json:"fields"` // of --fields; null is all
	Enrich      bool     `json:"enrich,omitempty"`
	Where       string   `json:"where,omitempty"`
	Columns     []Column `json:"columns"`
	Doc         string   `json:"doc"` // what the dataset is, for people who open the file
}

// A Column is a column of the files. Its kind never changes, even if a later flowlog changes that of the field.
type Column struct {
	Name     string      `json:"name"`
	Kind     schema.Kind `json:"kind"`
	Enriched bool        `json:"enriched,omitempty"` // computed, not read
}

// format is the version of the manifest's format. Version 1 was JSON: see legacy.go.
const format = 2

// A SettingsError is the error for a dataset with other settings.
type SettingsError struct {
	What       *schema.Words
	Difference string
}

func (e *SettingsError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the message as one that names options.
func (e *SettingsError) Unwrap() error {
	return schema.Wordsf("its files are of a run with another %s: %s; say the same again or write to another place", e.What, e.Difference)
}

func otherSetting(option, difference string) *SettingsError {
	return &SettingsError{schema.Wordsf("%s", schema.Opt(option)), difference}
}

// agree compares the settings of a dataset with those of a run.
func (have Settings) agree(want Settings) error {
	list := func(names []string) string { return strings.Join(names, ",") }
	files := func(names []string) []string { // that are columns of the files
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(have.PartitionBy, name) })
	}
	for _, s := range []struct{ option, have, want string }{
		{"partition-by", list(have.PartitionBy), list(want.PartitionBy)},
		{"where", strconv.Quote(have.Where), strconv.Quote(want.Where)},
		{"enrich", strconv.FormatBool(have.Enrich), strconv.FormatBool(want.Enrich)},
	} {
		if s.have != s.want {
			return otherSetting(s.option, s.have+", not "+s.want)
		}
	}
	switch {
	case have.Fields == nil && want.Fields == nil:
		return nil
	case have.Fields == nil:
		return otherSetting("fields", "they have all fields, not "+list(want.Fields)+" alone")
	case want.Fields == nil:
		return otherSetting("fields", list(have.Fields)+", not all")
	}
	if d := difference(files(have.Fields), files(want.Fields)); d != "" {
		return otherSetting("fields", d)
	}
	return nil
}

// difference describes the names that only the run or only the dataset has, "" if there are none.
func difference(have, want []string) string {
	only := func(a, b []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) }), ", ")
	}
	var parts []string
	if names := only(have, want); names != "" {
		parts = append(parts, "leaves out "+names)
	}
	if names := only(want, have); names != "" {
		parts = append(parts, "adds "+names)
	}
	if parts == nil {
		return ""
	}
	return "this one " + strings.Join(parts, " and ")
}

// Fields are the columns of the files so far.
func (d *Dataset) Fields() schema.Table {
	var fields schema.Table
	for _, c := range d.columns {
		fields = append(fields, schema.Field{Name: c.Name, Kind: c.Kind, Doc: "a column of the dataset"})
	}
	return fields
}

// Columns are fields as columns.
func Columns(fields schema.Table) []Column {
	var columns []Column
	for _, f := range fields {
		columns = append(columns, Column{f.Name, f.Kind, len(f.From) > 0})
	}
	return columns
}

// Extend returns the columns of a run's files: the dataset's columns, with their order and kinds, then the run's new
// fields, which are null in older files. The run must have all enriched columns of the dataset; a field for which fixed
// is true cannot be new.
func (d *Dataset) Extend(run schema.Table, fixed func(name string) bool) (schema.Table, error) {
	if d.unwritten {
		return run, nil
	}
	var all schema.Table
	var computed []string // of the dataset
	for _, c := range d.columns {
		f, ok := run.Named(c.Name)
		if c.Enriched {
			computed = append(computed, c.Name)
		}
		if !ok || len(f.From) == 0 && f.Kind != c.Kind {
			f = schema.Field{Name: c.Name, Kind: c.Kind, Max: f.Max, Doc: "a column of the dataset"}
		}
		all = append(all, f)
	}
	var now []string
	for _, f := range run {
		_, there := all.Named(f.Name)
		if len(f.From) > 0 && (fixed(f.Name) && !there || slices.Contains(computed, f.Name)) {
			now = append(now, f.Name)
		}
		if !there {
			all = append(all, f)
		}
	}
	if diff := difference(computed, now); diff != "" {
		return nil, &SettingsError{schema.Wordsf("set of computed fields"), diff}
	}
	return all, nil
}
