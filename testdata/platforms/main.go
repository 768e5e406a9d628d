// Platforms checks that flowlog compiles for other systems and processors: types and build tags of every file, without the
// code of the modules that it uses, whose compilation takes a minute for each platform.
//
//	go list -deps → files of a platform → parse → check of types, bodies of our own functions only
//
//	go run ./testdata/platforms darwin/arm64 windows/amd64
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	failed := false
	for _, platform := range os.Args[1:] {
		n, err := check(platform)
		fmt.Printf("%s: %d packages of ours\n", platform, n)
		if err != nil || n == 0 {
			failed = true
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct{ Main bool }
}

// An importer knows the packages that were checked, by the names that one package imports them by.
type importer struct {
	done map[string]*types.Package
	as   map[string]string
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if as, ok := i.as[path]; ok {
		path = as
	}
	if p := i.done[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s was not checked", path)
}

// check checks the program for a platform such as darwin/arm64, and returns how many packages of ours it has.
func check(platform string) (ours int, err error) {
	system, processor, _ := strings.Cut(platform, "/")
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Module", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return 0, fmt.Errorf("go list: %w", err)
	}
	done := make(map[string]*types.Package)
	files := token.NewFileSet()
	var faults []error
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return ours, errors.Join(faults...)
		} else if err != nil {
			return ours, err
		}
		if p.ImportPath == "unsafe" {
			continue
		}
		mine := p.Module != nil && p.Module.Main
		if mine {
			ours++
		}
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return ours, err
			}
			parsed = append(parsed, f)
		}
		conf := types.Config{
			Importer: importer{done, p.ImportMap}, Sizes: types.SizesFor("gc", processor), IgnoreFuncBodies: !mine, FakeImportC: true,
			Error: func(err error) { faults = append(faults, fmt.Errorf("%s: %w", platform, err)) },
		}
		done[p.ImportPath], _ = conf.Check(p.ImportPath, files, parsed, nil) // Error has all
	}
}
