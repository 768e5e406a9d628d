package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A format is a flow log's choice and order of fields.
type format struct {
	header  string // names, as in the first line of a file
	version string // highest version among the fields, which is what their version column holds
	fields  []field
}

// newFormat makes a format of space-separated field names.
func newFormat(names string) format {
	f := format{header: names}
	newest := 0
	for name := range strings.FieldsSeq(names) {
		at := lookup(name)
		newest = max(newest, at.since)
		f.fields = append(f.fields, at)
	}
	f.version = strconv.Itoa(newest)
	return f
}

func lookup(name string) field {
	for _, table := range [][]field{fields, gatewayFields} {
		for _, f := range table {
			if f.name == name {
				return f
			}
		}
	}
	panic(fmt.Sprintf("no field is called %q", name))
}

// versionFormat has all fields that a version of flow logs has, in the documented order.
func versionFormat(version int) (format, error) {
	if version == 6 {
		return newFormat(gatewayFormat), nil
	}
	var names []string
	newest := 0
	for _, f := range fields {
		if f.since <= version {
			names = append(names, f.name)
			newest = max(newest, f.since)
		}
	}
	if newest != version {
		return format{}, fmt.Errorf("there is no flow log version %d: the versions are 2 to 11", version)
	}
	return newFormat(strings.Join(names, " ")), nil
}

// append writes one record as a line, with its newline.
func (f format) append(b []byte, r *record) []byte {
	for i, field := range f.fields {
		if i > 0 {
			b = append(b, ' ')
		}
		switch {
		case field.put == nil:
			b = append(b, f.version...)
		case !field.always && r.status != "OK":
			b = append(b, '-')
		default:
			b = field.put(b, r)
		}
	}
	return append(b, '\n')
}

// lines writes records as text, without a header.
func (f format) lines(records []record) []byte {
	var b []byte
	for i := range records {
		b = f.append(b, &records[i])
	}
	return b
}

// file writes records as AWS delivers them: the header, then a line for each.
func (f format) file(records []record) []byte {
	return append([]byte(f.header+"\n"), f.lines(records)...)
}
