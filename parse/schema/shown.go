package schema

import (
	"strconv"
	"strings"
)

// Shown is a name as a message shows it: as it is if each character is printed, or else in quotes and with Go's escapes.
// Names of files and objects can have line ends, control characters, and those that have no width or turn the direction
// of writing. What comes of them is on one line and has none of these.
func Shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) || strings.ToValidUTF8(name, "") != name {
		return strconv.Quote(name)
	}
	return name
}
