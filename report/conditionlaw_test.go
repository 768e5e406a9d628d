package report

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// conditionSamples are conditions of every type of Expr. A new type needs a line here.
var conditionSamples = []string{
	"dstport >= 443", "action != REJECT", "not bytes > 0",
	"srcport = dstport", "srcaddr != dstaddr", "start < end",
	"dstport in (22, 400..500)", "srcaddr in 10.0.0.0/31, 2001:db8::/124, 192.0.2.7", "srcaddr not in @nets.txt", "action in (ACCEPT, REJECT)",
	"interface_id like 'eni-1%'", "subnet_id not like 'subnet-_'",
	"action ~ /^RE/", "subnet_id !~ /b$/",
	"tcp_flags is null", "tcp_flags is not null",
	"tcp_flags has syn", "not tcp_flags has syn+ack",
	"bytes > 0 and dstport = 443", "action = ACCEPT or action = REJECT",
	"(dstport = 22 or dstport = 443) and (protocol = 6 or action is null)", "not (dstport = 22 and action = ACCEPT)", "not (dstport = 22 or srcaddr is null)",
}

// TestMeasuresWithConditions computes measures of the records that meet each type of condition, and of those that do not,
// record by record and in groups.
func TestMeasuresWithConditions(t *testing.T) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(16, 11)), fewer(150))
	sampled := make(map[string]bool)
	for _, text := range conditionSamples {
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		typesOf(e, sampled)
		for _, m := range []Measure{{Name: "met", Func: "count"}, {Name: "bytes", Func: "sum", Field: "bytes"}, {Name: "all", Func: "count", All: true}} {
			m.Where = e
			other := m
			other.Name, other.Where = "other", expr.Not{X: e}
			for _, keys := range [][]Key{nil, {{Field: "protocol"}}, {{Field: "srcaddr"}, {Field: "action"}}} {
				r := Report{Name: text, Keys: keys, Measures: []Measure{m, other}}
				tables, lacks, err := aggregate(t, []Report{r}, rows, 2, 20)
				if err != nil || len(lacks) > 0 {
					t.Fatalf("%s: %v, %v", text, lacks, err)
				}
				reporttest.Want(t, text+" of "+m.Name, result(tables[0]), result(naive(r, rows)))
			}
		}
	}
	for _, name := range conditionTypes(t) {
		if !sampled[name] {
			t.Errorf("%s has no line in conditionSamples", name)
		}
	}
}

// typesOf notes the types that a condition consists of.
func typesOf(e expr.Expr, types map[string]bool) {
	types[reflect.TypeOf(e).Name()] = true
	switch e := e.(type) {
	case expr.And:
		for _, x := range e {
			typesOf(x, types)
		}
	case expr.Or:
		for _, x := range e {
			typesOf(x, types)
		}
	case expr.Not:
		typesOf(e.X, types)
	}
}

// conditionTypes lists the types of conditions: those whose method Filter makes a filter.
func conditionTypes(t *testing.T) []string {
	t.Helper()
	names := receivers(t, "expr", "Filter")
	if len(names) < 10 {
		t.Errorf("only %v have a method Filter: the test does not find them any more", names)
	}
	return names
}

// receivers lists the types of the package in a folder that have a method.
func receivers(t *testing.T, dir, method string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(gotoken.NewFileSet(), filepath.Join(dir, f.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == method {
				if receiver, ok := m.Recv.List[0].Type.(*ast.Ident); ok {
					names[receiver.Name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
