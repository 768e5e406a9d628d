package additions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Every function, type and variable of a package that is not exported is used in it. What a row of a table should
// name, and no row does, is found here: a format without its row, or a lookup.
func TestUnused(t *testing.T) {
	type thing struct{ dir, name string }
	declared := make(map[thing]string)
	uses := make(map[thing]int)
	set := token.NewFileSet()
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".cache" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(name)
		for _, decl := range file.Decls {
			for _, id := range namesOf(decl) {
				if !id.IsExported() && id.Name != "_" && id.Name != "main" {
					declared[thing{dir, id.Name}] = set.Position(id.Pos()).String()
					uses[thing{dir, id.Name}]-- // the declaration is found below too
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				uses[thing{dir, id.Name}]++
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(declared) < 1000 {
		t.Fatalf("found %d declarations", len(declared))
	}
	for thing, at := range declared {
		if uses[thing] < 1 {
			t.Errorf("%s: nothing uses %s: is a row of a table missing?", at, thing.name)
		}
	}
}

// namesOf lists the names that a declaration has at the top of its package.
func namesOf(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Body != nil { // or else an assembler's, by build tags
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var all []*ast.Ident
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				all = append(all, s.Name)
			case *ast.ValueSpec:
				if d.Tok == token.VAR || len(d.Specs) == 1 { // of several constants, some are there to count
					all = append(all, s.Names...)
				}
			}
		}
		return all
	}
	return nil
}
