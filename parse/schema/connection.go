package schema

import "slices"

// connectionNames are names of fields that connections have and records have not.
var connectionNames = []string{
	"client", "server", "client_port", "server_port", "bytes_up", "bytes_down", "packets_up", "packets_down", "state", "how", "windows", "resumed",
}

// AreConnections reports whether columns of these names are those of connections that flowlog wrote: two or more of the
// names are theirs alone, and there is no address that only records have.
func AreConnections(names []string) bool {
	n := 0
	for _, name := range names {
		switch {
		case slices.Contains(connectionNames, name):
			n++
		case name == "srcaddr" || name == "dstaddr" || name == "pkt_srcaddr" || name == "pkt_dstaddr":
			return false
		}
	}
	return n >= 2
}

// OfConnections reports whether a table is that of connections.
func (p *Projection) OfConnections() bool { return p.Knows("resumed") && p.Knows("client") }
