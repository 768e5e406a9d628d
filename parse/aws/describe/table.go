package describe

import (
	"slices"
)

// Calls returns the calls of an inventory, in the order in which they are made: those of every inventory, and those that
// words of Words ask for.
func Calls(with ...string) []*Call {
	var all []*Call
	for i := range always {
		all = append(all, &always[i])
	}
	for i := range onRequest {
		if slices.Contains(with, onRequest[i].With) {
			all = append(all, &onRequest[i])
		}
	}
	return all
}

// Words returns the words that ask for further calls.
func Words() []string {
	var all []string
	for _, c := range onRequest {
		if !slices.Contains(all, c.With) {
			all = append(all, c.With)
		}
	}
	return all
}
