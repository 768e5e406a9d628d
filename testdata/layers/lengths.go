package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// reason begins the line of a comment that says why something is long.
const reason = "Long because "

// states reports whether one of the comments gives a reason.
func states(comments ...*ast.CommentGroup) bool {
	for _, c := range comments {
		for _, line := range strings.Split(c.Text(), "\n") {
			if strings.HasPrefix(line, reason) {
				return true
			}
		}
	}
	return false
}

// long says which structs, functions and files are longer than allowed, and do not say why.
func (p *pkg) long(fields, function, file int) []string {
	var found []string
	say := func(pos token.Pos, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: ", p.file(pos), p.fset.Position(pos).Line)+fmt.Sprintf(format, args...)+", and no comment above says "+strings.TrimSpace(reason))
	}
	for _, f := range p.syntax {
		if ast.IsGenerated(f) {
			continue
		}
		if n := p.fset.File(f.Package).LineCount(); n > file && !states(head(f)...) {
			say(f.Package, "the file has %d lines", n)
		}
		for _, d := range f.Decls {
			p.longIn(d, fields, function, say)
		}
	}
	return found
}

// head is the comments before the first declaration that is no import, but for its own.
func head(f *ast.File) []*ast.CommentGroup {
	end := f.FileEnd
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		end = d.Pos()
		if doc := docOf(d); doc != nil {
			end = doc.Pos()
		}
		break
	}
	var before []*ast.CommentGroup
	for _, c := range f.Comments {
		if c.Pos() < end {
			before = append(before, c)
		}
	}
	return before
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

// longIn looks into one declaration. A reason stands above it, or above the type in a group of types.
func (p *pkg) longIn(d ast.Decl, fields, function int, say func(token.Pos, string, ...any)) {
	lines := func(n ast.Node) int { return p.fset.Position(n.End()).Line - p.fset.Position(n.Pos()).Line + 1 }
	stated := states(docOf(d))
	if f, ok := d.(*ast.FuncDecl); ok {
		// From the keyword on: its own comment does not count.
		if n := p.fset.Position(f.End()).Line - p.fset.Position(f.Type.Func).Line + 1; n > function && !stated {
			say(f.Name.Pos(), "%s has %d lines", f.Name.Name, n)
		}
	}
	name, nameStated := "a struct", false
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			name, nameStated = n.Name.Name, states(n.Doc)
		case *ast.StructType:
			if k := n.Fields.NumFields(); k > fields && !stated && !nameStated {
				say(n.Pos(), "%s has %d fields", name, k)
			}
		case *ast.FuncLit:
			if _, inFunc := d.(*ast.FuncDecl); !inFunc && lines(n) > function && !stated {
				say(n.Pos(), "a function has %d lines", lines(n))
			}
		}
		return true
	})
}
