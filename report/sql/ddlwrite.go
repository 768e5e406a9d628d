package sql

import (
	"fmt"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/calendar"
	"flowlog/report/expr"
)

// types are the SQL types of the kinds of fields.
type types [schema.Text + 1]string

var (
	hiveTypes  = types{schema.Int32: "int", schema.Int64: "bigint", schema.Time: "bigint", schema.Float: "double", schema.Addr: "string", schema.Text: "string"}
	trinoTypes = types{schema.Int32: "integer", schema.Int64: "bigint", schema.Time: "bigint", schema.Float: "double", schema.Addr: "varchar", schema.Text: "varchar"}
	duckTypes  = types{schema.Int32: "INTEGER", schema.Int64: "BIGINT", schema.Time: "BIGINT", schema.Float: "DOUBLE", schema.Addr: "VARCHAR", schema.Text: "VARCHAR"}
)

// of returns the type of a partition.
func (t types) of(p partition) string {
	switch p.typ {
	case "":
		return t[schema.Text]
	case "int":
		return t[schema.Int32]
	}
	return p.typ
}

// columns are the fields with their types, and log_status if it has to be made up.
func (s *stored) columns(quote func(string) string, t types) []string {
	var list []string
	for _, f := range s.Fields {
		list = append(list, quote(f.Name)+" "+t[f.Kind])
	}
	if s.noStatus {
		list = append(list, quote(statusField.Name)+" "+t[schema.Text])
	}
	return list
}

// comments are what to know before and after the statement is run. next are the commands that come next.
func (s *stored) comments(next ...string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "-- "+format+"\n", args...) }
	line("Flow logs in %s, %s.", s.base+s.folders, s.say(s.format.Doc))
	if s.format.text {
		line("Every file has these columns in this order. Files of a flow log with another format need a table of their own.")
	}
	if s.noStatus {
		line("The format has no log-status: the column log_status is null, which is a flow.")
	}
	for _, p := range s.partitions {
		switch {
		case s.projected && !p.listed():
			line("A query must name %[1]s, as in WHERE %[1]s = '…'; with a list of all in the table it need not.", p.name)
		case s.projected && p.date != nil:
			line("Days before %s are not in the table.", s.Since.Format(time.DateOnly))
		}
	}
	for _, n := range next {
		line("%s", n)
	}
	return b.String()
}

// firstDay is a condition on the partitions that restricts a query to the first day, or nil.
func (s *stored) firstDay() sqlNode {
	var parts []sqlNode
	for _, p := range s.partitions {
		name := identNode(p.name)
		switch {
		case p.date == isoDay:
			parts = append(parts, sqlInfix(name, "=", typedNode{"DATE", p.lo}))
		case p.date != nil && p.date.hours:
			last := s.Since.Truncate(calendar.Day).Add(23 * time.Hour).Format(p.date.layout)
			parts = append(parts, betweenNode{name, textNode(p.lo), textNode(last)})
		case p.date != nil:
			parts = append(parts, sqlInfix(name, "=", textNode(p.lo)))
		case !p.listed() && s.projected:
			parts = append(parts, sqlInfix(name, "=", textNode("…")))
		}
	}
	return sqlAnd(parts...)
}

// say is the text of a message: for people where Say is set.
func (s *stored) say(message error) string {
	if s.Say == nil {
		return message.Error()
	}
	return s.Say(message)
}

// questions are the comments that say how to ask a day. Without Ask they name no command for reports.
func (s *stored) questions() []string {
	day := s.firstDay()
	query := s.selectAll(s.Table, day)
	list := []string{"Try it: " + query + " LIMIT 10"}
	if s.Ask == nil {
		return list
	}
	if day != nil {
		list = append(list, "Reports of a day: "+s.Ask(s.Dialect.Name, query, true))
	} else {
		list = append(list, "Reports: "+s.Ask(s.Dialect.Name, s.Table, false))
	}
	return list
}

// backtick quotes a name for Hive's language, in which Athena takes statements about tables.
func backtick(s string) string { return "`" + s + "`" }

// hiveText is a text in Hive's language, where two texts side by side are one.
func hiveText(s string) string {
	if strings.Contains(s, "'") {
		return doubleQuote(s)
	}
	return expr.Quote(s)
}

func doubleQuote(s string) string { return `"` + s + `"` }

// dotted quotes the parts of a table's name.
func dotted(quote func(string) string, name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, ".") {
		parts = append(parts, quote(part))
	}
	return strings.Join(parts, ".")
}

// list writes lines between brackets.
func list(lines []string) string { return "(\n  " + strings.Join(lines, ",\n  ") + "\n)" }
