package enrich

import (
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// derived returns the lookups that need neither a name table nor a file.
func derived() []Lookup {
	lookups := []Lookup{lossLookup(), versionLookup(), flagsLookup(), servicePortLookup(), serviceLookup()}
	for _, words := range enums {
		lookups = append(lookups, enumLookup(words.field, words.doc, words.meaning))
	}
	return lookups
}

// versionLookup computes the IP version: the logged type, or else that of the source address.
func versionLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "ip_version", Kind: schema.Text, From: []string{"type", "srcaddr"}, Values: []string{"IPv4", "IPv6", "EFA"},
			Doc: "IPv4, IPv6 or EFA: the type, or else what the source address is",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			if in[0] != nil && in[0].IsValid(row) {
				codes, words := schema.TextCodes(in[0])
				out.Text(words.Value(int(codes[row])))
				return
			}
			a, ok := address(in[1:], row)
			switch {
			case !ok:
				out.Null()
			case a.Is4():
				out.Text("IPv4")
			default:
				out.Text("IPv6")
			}
		},
	}
}

// tcpFlags are the names of the bits of tcp_flags, from the lowest on. Source: RFC 9293, section 3.1.
var tcpFlags = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}

// flagsLookup names the bits of tcp_flags. 0 stands for packets with none of the flags that AWS records.
func flagsLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "tcp_flags_names", Kind: schema.Text, Case: schema.LowerOrUpper, From: []string{"tcp_flags"}, Names: "tcp_flags",
			Doc: "The TCP flags by name, such as SYN+ACK; none for 0, which is traffic within a connection",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			n, ok := integer(in, row)
			if !ok || n < 0 {
				out.Null()
				return
			}
			if n == 0 {
				out.Text("none")
				return
			}
			var names []string
			for i, name := range tcpFlags {
				if n>>i&1 == 1 {
					names = append(names, name)
				}
			}
			if rest := n >> len(tcpFlags) << len(tcpFlags); rest != 0 {
				names = append(names, strconv.FormatInt(rest, 10))
			}
			out.Text(strings.Join(names, "+"))
		},
	}
}

// enums are the enumerated fields: AWS documents a meaning for each number. Source: Amazon VPC User Guide, "Flow log
// records". Path 6 meant a local gateway in older editions, and 7 and 8 are what newer instances log for 2.
var enums = []struct {
	field, doc string
	meaning    []string // by number
}{
	{"traffic_path", "What the number of the path stands for", []string{
		1: "same VPC", 2: "internet gateway or gateway endpoint", 3: "virtual private gateway",
		4: "VPC peering in the region", 5: "VPC peering to another region", 6: "Local Zone or Wavelength Zone",
		7: "gateway endpoint", 8: "internet gateway",
	}},
	{"encryption_status", "What the number of the status stands for", []string{
		0: "not encrypted", 1: "by Nitro", 2: "by the application", 3: "by Nitro and the application",
	}},
}

func enumLookup(field, doc string, meaning []string) Lookup {
	return Lookup{
		Field: schema.Field{Name: field + "_name", Kind: schema.Text, From: []string{field}, Names: field, Values: nonEmpty(meaning), Doc: doc},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			if n, ok := integer(in, row); ok && 0 <= n && int(n) < len(meaning) && meaning[n] != "" {
				out.Text(meaning[n])
			} else {
				out.Null()
			}
		},
	}
}

// nonEmpty returns the words without the empty ones.
func nonEmpty(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
}

// servicePort guesses the server's port: the one with a known name if the other has none, else the lower one, since
// clients get high (ephemeral) ports. It is false for a flow without ports.
func servicePort(in []arrow.Array, row int) (int64, bool) {
	src, ok := integer(in[:1], row)
	dst, ok2 := integer(in[1:], row)
	switch {
	case !ok || !ok2 || src == 0 && dst == 0:
		return 0, false
	case src == 0 || dst == 0:
		return max(src, dst), true
	case (services[src] != "") != (services[dst] != ""):
		if services[src] != "" {
			return src, true
		}
		return dst, true
	}
	return min(src, dst), true
}

var ports = []string{"srcport", "dstport"}

func servicePortLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "service_port", Kind: schema.Int32, Max: 65535, From: ports,
			Doc: "Port of the side that is the service: the one with a known name, else the lower one",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			port, ok := servicePort(in, row)
			if !ok {
				out.Null()
				return
			}
			out.Fill()
			out.Int32 = append(out.Int32, int32(port))
		},
	}
}

func serviceLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "service", Kind: schema.Text, From: ports, Values: serviceNames,
			Doc: "What the service port is known for, such as https, or else its number",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			port, ok := servicePort(in, row)
			switch {
			case !ok:
				out.Null()
			case services[port] != "":
				out.Text(services[port])
			default:
				out.Text(strconv.FormatInt(port, 10))
			}
		},
	}
}
