package schema

import (
	"strconv"
	"strings"
)

// Shown returns a name as messages print it: unchanged if each character is printable, or else quoted with Go's escapes.
// Names of files and objects can contain line ends, control characters, and characters without width or that change the
// direction of writing.
func Shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) || strings.ToValidUTF8(name, "") != name {
		return strconv.Quote(name)
	}
	return name
}
