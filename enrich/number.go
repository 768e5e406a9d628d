package enrich

import (
	"slices"
	"strings"
)

// Numbers returns a function that says which numbers of a field go by a name, whatever its case: those of
// protocol, srcport, dstport, service_port, traffic_path and encryption_status. With nil the names of protocols are the
// built-in ones. For other fields and names it returns nil.
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
		default:
			return meant(field, name)
		}
		return found
	}
}

// meant returns the numbers of a field of numbered that mean what a name says, or may: "internet gateway" is one of the two
// things that 2 stands for.
func meant(field, name string) (found []int64) {
	if alias, ok := meaningAliases[field+" "+strings.ToLower(name)]; ok {
		name = alias
	}
	for _, words := range numbered {
		if words.field != field {
			continue
		}
		for n, meaning := range words.meaning {
			for _, one := range append(strings.Split(meaning, " or "), meaning) {
				if strings.EqualFold(one, name) || strings.EqualFold(one, "by "+name) {
					found = append(found, int64(n))
					break
				}
			}
		}
	}
	return found
}

// meaningAliases are what people call the meaning of numbers, by field and word.
var meaningAliases = map[string]string{
	"traffic_path igw": "internet gateway", "traffic_path internet-gateway": "internet gateway", "traffic_path internet_gateway": "internet gateway",
	"traffic_path vgw": "virtual private gateway", "traffic_path vpn": "virtual private gateway", "traffic_path local": "same VPC",
	"traffic_path endpoint": "gateway endpoint", "encryption_status none": "not encrypted", "encryption_status unencrypted": "not encrypted",
}

// portAliases are names that people ask for in place of those that are shown.
var portAliases = map[string]int64{
	"dns": 53, "smb": 445, "msrpc": 135, "smtps": 465, "ms-sql-s": 1433, "postgres": 5432, "ms-wbt-server": 3389,
}

// protocolAliases are names that people use in place of IANA's keywords.
var protocolAliases = map[string]int64{"icmpv6": 58, "icmp6": 58, "ospf": 89, "ipip": 94}
