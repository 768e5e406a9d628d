package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/group"
	"flowlog/report/sql"
)

// scripted is an engine that has an answer to each query in turn.
type scripted struct {
	answers []answer
	asked   []string
}

type answer struct {
	columns int
	rows    [][]any
	err     error
}

func (s *scripted) Run(_ context.Context, sql string) (Result, error) {
	s.asked = append(s.asked, sql)
	if len(s.answers) == 0 {
		return nil, errors.New("there are no more answers")
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return &next, next.err
}
func (s *scripted) Stats() Stats { return Stats{ID: fmt.Sprint(len(s.asked))} }
func (s *scripted) Close() error { return nil }

func (a *answer) Columns() []string { return make([]string, a.columns) }
func (a *answer) Next(context.Context) ([]any, error) {
	if len(a.rows) == 0 {
		return nil, io.EOF
	}
	row := a.rows[0]
	a.rows = a.rows[1:]
	return row, nil
}
func (a *answer) Close() error { return nil }

func half(t *testing.T, c report.Change) *group.Remote {
	t.Helper()
	base, _ := report.Named("talkers")
	r, err := base.With(c, expr.Scope{Fields: schema.Logged()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := slices.IndexFunc(sql.Dialects(), func(d sql.Dialect) bool { return d.Name == "trino" })
	split, err := sql.NewSplit(r, sql.Dialects()[d], schema.Logged(), "flows")
	if err != nil {
		t.Fatal(err)
	}
	m, err := group.NewRemote(split)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A report that has no rows is followed by queries that ask which fields flows have: they are run, and counted.
func TestFeedAsks(t *testing.T) {
	m := half(t, report.Change{Where: "flow_direction = ingress"})
	s := &scripted{answers: []answer{
		{columns: m.Width()},
		{columns: 4, rows: [][]any{{int64(9), int64(0), int64(9), int64(9)}}}, // srcaddr, flow_direction, bytes, packets
		{columns: 1, rows: [][]any{{int64(0)}}},
	}}
	var ran []string
	if err := Feed(t.Context(), s, m, nil, func(st Stats) { ran = append(ran, st.ID) }); err != nil {
		t.Fatal(err, s.asked)
	}
	if len(s.asked) != 3 || !slices.Equal(ran, []string{"1", "2", "3"}) {
		t.Errorf("%v were run:\n%s", ran, strings.Join(s.asked, "\n"))
	}
	_, lacks, err := m.Table(nil)
	if err != nil || lacks == nil || !slices.Equal(lacks.Fields, []string{"flow_direction"}) {
		t.Errorf("got %v, %v", lacks, err)
	}
}

// A column that the table does not have is named, whoever says so; all other errors are what they are.
func TestFeedNamesColumns(t *testing.T) {
	for said, want := range map[string]string{
		"line 3:12: Column 'flow_direction' cannot be resolved":                                                                               "flow_direction",
		"COLUMN_NOT_FOUND: line 5:5: Column 'flow_direction' cannot be resolved or requester is not authorized to access requested resources": "flow_direction",
		"line 3:12: Column 'sum_of_all' cannot be resolved":                                                                                   "",
		"line 1:1: Table 'hive.vpc.flow_direction' does not exist":                                                                            "",
	} {
		err := Feed(t.Context(), &scripted{answers: []answer{{err: errors.New(said)}}}, half(t, report.Change{By: []string{"flow_direction"}}), nil, func(Stats) {})
		var none *NoColumn
		if got := errors.As(err, &none); got != (want != "") || got && none.Field != want || !got && err.Error() != said {
			t.Errorf("%s: got %v", said, err)
		}
	}
}

// An answer to such a query that has no row, or several, is an error.
func TestFeedTakesOneRow(t *testing.T) {
	for _, rows := range [][][]any{nil, {{int64(1), int64(1), int64(1), int64(1)}, {int64(1), int64(1), int64(1), int64(1)}}, {{int64(1)}}} {
		m := half(t, report.Change{Where: "flow_direction = ingress"})
		err := Feed(t.Context(), &scripted{answers: []answer{{columns: m.Width()}, {columns: 4, rows: rows}}}, m, nil, func(Stats) {})
		if err == nil {
			t.Errorf("%v: got no error", rows)
		}
	}
}
