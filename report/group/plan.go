package group

import "slices"

// A plan says where groupings get their groups from: from records, or derived from the groups of another grouping.
//
// Coarse groupings are derived from a finer one instead of being fed by each record. Where several reports have keys of
// low cardinality (protocol, action, time), records feed one inner grouping by all of these keys, which has few groups
// however many records there are. Other reports are coarser than another report: the groups by source and destination
// determine those by source, and those by what is looked up from addresses. Derivations are carried out at the end, when
// workers with the same plan have been merged, or before groups leave the worker, so that an address is looked up once.
//
// Functional dependencies depend on the fields that are present. The plan is made from the first batch, and made again
// when another field has a value.
type plan struct {
	inner       []groupSpec // that no report has; their indexes follow those of the layout
	derivations []derivation
	relied      []bool   // by field of the projection: the plan holds as long as the field is null in no flow
	enriched    []string // fields that are computed for each record
}

// A derivation is an edge of the plan: what the grouping to gets from the groups of the grouping from.
type derivation struct {
	from, to int
	groups   bool        // all groups of to come from these, and no flow is added to it
	where    []predicate // on keys that from determines: which of its groups count
	accs     []accSource // what accumulators of to get
	relied   []int       // fields of the projection that must not be null in any flow
}

// An accSource says what an accumulator is derived from.
type accSource struct {
	acc   int
	part  int         // the accumulator of the other grouping; or rowCount, or keyCodes
	where []predicate // on keys that the other grouping determines
}

const (
	rowCount = -1 // the number of rows of a group
	keyCodes = -2 // the code of a group's only key
)

// presence says which fields the flows so far have, by field of the projection.
type presence struct {
	had    []bool // some flow has a value
	lacked []bool // some flow has none
}

// holds reports whether the plan for one presence of fields is the plan for another one too.
func (p *plan) holds(before, now presence) bool {
	for i, relied := range p.relied {
		if relied && now.lacked[i] {
			return false
		}
	}
	return slices.Equal(before.had, now.had)
}

// equal reports whether two derivations are the same.
func (d derivation) equal(o derivation) bool {
	ids := func(where []predicate) (list []int) {
		for _, c := range where {
			list = append(list, c.id)
		}
		return list
	}
	same := func(a, b accSource) bool {
		return a.acc == b.acc && a.part == b.part && slices.Equal(ids(a.where), ids(b.where))
	}
	return d.from == o.from && d.to == o.to && d.groups == o.groups && slices.Equal(d.relied, o.relied) &&
		slices.Equal(ids(d.where), ids(o.where)) && slices.EqualFunc(d.accs, o.accs, same)
}

// due parts derivations that have not been carried out into those that are due, in an order in which each comes after those
// that its source needs, and those that wait and nothing due needs. A nil waits is none.
func due(pending []derivation, waits func(derivation) bool) (now, later []derivation) {
	taken := make([]bool, len(pending))
	var order []int // sources, each after those that it is derived from itself
	bySource := make(map[int][]derivation)
	var need func(g int, all bool)
	need = func(g int, all bool) {
		for i, d := range pending {
			if d.to != g || taken[i] || !all && waits != nil && waits(d) {
				continue
			}
			taken[i] = true
			need(d.from, true)
			if !slices.Contains(order, d.from) {
				order = append(order, d.from)
			}
			bySource[d.from] = append(bySource[d.from], d)
		}
	}
	for _, d := range pending {
		need(d.to, false)
	}
	for _, from := range order {
		now = append(now, bySource[from]...)
	}
	for i, d := range pending {
		if !taken[i] {
			later = append(later, d)
		}
	}
	return now, later
}
