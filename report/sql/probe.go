package sql

import "flowlog/report"

// Probed is what a probe looks for.
type Probed int

const (
	SomeFields Probed = iota
	AnyFlow
	AnyRecord // also one that is no flow
)

// probeRows is how many flows a probe looks at: each has one of the fields that are looked for.
const probeRows = 1000

// Probe is a query that counts, in a few flows of the time that the report is of, the fields that are looked for. It finds
// one at least unless no flow has any. Or it counts flows, or records, up to one.
func (s *Split) Probe(what Probed, names []string) (string, error) {
	flows := report.Report{Name: s.Report.Name, Within: s.Report.Within}
	q := s.Source.query(&flows)
	some, last := layer{name: "some", limit: probeRows}, layer{}
	var has orNode
	for i, name := range names {
		x := q.field(q.known(name))
		has = append(has, notSQLNull(x))
		some.add(x, name)
		last.add(sqlCall("count", x), numbered(seenName, i))
	}
	if what == AnyRecord {
		q.records.where = nil
	}
	if what != SomeFields {
		some, last = layer{name: "some", limit: 1}, layer{}
		some.add(intNode(1), "one")
		last.add(sqlCall("count", sqlStar), countName)
	}
	var any, during sqlNode
	if len(has) > 0 {
		any = parensNode{has}
	}
	if flows.Within != nil {
		during = q.condition(flows.Within)
	}
	some.where = sqlAnd(any, during)
	if err := q.refusal(); err != nil {
		return "", err
	}
	return q.checked(append(q.base(), some, last), nil, 0)
}
