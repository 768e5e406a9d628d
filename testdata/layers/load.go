package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// A pkg is a package whose types are known.
type pkg struct {
	path, dir string
	fset      *token.FileSet
	syntax    []*ast.File
	info      *types.Info
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	ImportMap               map[string]string
	DepOnly                 bool
}

// load type-checks the packages that the patterns name. Those that they import are read as the compiler wrote them.
func load(patterns []string) ([]*pkg, error) {
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,ImportMap,DepOnly", "--"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var named []listed
	exports := make(map[string]string)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[l.ImportPath] = l.Export
		if !l.DepOnly {
			named = append(named, l)
		}
	}
	var packages []*pkg
	for _, l := range named {
		p, err := typed(l, exports)
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// typed type-checks one package.
func typed(l listed, exports map[string]string) (*pkg, error) {
	p := &pkg{path: l.ImportPath, dir: l.Dir, fset: token.NewFileSet(), info: &types.Info{
		Defs: make(map[*ast.Ident]types.Object),
		Uses: make(map[*ast.Ident]types.Object),
	}}
	for _, name := range l.GoFiles {
		f, err := parser.ParseFile(p.fset, filepath.Join(l.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.syntax = append(p.syntax, f)
	}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[cmp.Or(l.ImportMap[path], path)])
	})}
	_, err := conf.Check(l.ImportPath, p.fset, p.syntax, p.info)
	return p, err
}

// files are the names of the files.
func (p *pkg) files() []string {
	var names []string
	for _, f := range p.syntax {
		names = append(names, p.file(f.Package))
	}
	return names
}

// file is the name of the file that a position is in.
func (p *pkg) file(pos token.Pos) string { return filepath.Base(p.fset.Position(pos).Filename) }

// comment is the text of the comments of the package.
func (p *pkg) comment() string {
	var text string
	for _, f := range p.syntax {
		text += f.Doc.Text()
	}
	return text
}

// A use is a name of a file that another file uses.
type use struct {
	from, to string
	name     string // with the type before it, if it is a method
	line     int    // of the first use in from
}

// describe says why a use runs against the order.
func (u use) describe(rank map[string]int) string {
	where := "stands below it"
	from, ok := rank[u.from]
	to, known := rank[u.to]
	switch {
	case !ok || !known:
		where = "is not in the list beside it"
	case from == to:
		where = "stands beside it"
	}
	return fmt.Sprintf("%s:%d: uses %s of %s, which %s", u.from, u.line, u.name, u.to, where)
}

// uses are all names that a file uses and another one declares, each once, in the order of files and lines.
func (p *pkg) uses() []use {
	first := make(map[use]int)
	for id, obj := range p.info.Uses {
		switch o := obj.(type) { // of what is generic, what was declared
		case *types.Func:
			obj = o.Origin()
		case *types.Var:
			obj = o.Origin()
		}
		if obj.Pkg() == nil || obj.Pkg().Path() != p.path {
			continue
		}
		u := use{from: p.file(id.Pos()), to: p.file(obj.Pos()), name: qualified(obj)}
		if _, isPackage := obj.(*types.PkgName); isPackage || u.from == u.to {
			continue
		}
		if line := p.fset.Position(id.Pos()).Line; first[u] == 0 || line < first[u] {
			first[u] = line
		}
	}
	var all []use
	for u, line := range first {
		u.line = line
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.line, b.line), cmp.Compare(a.to, b.to), cmp.Compare(a.name, b.name))
	})
	return all
}

// qualified is the name of what is declared, with the type of a method.
func qualified(obj types.Object) string {
	f, ok := obj.(*types.Func)
	if !ok {
		return obj.Name()
	}
	recv := f.Signature().Recv()
	if recv == nil {
		return obj.Name()
	}
	t := recv.Type()
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name() + "." + obj.Name()
	}
	return obj.Name()
}
