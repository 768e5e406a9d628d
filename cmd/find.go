package cmd

import (
	"slices"

	"flowlog/parse/schema"
)

// find returns the index of a name. One that is not there is an error, which says what it should be the name of, the nearest
// that is there, and the command that lists all.
func find(what, name string, names []string, list string) (int, error) {
	i := slices.Index(names, name)
	if i < 0 {
		return i, schema.Unknown(what, name, names, list)
	}
	return i, nil
}

// namesOf lists the names of rows of a table.
func namesOf[T any](rows []T, name func(T) string) []string {
	var names []string
	for _, row := range rows {
		names = append(names, name(row))
	}
	return names
}
