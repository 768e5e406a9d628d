package reporttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"flowlog/report/expr"
)

// TypesOf notes the types that a condition consists of.
func TypesOf(e expr.Expr, types map[string]bool) {
	types[reflect.TypeOf(e).Name()] = true
	switch e := e.(type) {
	case expr.And:
		for _, x := range e {
			TypesOf(x, types)
		}
	case expr.Or:
		for _, x := range e {
			TypesOf(x, types)
		}
	case expr.Not:
		TypesOf(e.X, types)
	}
}

// ConditionTypes lists the types of conditions: those whose method Filter makes a filter.
func ConditionTypes(t *testing.T, dir string) []string {
	t.Helper()
	names := Receivers(t, dir, "Filter")
	if len(names) < 10 {
		t.Errorf("only %v have a method Filter: the test does not find them any more", names)
	}
	return names
}

// Receivers lists the types of the package in a folder that have a method.
func Receivers(t *testing.T, dir, method string) []string {
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
		tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, f.Name()), nil, 0)
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
