package schema

import (
	"fmt"
	"slices"
	"strings"
)

// fieldWords maps words that people type for fields to the fields.
var fieldWords = map[string]string{
	"src": "srcaddr", "source": "srcaddr", "src_ip": "srcaddr", "srcip": "srcaddr", "source_ip": "srcaddr", "sip": "srcaddr",
	"client": "srcaddr", "from": "srcaddr", "src_host": "srcaddr",
	"dst": "dstaddr", "dest": "dstaddr", "destination": "dstaddr", "dst_ip": "dstaddr", "dstip": "dstaddr", "dest_ip": "dstaddr",
	"destination_ip": "dstaddr", "dip": "dstaddr", "server": "dstaddr", "to": "dstaddr", "dst_host": "dstaddr",
	"ip": "addr", "host": "addr", "address": "addr", "ipaddr": "addr", "ip_address": "addr", "net": "addr",
	"sport": "srcport", "src_port": "srcport", "source_port": "srcport",
	"dport": "dstport", "dst_port": "dstport", "dest_port": "dstport", "destination_port": "dstport",
	"proto": "protocol", "ip_protocol": "protocol",
	"account": "account_id", "owner": "account_id", "instance": "instance_id", "vm": "instance_id", "vpc": "vpc_id", "subnet": "subnet_id",
	"eni": "interface_id", "interface": "interface_id", "nic": "interface_id", "zone": "az_id", "az": "az_id", "tgw": "tgw_id",
	"flags": "tcp_flags", "status": "log_status", "direction": "flow_direction", "dir": "flow_direction", "verdict": "action", "decision": "action",
	"size": "bytes", "octets": "bytes", "volume": "bytes", "pkts": "packets", "app": "service", "application": "service",
	"internet": "dst_scope", "org": "as_org", "timestamp": "start", "date": "start", "datetime": "start", "begin": "start", "stop": "end",
}

// binWords maps words for durations to bin widths.
var binWords = map[string]string{"second": "1s", "minute": "1m", "day": "1d", "week": "1w"}

// UnknownField is the error for a name that is no field. It suggests the field that people mean by the word, with others
// whose names contain it, or else the nearest name. list is the command that lists all fields.
func UnknownField(name string, names []string, list string) error {
	word := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	field := Meant(name)
	either := slices.Contains(names, "src"+field) && slices.Contains(names, "dst"+field)
	if field == "" || !either && !slices.Contains(names, field) {
		return Unknown("field", name, names, list)
	}
	var others []string
	for _, front := range []bool{true, false} {
		for _, other := range names {
			has := slices.Contains(strings.Split(other, "_"), word) && strings.HasPrefix(other, word) == front
			if has && other != field && len(others) < maxSuggestions {
				others = append(others, other)
			}
		}
	}
	also := ""
	if others != nil {
		also = " or " + strings.Join(others, ", ") + ";"
	}
	return fmt.Errorf("unknown field %q: did you mean %s?%s `%s` lists them", name, field, also, list)
}

// Meant returns the field that people mean by a word, or "". addr and port stand for the field of either end.
func Meant(word string) string {
	return fieldWords[strings.ReplaceAll(strings.ToLower(word), "-", "_")]
}

// maxSuggestions is how many further names an error offers: what fits on its line.
const maxSuggestions = 4

// WidthOf returns the bin width that a word means, or "".
func WidthOf(word string) string { return binWords[strings.ToLower(word)] }

// Unknown is the error for a name that does not exist. It offers the nearest name, and the command that lists them all.
func Unknown(what, name string, names []string, list string) error {
	return fmt.Errorf("unknown %s %q: %s`%s` lists them", what, name, DidYouMean(name, names), list)
}

// DidYouMean returns "did you mean NAME? " for the name nearest to s, to prefix the rest of an error, or "" if none is
// near.
func DidYouMean(s string, names []string) string {
	if near := Nearest(s, names); near != "" {
		return "did you mean " + near + "? "
	}
	return ""
}

// Nearest returns the name with the smallest edit distance to s, or "" if none is within a third of its length.
func Nearest(s string, names []string) string {
	s = strings.ReplaceAll(strings.ToLower(s), "-", "_")
	best, nearest := max(1, len(s)/3)+1, ""
	for _, name := range names {
		if d := edits(s, strings.ReplaceAll(name, "-", "_")); d < best {
			best, nearest = d, name
		}
	}
	return nearest
}

// edits is the Damerau-Levenshtein distance (optimal string alignment) of a and b.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := range len(a) {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

// Join writes words as a sentence does: commas between them, and a conjunction before the last.
func Join(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
