// Package list reads lists of addresses and networks in the forms in which they are published and exported: plain text with
// remarks, CSV, JSON lines, MISP's CSV, STIX 2.1 and the prefix lists of AWS. It also reads plain lists of other values.
//
//	content → form, told by content → entries: a value, its port and its other columns; and what was skipped, by reason
//
// Files, each uses only those above it:
//
//	list.go             what a list is
//	place.go            places in a file, for errors
//	column.go           columns by their titles
//	text.go csv.go      lines of text
//	stix.go json.go     JSON
//	read.go             the way in
package list

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// A List is what a file lists.
type List struct {
	Form    string   // such as "STIX 2.1", for people
	Columns []string // beside the value, in the spelling of the file
	Entries []Entry
	Skipped []Skip // in the order of their first lines
}

// An Entry is one value of a list.
type Entry struct {
	// Value is an address, a network or a range such as 10.0.0.1..10.0.0.9. In plain text it is as written, and may be none
	// of these: whoever takes it says so. In all other forms it is an address or a network without bits behind its mask.
	Value string
	Port  uint16 // that the entry is about, 0 if it is about all
	Line  int    // of the file, from 1
	Label string // the file's own short text about the entry, "" if it has none
	Cells []string
}

// A Skip is how many entries were left out for one reason.
type Skip struct {
	Reason string // completes "3 of …" or "3 that …": "of type domain", "that are no address or network"
	Count  int
	Line   int // of the first
}

// skip counts an entry that is left out.
func (l *List) skip(reason string, line int) {
	i := slices.IndexFunc(l.Skipped, func(s Skip) bool { return s.Reason == reason })
	if i < 0 {
		if len(l.Skipped) == maxReasons {
			reason = otherReason
			if i = maxReasons - 1; l.Skipped[i].Reason != reason {
				l.Skipped[i].Reason = reason
			}
		} else {
			i = len(l.Skipped)
			l.Skipped = append(l.Skipped, Skip{Reason: reason, Line: line})
		}
	}
	l.Skipped[i].Count++
}

// maxReasons bounds the reasons that are told apart: a type of a hostile file may be a new one in each line.
const (
	maxReasons  = 20
	otherReason = "for other reasons"
)

// add adds an entry whose value has to be an address or a network, or skips it.
func (l *List) add(value string, e Entry) {
	prefix, port, ok := network(value)
	if !ok {
		l.skip("that are no address or network", e.Line)
		return
	}
	if e.Value = prefix.String(); prefix.IsSingleIP() {
		e.Value = prefix.Addr().String()
	}
	if e.Port == 0 {
		e.Port = port
	}
	l.Entries = append(l.Entries, e)
}

// network reads an address or a network, or an address with a port as in 192.0.2.1:443, [2001:db8::1]:443 or 192.0.2.1|443.
// IPv4 in IPv6 becomes IPv4.
func network(s string) (p netip.Prefix, port uint16, ok bool) {
	s = strings.TrimSpace(s)
	if addr, digits, cut := strings.Cut(s, "|"); cut {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return p, 0, false
		}
		s, port = addr, uint16(n)
	} else if ap, err := netip.ParseAddrPort(s); err == nil {
		s, port = ap.Addr().String(), ap.Port()
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), port, a.Zone() == ""
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p != p.Masked() || port != 0 {
		return p, 0, false
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, 0, false
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p, 0, true
}

// Note says what was skipped, on one line, or returns "" if nothing was. file names the list.
func (l *List) Note(file string) string {
	if len(l.Skipped) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s): %s used; skipped %s", file, l.Form, entries(len(l.Entries)), l.skips())
}

// skips lists what was skipped, by reason.
func (l *List) skips() string {
	var parts []string
	for _, s := range l.Skipped {
		parts = append(parts, fmt.Sprintf("%s %s (first in line %d)", humanize.Comma(int64(s.Count)), s.Reason, s.Line))
	}
	return strings.Join(parts, ", ")
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return humanize.Comma(int64(n)) + " entries"
}
