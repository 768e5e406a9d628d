package render

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// aliases maps other names of formats, and file extensions, to formats.
var aliases = map[string]string{
	"md": "markdown", "jsonl": "ndjson", "jsonlines": "ndjson", "htm": "html", "text": "table", "pq": "parquet", "ipc": "arrow",
}

// foreign maps formats that flowlog does not write to a suggestion.
var foreign = map[string]string{
	"xlsx": inSpreadsheets, "xls": inSpreadsheets, "ods": inSpreadsheets, "excel": inSpreadsheets,
	"yaml": "json is the nearest", "yml": "json is the nearest", "xml": "json is the nearest",
	"avro": "parquet is the nearest", "orc": "parquet is the nearest", "feather": "arrow is the nearest",
	"pdf": "html prints to one from a browser", "wide": "table has all columns",
}

const inSpreadsheets = "csv opens in Excel and other spreadsheets"

// Named returns the one of names that a user means, in any case or by an alias; "" if none.
func Named(name string, names []string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if full, ok := aliases[name]; ok {
		name = full
	}
	if slices.Contains(names, name) {
		return name
	}
	return ""
}

// Instead suggests a format in place of one that flowlog does not write, or returns "".
func Instead(name string) string { return foreign[strings.ToLower(strings.TrimSpace(name))] }

// UnknownFormat is the error for a name that is no format. what describes the formats.
func UnknownFormat(what, name string, names []string) error {
	hint := schema.DidYouMean(name, names)
	if instead := Instead(name); instead != "" {
		hint = instead + "; "
	}
	return fmt.Errorf("unknown %s %q: %sthere are %s", what, name, hint, strings.Join(names, ", "))
}

// Names lists the names of the formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Lookup finds a format by name, in any case, or by alias.
func Lookup(name string) (Format, error) {
	names := Names()
	if i := slices.Index(names, Named(name, names)); i >= 0 {
		return Formats[i], nil
	}
	return Format{}, UnknownFormat("output format", name, names)
}
