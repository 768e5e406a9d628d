package sql

import (
	"slices"

	"flowlog/parse/schema"
)

// A sqlDerived is a field that flowlog computes from logged ones in a way that SQL can too. The others are computed by
// flowlog alone.
type sqlDerived struct {
	from []string // what it is computed from: a field of the same name that is computed from others is not this one
	sql  func(d *Dialect, from []sqlNode) sqlNode
}

// sqlDeriveds is THE table of such fields, by their names.
var sqlDeriveds = map[string]sqlDerived{
	"ip_version": {
		from: []string{"type", "srcaddr"},
		sql: func(d *Dialect, from []sqlNode) sqlNode {
			typ, addr := from[0], from[1]
			return sqlCall("coalesce", typ, caseNode{whens: []sqlWhen{{d.isIPv6(addr), textNode("IPv6")}, {notSQLNull(addr), textNode("IPv4")}}})
		},
	},
	"packets_lost": {
		from: []string{"packets_lost_no_route", "packets_lost_blackhole", "packets_lost_mtu_exceeded", "packets_lost_ttl_expired"},
		sql: func(_ *Dialect, from []sqlNode) sqlNode {
			var known []sqlNode
			for _, x := range from {
				known = append(known, sqlCall("coalesce", x, intNode(0)))
			}
			return sqlIf(notSQLNull(sqlCall("coalesce", from...)), sqlChain("+", known...))
		},
	},
}

// sqlDerivedOf is how SQL computes a field, or nil.
func sqlDerivedOf(f schema.Field) func(d *Dialect, from []sqlNode) sqlNode {
	own := sqlDeriveds[f.Name]
	if !slices.Equal(own.from, f.From) {
		return nil
	}
	return own.sql
}

// Expressible reports whether SQL has a field: it is logged, or computed in a way that SQL can too.
func Expressible(f schema.Field) bool {
	_, ok := schema.Logged().Lookup(f.Name)
	return ok || sqlDerivedOf(f) != nil
}
