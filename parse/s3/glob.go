package s3

import (
	"context"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// root searches what the URL names.
func (s *Source) root() *search {
	switch {
	case strings.ContainsAny(s.path, "*?[{"):
		return s.glob("", s.path)
	case s.path == "" || strings.HasSuffix(s.path, "/"):
		return s.inside(s.path)
	}
	return s.named(s.path)
}

// glob searches what matches a pattern under a folder, which is "" or ends in a slash. It goes down the
// pattern folder by folder, so that nothing is listed that cannot match.
func (s *Source) glob(folder, pattern string) *search {
	for {
		name, rest, more := cutPattern(pattern)
		meta := strings.IndexAny(name, `*?[{\`)
		if meta < 0 {
			if !more {
				return s.named(folder + name)
			}
			if rest == "" {
				return s.inside(folder + name + "/")
			}
			folder, pattern = folder+name+"/", rest
			continue
		}
		if !doublestar.ValidatePattern(pattern) {
			return &search{name: folder + pattern, run: func(context.Context, func(...found)) error {
				return fmt.Errorf("%q is not a pattern: a bracket or brace is not closed", pattern)
			}}
		}
		if strings.Contains(name, "**") || strings.Contains(name, "/") {
			return s.flat(folder+name[:meta], func(key string) bool { return matches(pattern, key[len(folder):]) })
		}
		file := func(key string) bool { return !more && matches(name, key[len(folder):]) }
		return s.folder(folder+name[:meta], file, func(sub, last string) *search {
			switch {
			case !matches(name, last):
				return nil
			case rest == "":
				return s.inside(sub)
			}
			return s.glob(sub, rest)
		})
	}
}

func matches(pattern, name string) bool {
	return doublestar.MatchUnvalidated(pattern, name)
}

// cutPattern cuts a pattern at its first slash that is not in braces or brackets.
func cutPattern(pattern string) (name, rest string, more bool) {
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '/':
			if depth == 0 {
				return pattern[:i], pattern[i+1:], true
			}
		}
	}
	return pattern, "", false
}
