package render

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// aliases are names that people try first, and endings of files.
var aliases = map[string]string{
	"md": "markdown", "jsonl": "ndjson", "jsonlines": "ndjson", "htm": "html", "text": "table", "pq": "parquet", "ipc": "arrow",
}

// foreign are formats of other tools, with what to take in their place.
var foreign = map[string]string{
	"xlsx": inSpreadsheets, "xls": inSpreadsheets, "ods": inSpreadsheets, "excel": inSpreadsheets,
	"yaml": "json is the nearest", "yml": "json is the nearest", "xml": "json is the nearest",
	"avro": "parquet is the nearest", "orc": "parquet is the nearest", "feather": "arrow is the nearest",
	"pdf": "html prints to one from a browser", "wide": "table has all columns",
}

const inSpreadsheets = "csv opens in Excel and other spreadsheets"

// Named returns which of the names of formats a user means, in any case and by other names for it; "" if none.
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

// Instead says what to take in place of a format of other tools that flowlog does not write; "" if it is none.
func Instead(name string) string { return foreign[strings.ToLower(strings.TrimSpace(name))] }

// UnknownFormat is the error for a name that is none of the names of formats. What says which formats these are.
func UnknownFormat(what, name string, names []string) error {
	hint := schema.DidYouMean(name, names)
	if instead := Instead(name); instead != "" {
		hint = instead + "; "
	}
	return fmt.Errorf("unknown %s %q: %sthere are %s", what, name, hint, strings.Join(names, ", "))
}

// Names lists the formats by their names.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Lookup finds a format by its name, in any case, or by another name for it.
func Lookup(name string) (Format, error) {
	names := Names()
	if i := slices.Index(names, Named(name, names)); i >= 0 {
		return Formats[i], nil
	}
	return Format{}, UnknownFormat("output format", name, names)
}
