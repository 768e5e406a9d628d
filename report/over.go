package report

import (
	"fmt"
	"slices"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// What reports are over: the records of the logs, or the connections that these are of.
const (
	Records     = ""
	Connections = "connections"
)

// connectionMark is the field by which a table of fields is known to be that of connections.
var connectionMark = schema.Field{Name: "resumed", Kind: schema.Text, Values: []string{"false", "true"}}

// ofConnections reports whether fields are those of connections.
func ofConnections(fields schema.Table) bool {
	_, ok := fields.Named(connectionMark.Name)
	return ok
}

// connectionWhere is a condition on what a connection is told by.
func connectionWhere(text string) expr.Expr {
	e, err := expr.Parse(text, expr.Scope{Fields: schema.Table{connectionMark, {Name: "state", Kind: schema.Text}}})
	if err != nil {
		panic(err)
	}
	return e
}

// connectionMeasures is THE table of measures of connections that have names of their own, beside those of records whose
// fields connections have too.
var connectionMeasures = []Measure{
	{Name: "connections", Func: "count", Where: connectionWhere("resumed = false"), Unit: Count, Doc: "connections, those that go on after a gap once"},
	{Name: "resumed", Func: "count", Where: connectionWhere("resumed = true"), Unit: Count, Doc: "times that a connection went on after the idle time"},
	{Name: "bytes_up", Func: "sum", Field: "bytes_up", Unit: Bytes, Doc: "bytes from clients to servers"},
	{Name: "bytes_down", Func: "sum", Field: "bytes_down", Unit: Bytes, Doc: "bytes from servers to clients"},
	{Name: "longest", Func: "max", Field: "seconds", Unit: Seconds, Doc: "the longest time from a start to an end, in seconds"},
	{Name: "lasted", Func: "sum", Field: "seconds", Unit: Seconds, Doc: "the time from starts to ends added up, in seconds"},
}

// ConnectionMeasures lists the named measures of connections.
func ConnectionMeasures() []Measure { return slices.Clone(connectionMeasures) }

// notOfConnections are the measures of records that connections cannot have, with the reason.
var notOfConnections = map[string]string{
	"flows":          "counts records, and a connection is made of several: the measure connections counts these",
	"accepted":       "counts records by action, of which a connection may have both: its state is refused if it was not accepted",
	"rejected":       "counts records by action, of which a connection may have both: its state is refused if it was rejected",
	"rejected_share": "counts records by action, of which a connection may have both: its state is refused if it was rejected",
	"nodata":         "counts records without traffic, of which no connection is made",
	"skipdata":       "counts records about lost flows, of which no connection is made",
}

// connectionMeasure finds a named measure of connections. It is an error for a measure that only records have.
func connectionMeasure(name string) (Measure, bool, error) {
	for _, m := range connectionMeasures {
		if m.Name == name {
			return m, true, nil
		}
	}
	if reason, ok := notOfConnections[name]; ok {
		return Measure{}, false, fmt.Errorf("%s %s", name, reason)
	}
	return Measure{}, false, nil
}

// connectionReports are the reports over connections.
var connectionReports = []Report{
	{
		Name: "connections", Doc: "Who opens connections to whom, and what goes up and down", Over: Connections,
		Next: schema.Wordsf("long-connections for those that last; no-answer for those that fail; %s for what became of them", schema.Opt("by", "client,server,server_port,state")),
		Keys: keys("client server server_port protocol"), Measures: ofNamed("connections bytes_up bytes_down longest"), Limit: 10,
	},
	{
		Name: "long-connections", Doc: "Connections that last the longest, each with what it carried", Over: Connections,
		Next: schema.Wordsf("connections for the hosts that open them; %s for what is still open", schema.Opt("where", "state = open")),
		Keys: keys("client client_port server server_port protocol"), Measures: ofNamed("lasted bytes_up bytes_down connections resumed"), Limit: 10,
	},
	{
		Name: "no-answer", Doc: "Connections that were refused or that nobody answered, by what was asked", Over: Connections,
		Next:  schema.Wordsf("%s for who asks; rejected for what rules refuse", schema.Opt("by", "client,server,server_port")),
		Where: connectionWhere("state in (no_answer, refused)"), Keys: keys("server server_port protocol state"),
		Measures: append(ofNamed("connections"), Measure{Name: "clients", Func: "distinct", Field: "client", Unit: Count}), Limit: 10,
	},
}

// ofNamed returns measures of connections by their names, which must exist.
func ofNamed(names string) []Measure {
	var ms []Measure
	for _, k := range keys(names) {
		m, ok, _ := connectionMeasure(k.Field)
		if !ok {
			panic("no measure " + k.Field)
		}
		ms = append(ms, m)
	}
	return ms
}
