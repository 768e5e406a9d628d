package enrich

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// ofConnections has the field of a connection for each field of a record that lookups are computed from and that
// connections have. Lookups from others have no counterpart.
var ofConnections = map[string]string{
	"pkt_srcaddr": "client", "srcaddr": "client", "pkt_dstaddr": "server", "dstaddr": "server",
	"srcport": "client_port", "dstport": "server_port", "protocol": "protocol",
	"interface_id": "interface_id", "account_id": "account_id", "vpc_id": "vpc_id", "region": "region",
}

// connectionPrefixes are the beginnings of names of lookups, and those of their counterparts.
var connectionPrefixes = [][2]string{{"srcport", "client_port"}, {"dstport", "server_port"}, {"src_", "client_"}, {"dst_", "server_"}}

// OfConnections returns the lookups of connections, by lookups of records: what is known of a source is known of a
// client, as client_…, and what of a destination of a server. Further ones add up both directions and name the service.
func OfConnections(lookups []Lookup) []Lookup {
	all := []Lookup{
		sumLookup("bytes", "Bytes of both directions"), sumLookup("packets", "Packets of both directions"), serverLookup(),
	}
	for _, l := range lookups {
		var from []string
		known := len(l.From) > 0
		for _, name := range l.From {
			counterpart, ok := ofConnections[name]
			known = known && ok
			if !slices.Contains(from, counterpart) {
				from = append(from, counterpart)
			}
		}
		if !known || len(from) > 1 {
			continue
		}
		l.From, l.Name, l.Names = from, OfConnection(l.Name), OfConnection(l.Names)
		l.Doc = strings.NewReplacer("pkt_srcaddr, or else srcaddr", "the client", "pkt_dstaddr, or else dstaddr", "the server",
			"source port", "client's port", "destination port", "server's port").Replace(l.Doc)
		all = append(all, l)
	}
	return all
}

// OfConnection is the counterpart of the name of a field of records, or of a lookup.
func OfConnection(name string) string {
	if field, ok := ofConnections[name]; ok {
		return field
	}
	for _, p := range connectionPrefixes {
		if rest, ok := strings.CutPrefix(name, p[0]); ok {
			return p[1] + rest
		}
	}
	return name
}

// OfRecord is the name of the field of records, or of the lookup, whose counterpart has the name.
func OfRecord(name string) string {
	for _, p := range connectionPrefixes {
		if rest, ok := strings.CutPrefix(name, p[1]); ok {
			return p[0] + rest
		}
	}
	return name
}

// KnownService reports whether a TCP or UDP port is that of a known service.
func KnownService(_ uint8, port uint16) bool { return services[int64(port)] != "" }

// sumLookup adds up name_up and name_down.
func sumLookup(name, doc string) Lookup {
	return Lookup{
		Field: schema.Field{Name: name, Kind: schema.Int64, Doc: doc, From: []string{name + "_up", name + "_down"}},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			var sum uint64
			known := false
			for _, a := range in {
				if a, ok := a.(*array.Int64); ok && a.IsValid(row) {
					sum += uint64(a.Value(row))
					known = true
				}
			}
			if !known || sum > math.MaxInt64 {
				out.Null()
				return
			}
			out.Fill()
			out.Int64 = append(out.Int64, int64(sum))
		},
	}
}

// serverLookup names the service of a connection.
func serverLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "service", Kind: schema.Text, From: []string{"server_port"}, Values: serviceNames,
			Doc: "What the server's port is known for, such as https, or else its number",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			port, ok := integer(in, row)
			switch {
			case !ok || port == 0:
				out.Null()
			case services[port] != "":
				out.Text(services[port])
			default:
				out.Text(strconv.FormatInt(port, 10))
			}
		},
	}
}
