package schema

import (
	"fmt"
	"slices"
	"strings"
)

// meant are words that people try for fields, with the fields that they may mean.
var meant = map[string]string{
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

// bins are words for lengths of time, with the width of bins that they mean.
var bins = map[string]string{"second": "1s", "minute": "1m", "day": "1d", "week": "1w"}

// UnknownField is the error for a name that is none of the names of fields: it offers one that people call so, with others
// that have the word in their name, or else the nearest. List is the command that lists them all.
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
			if has && other != field && len(others) < likeNames {
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

// Meant returns the field that a word is tried for, or "". One such as addr stands for those of either end.
func Meant(word string) string { return meant[strings.ReplaceAll(strings.ToLower(word), "-", "_")] }

// likeNames is how many other names an error offers.
const likeNames = 4

// WidthOf returns the width of bins of time that a word means, or "".
func WidthOf(word string) string { return bins[strings.ToLower(word)] }

// Join lists words as a sentence does: commas between them, and a conjunction before the last.
func Join(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
