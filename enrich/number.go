package enrich

import (
	"slices"
	"strings"
)

// Numbers returns a function that resolves a name, in any case, to the numbers of a field: protocol, srcport, dstport,
// service_port, traffic_path or encryption_status. It returns nil for other fields and unknown names. With nil,
// protocols have their built-in names.
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
			return enumValues(field, name)
		}
		return found
	}
}

// enumValues returns the numbers of an enumerated field that have a meaning, alone or as an alternative: 2 is "internet
// gateway or gateway endpoint", and both names find it.
func enumValues(field, name string) (found []int64) {
	if alias, ok := enumAliases[field+" "+strings.ToLower(name)]; ok {
		name = alias
	}
	for _, words := range enums {
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

// enumAliases maps common words, after the field's name, to AWS's meanings.
var enumAliases = map[string]string{
	"traffic_path igw": "internet gateway", "traffic_path internet-gateway": "internet gateway", "traffic_path internet_gateway": "internet gateway",
	"traffic_path vgw": "virtual private gateway", "traffic_path vpn": "virtual private gateway", "traffic_path local": "same VPC",
	"traffic_path endpoint": "gateway endpoint", "encryption_status none": "not encrypted", "encryption_status unencrypted": "not encrypted",
}

// portAliases maps common names that services does not have to ports.
var portAliases = map[string]int64{
	"dns": 53, "smb": 445, "msrpc": 135, "smtps": 465, "ms-sql-s": 1433, "postgres": 5432, "ms-wbt-server": 3389,
}

// protocolAliases maps common names that are no IANA keywords to protocols.
var protocolAliases = map[string]int64{"icmpv6": 58, "icmp6": 58, "ospf": 89, "ipip": 94}
