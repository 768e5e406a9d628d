package report

import (
	"slices"
	"strconv"
	"strings"
)

// A Setting is one thing that makes a table differ from the report of its name: a condition, a time, the side that
// flows are counted from. Name is that of the option that asks for it, and Value is what the option takes. Points in time are RFC 3339.
type Setting struct{ Name, Value string }

// Settings lists what the change sets, in the order of its fields.
func (c Change) Settings() []Setting {
	var list []Setting
	for _, s := range []Setting{
		{"by", strings.Join(c.By, ",")}, {"measures", strings.Join(c.Measures, ",")}, {"where", c.Where},
		{"having", c.Having}, {"every", c.Every}, {"sort", c.Sort},
	} {
		if s.Value != "" {
			list = append(list, s)
		}
	}
	if c.Top >= 0 {
		list = append(list, Setting{"top", strconv.Itoa(c.Top)})
	}
	return list
}

// A Request is what was asked of a run, apart from what each of its reports computes.
type Request struct {
	Places    []Place   `json:",omitempty"` // of the reports on a dashboard; nil if it is none
	Change    []Setting `json:",omitempty"` // what the user changes about all reports
	Selection []Setting `json:",omitempty"` // what is read and counted: times, accounts, the side that flows are counted from
}

// Shared leaves in the selection what another one has too: of parts that were read by different times, the whole is of
// neither.
func Shared(selection, other []Setting) []Setting {
	return slices.DeleteFunc(slices.Clone(selection), func(s Setting) bool { return !slices.Contains(other, s) })
}
