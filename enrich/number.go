package enrich

import (
	"slices"
	"strings"
)

// Numbers returns a function that says which numbers of a field go by a name, whatever its case: those of
// protocol, srcport, dstport and service_port. With nil the names of protocols are the built-in ones. For other fields and
// names it returns nil.
func Numbers(names *ProtocolNames) func(field, name string) []int64 {
	if names == nil {
		names = &protocols
	}
	return func(field, name string) []int64 {
		var found []int64
		switch field {
		case "protocol":
			if n, ok := protocolAliases[strings.ToLower(name)]; ok {
				return []int64{n}
			}
			for n, keyword := range names {
				if keyword != "" && strings.EqualFold(keyword, name) {
					found = append(found, int64(n))
				}
			}
		case "srcport", "dstport", "service_port":
			if n, ok := portAliases[strings.ToLower(name)]; ok {
				return []int64{n}
			}
			for port, service := range services {
				if strings.EqualFold(service, name) {
					found = append(found, port)
				}
			}
			slices.Sort(found)
		}
		return found
	}
}

// portAliases are names that people ask for in place of those that are shown.
var portAliases = map[string]int64{
	"dns": 53, "smb": 445, "msrpc": 135, "smtps": 465, "ms-sql-s": 1433, "postgres": 5432, "ms-wbt-server": 3389,
}

// protocolAliases are names that people use in place of IANA's keywords.
var protocolAliases = map[string]int64{"icmpv6": 58, "icmp6": 58, "ospf": 89, "ipip": 94}
