package cmd

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestOptionNames holds the packages below cmd to their language: no text of theirs has a flag, and each option that they
// name is a flag of some command.
func TestOptionNames(t *testing.T) {
	con := &console{in: new(bytes.Buffer), out: new(bytes.Buffer), err: new(bytes.Buffer), settings: readSettings([]string{"--config", "none"}, func(string) string { return "" })}
	flags := make(map[string]bool)
	var collect func(c *cobra.Command)
	collect = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		for _, sub := range c.Commands() {
			collect(sub)
		}
	}
	collect(newRoot(con, []string{"report"}))
	flag := regexp.MustCompile(`(^|[^-])--[a-z]`)
	texts, options := 0, 0
	for _, root := range []string{"../parse", "../enrich", "../report"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && d.Name() == "setup" {
				return filepath.SkipDir // its texts are commands of the aws tool, which has flags of its own
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
						texts++
						if flag.MatchString(text) && !strings.Contains(text, "aws ") && !strings.Contains(text, "--query") { // a command of the aws tool has its own
							t.Errorf("%s: %q names a flag: name the option, as in schema.Opt", set.Position(n.Pos()), text)
						}
					}
				case *ast.CallExpr:
					if name := literal(n, "Opt"); name != "" {
						options++
						if !flags[name] {
							t.Errorf("%s: there is no flag --%s", set.Position(n.Pos()), name)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if texts < 1000 || options < 50 {
		t.Errorf("%d texts and %d options were found: the test looks in the wrong place", texts, options)
	}
}

// literal is the first argument of a call of a function, if that is a text and the function has this name; else "".
func literal(call *ast.CallExpr, function string) string {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if name != function || len(call.Args) == 0 {
		return ""
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return text
}
