package parse

import (
	"bytes"
	"slices"
)

// An event is the position of the next event in a piece of JSON.
type event struct {
	start, end int
	depth      int  // number of containers on the way to the list that are open at end
	aside      bool // it is a part of the document beside the list
	open       bool // there is no event, and a document is not complete
}

// next finds the next event in data, which starts with depth containers open on the way to the list, or with 0 between
// documents. The part of a document before the list is an event beside the list, and so is each value after the list. A line
// that cannot start a document is an event too, which its decoder reports. If no event is complete, end is 0 and start is
// where the incomplete one begins.
//
// Long because it is one state machine over the bytes, whose states share its variables.
func (sh *shape) next(data []byte, depth int) event { // at len(list)+1 the list is open
	doc := 0
	seen := depth > 0 // the list, in this document
	passed := false   // there is a value before the list that may hold records
	var key []byte
	isKey := true
	for i := 0; i < len(data); {
		c := data[i]
		if c <= ' ' {
			i += leadingBlank(data[i:])
			continue
		}
		if depth == 0 && (c == ',' || c == '[' || c == ']') {
			i++
			continue
		}
		if depth == 0 {
			doc, seen, passed, isKey = i, false, false, true
			switch c {
			case '{':
				if len(sh.list) > 0 {
					depth, i = 1, i+1
					continue
				}
				fallthrough
			case '"':
				end := valueEnd(data, i)
				return event{start: i, end: end, open: end == 0}
			}
			if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
				return event{start: i, end: i + n + 1}
			}
			return event{start: i}
		}
		inList := depth == len(sh.list)+1
		inArray := inList || depth > 1 && sh.list[depth-1] == ""
		switch c {
		case ',':
			isKey = true
			i++
		case ':':
			isKey = false
			i++
		case '}', ']':
			depth--
			i++
			isKey = false
			if depth == 0 && !seen {
				return event{start: doc, end: i}
			}
		case '"', '{', '[':
			if c != '"' && !inList && (inArray && sh.list[depth-1] == "" || !inArray && !isKey && string(key) == sh.list[depth-1]) && c == sh.opens(depth) {
				depth, i, isKey = depth+1, i+1, true
				if depth == len(sh.list)+1 && !seen && passed {
					return event{start: doc, end: i, depth: depth, aside: true}
				}
				continue
			}
			end := valueEnd(data, i)
			if end == 0 {
				if !seen {
					return event{start: doc, open: true}
				}
				if !inList {
					i = len(data)
				}
				return event{start: i, open: true}
			}
			if inList {
				return event{start: i, end: end, depth: depth}
			}
			switch {
			case c == '"' && isKey && !inArray:
				key = data[i+1 : end-1]
			case end-i < shortestBeside:
			case seen:
				return event{start: i, end: end, depth: depth, aside: true}
			default:
				passed = true
			}
			i = end
		default:
			i++
		}
	}
	if depth > 0 && !seen {
		return event{start: doc, open: true}
	}
	return event{start: len(data), open: depth > 0}
}

// opens is the first byte of the next container on the way to the list.
func (sh *shape) opens(depth int) byte {
	if depth == len(sh.list) || sh.list[depth] == "" {
		return '['
	}
	return '{'
}

// stringEnd returns the end of the string that starts at data[i], or 0 if it is not complete.
func stringEnd(data []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(data[min(i, len(data)):], '"')
		if n < 0 {
			return 0
		}
		i += n
		slashes := 0
		for data[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// valueEnd returns the end of the string, object or array that starts at data[i], or 0 if it is not complete.
func valueEnd(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			if i = stringEnd(data, i); i == 0 || depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
		i++
	}
	return 0
}

// finished makes a document of the beginning of one: it closes the containers that are open after the last whole value.
func finished(data []byte) []byte {
	var open, closers []byte
	good := 0
	mark := func(i int) {
		good = i
		closers = append(closers[:0], open...)
	}
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			end := stringEnd(data, i)
			if end == 0 {
				i = len(data)
				break
			}
			i = end - 1
		case '{', '[':
			open = append(open, data[i]+2) // the closing one
			mark(i + 1)
		case '}', ']':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			mark(i + 1)
		case ',':
			if good != i {
				mark(i)
			}
		}
		if len(open) > maxDepth {
			break
		}
	}
	slices.Reverse(closers)
	return slices.Concat(data[:good], closers)
}

// maxDepth is the largest depth of nested documents.
const maxDepth = 300
