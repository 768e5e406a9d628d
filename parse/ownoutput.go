package parse

import (
	"bytes"
	"path"
	"strings"

	"flowlog/parse/schema"
)

// An OwnError says that an object is an output of flowlog which holds no records.
type OwnError struct{ What, Instead string }

func (e *OwnError) Error() string {
	return "this is " + e.What + ", not a flow log: " + e.Instead
}

const readLogs = "read the logs that it was made of"

// errReport is the error for what `flowlog report` wrote, errPartial that for what it wrote to be merged.
var (
	errReport  = &OwnError{"a report of flowlog", readLogs}
	errPartial = &OwnError{"a partial result", "`flowlog merge` finishes it"}
)

// PassedOver is a part of the input that was found and not read, since its records are read elsewhere or it has none.
type PassedOver struct{ Name, Why string }

// A Passer is a Source that leaves out some of what it finds.
type Passer interface {
	// PassedOver returns what the listings so far have left out, in their order.
	PassedOver() []PassedOver
}

// nestedDataset is the reason to leave out a dataset inside of an input.
const nestedDataset = "a dataset of flowlog, which is an input of its own"

// NestedDataset is the dataset of this name, which was left out of an input.
func NestedDataset(name string) PassedOver { return PassedOver{name, nestedDataset} }

// InManifest reports whether a name with slashes is that of a file in the manifest of a dataset. root is the folder of the
// dataset, without a slash at its end.
func InManifest(name string) (root string, ok bool) {
	before, _, ok := strings.Cut("/"+name, "/"+schema.ManifestFolder+"/")
	return strings.TrimPrefix(before, "/"), ok
}

// Names reports whether a pattern with slashes names a folder by parts of its own, not by a ** that passes through it. A
// path without globs names itself and the folders above it.
func Names(pattern, folder string) bool {
	parts := strings.Split(path.Clean(pattern), "/")
	depth := strings.Count(path.Clean(folder), "/") + 1
	if pattern == "" || depth > len(parts) {
		return false
	}
	for _, part := range parts[:depth] {
		if strings.Contains(part, "**") {
			return false
		}
	}
	return true
}

// ownMarks are the beginnings of outputs of flowlog, with a text that they have near the beginning.
var ownMarks = []struct{ start, mark, what string }{
	{"<!DOCTYPE html>", `<meta name="generator" content="flowlog">`, "a page of flowlog"},
	{"<?xml", `<testsuites name="flowlog check"`, "a result of flowlog check"},
}

// ownOutput returns which output of flowlog content is that no format of records recognises, or nil.
func ownOutput(head []byte) error {
	for _, m := range ownMarks {
		if bytes.HasPrefix(head, []byte(m.start)) && bytes.Contains(head, []byte(m.mark)) {
			return &OwnError{m.what, readLogs}
		}
	}
	return nil
}

// underlined reports whether text begins with the line of dashes that tables for people have below the names of their
// columns, which may be those of a header.
func underlined(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.HasPrefix(line, []byte("─")) && len(bytes.Trim(line, "─ \r")) == 0
}

// drawn reports whether text without a header has a table as flowlog draws it for people: a line of dashes below the
// names of columns.
func drawn(head []byte) bool {
	const most = 12 // lines above it
	for range most {
		line, rest, more := bytes.Cut(head, []byte("\n"))
		text := strings.TrimSpace(string(line))
		if text != "" && (strings.Trim(text, "─ ") == "" || strings.HasPrefix(text, "| -") && strings.Trim(text, "|-: ") == "") {
			return true
		}
		if head = rest; !more {
			break
		}
	}
	return false
}
