package expr

import (
	"maps"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// portOf is the port at the end of the flow that an address is of. It is the zero Field for other addresses.
func portOf(addr schema.Field) schema.Field {
	for _, side := range []string{"src", "dst"} {
		if strings.HasSuffix(addr.Name, side+"addr") {
			f, _ := schema.Logged().Lookup(side + "port")
			return f
		}
	}
	return schema.Field{}
}

// HasPorts reports whether some items are about one port of an address.
func (e In) HasPorts() bool {
	return e.Field.Kind == schema.Addr && slices.ContainsFunc(e.Items, func(it Item) bool {
		return slices.ContainsFunc(it.Items, func(it Item) bool { return it.Port != 0 })
	})
}

// Spread is the same condition with what files hold in place of their names, and with conditions on the port for the items
// that are about one. Those come behind the condition that the address is among them, which few flows meet.
func (e In) Spread() Expr {
	byPort := make(map[uint16][]Item)
	var plain, ported []Item
	for _, it := range Flatten(nil, e.Items) {
		port := it.Port
		if it.Port = 0; port == 0 {
			plain = append(plain, it)
			continue
		}
		byPort[port] = append(byPort[port], it)
		ported = append(ported, it)
	}
	if ported == nil {
		return In{e.Field, plain}
	}
	var ports []Expr
	for _, port := range slices.Sorted(maps.Keys(byPort)) {
		ports = append(ports, And{In{e.Field, byPort[port]}, Compare{portOf(e.Field), Equal, int64(port)}})
	}
	with := ports[0]
	if len(ports) > 1 {
		with = And{In{e.Field, ported}, Or(ports)}
	}
	if plain == nil {
		// Of an address that is null the whole must be null, whatever the port is: so is this, which else is false.
		return Or{And{In{e.Field, ported[:1]}, Not{In{e.Field, ported[:1]}}}, with}
	}
	return Or{In{e.Field, plain}, with}
}

// Text is a condition as text, "" if there is none.
func Text(e Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// Inlined is a condition with what its files hold in place of their names: they may not be where it is read.
func Inlined(e Expr) Expr {
	switch e := e.(type) {
	case And:
		parts := make([]Expr, len(e))
		for i, x := range e {
			parts[i] = Inlined(x)
		}
		return All(parts...)
	case Or:
		parts := make([]Expr, len(e))
		for i, x := range e {
			parts[i] = Inlined(x)
		}
		return AnyOf(parts)
	case Not:
		return Not{X: Inlined(e.X)}
	case In:
		return e.Spread()
	}
	return e
}

func (e In) Fields(yield func(string)) {
	yield(e.Field.Name)
	if e.HasPorts() {
		yield(portOf(e.Field).Name)
	}
}
