package cmd

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A setting is the value of a flag that is not on the command line.
type setting struct {
	values []string // one for each entry of a YAML list, else one
	list   bool     // it is a YAML list
	each   bool     // a command line would name the flag once for each of the values
	origin string   // file:line:column, or $NAME
	file   *settingsFile
	saved  bool // it is part of the saved report that runs
}

// text is the value in the form of the command line.
func (s setting) text() string { return strings.Join(s.values, ",") }

// entries are the values that a flag of several gets: text is split at commas.
func (s setting) entries(f *pflag.Flag) ([]string, error) {
	if _, list := f.Value.(pflag.SliceValue); list && !s.list {
		return splitList(s.values[0])
	}
	return slices.Clone(s.values), nil
}

// set sets a flag to the value.
func (s setting) set(c *cobra.Command, f *pflag.Flag) error {
	values := slices.Clone(s.values)
	if conditions, ok := f.Value.(*conditionValue); ok {
		if err := conditions.Replace(values); err != nil {
			return fmt.Errorf("%s: %s: %w", s.origin, f.Name, err)
		}
		f.Changed = true
		return nil
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		var err error
		if values, err = s.entries(f); err != nil {
			return fmt.Errorf("%s: %s: %w", s.origin, f.Name, err)
		}
		for i, v := range values {
			values[i] = s.path(f, v)
		}
		if len(values) == 0 {
			return nil
		}
		if err := list.Replace(values); err != nil {
			return fmt.Errorf("%s: %s: %w", s.origin, f.Name, err)
		}
		f.Changed = true
		return nil
	}
	if s.list {
		return fmt.Errorf("%s: %s takes one value, not a list", s.origin, f.Name)
	}
	if err := c.Flags().Set(f.Name, s.path(f, values[0])); err != nil {
		return fmt.Errorf("%s: %s: %w", s.origin, f.Name, badValue(f, values[0], err))
	}
	return nil
}

// badValue is the error for a value that a flag does not accept, in words that need no Go.
func badValue(f *pflag.Flag, value string, err error) error {
	if what := kinds[f.Value.Type()]; what != "" {
		return notNumber(value, what, err)
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// notNumber is the error for a text that strconv does not take as what it should be.
func notNumber(text, what string, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s is too large", text)
	}
	return fmt.Errorf("%q is not %s", text, what)
}

// kinds says what values the types of flags have.
var kinds = map[string]string{
	"bool":     "true or false",
	"int":      "a whole number",
	"int64":    "a whole number",
	"float64":  "a number",
	"duration": "a duration such as 5m",
}

// splitList splits a list at commas, as flags do: "a,b" in quotes is one entry.
func splitList(s string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(s))
	r.TrimLeadingSpace = true
	list, err := r.Read()
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list, err
}

// path makes the name of a file that stands in a file of settings one that can be opened: ~/ is the home
// directory, as in a shell, and a relative name is relative to the file of settings. A flag takes a file if
// its help says so.
func (s setting) path(f *pflag.Flag, value string) string {
	if s.file == nil {
		return value
	}
	prefix := ""
	switch kind, _ := pflag.UnquoteUsage(f); {
	case kind == "file":
	case strings.HasSuffix(kind, "=file"):
		name, file, ok := strings.Cut(value, "=")
		if !ok {
			return value
		}
		prefix, value = name+"=", file
	default:
		return value
	}
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			value = filepath.Join(home, rest)
		}
	} else if value != "" && !filepath.IsAbs(value) {
		value = filepath.Join(filepath.Dir(s.file.path), value)
	}
	return prefix + value
}
