// Layers checks that the files of a package use each other in one direction, and that nothing in it is too long.
//
//	go run ./testdata/layers -limit 3 ./report/group
//
// The order of files is a list in the comment of the package, below a line that says so. Each line of the list begins with
// one file, or with several that stand side by side and do not use each other; what follows is a description.
//
//	Files, each uses only those above it:
//
//		cells.go            numbers of groups
//		count.go sum.go     functions
//		group.go            the way in
//
// A use is a file and a name that another file declares: a function, type, method, field, variable or constant. Each use of
// a file that does not stand above is printed; more than -limit of them fail. Tests are not looked at. -suggest prints
// an order with few uses against it.
//
// A struct of more than 12 fields, a function of more than 60 lines and a file of more than 400 fail too, unless the comment
// above it has a line that begins with "Long because". For a file that is any comment before its first declaration.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var (
	limit     = flag.Int("limit", 0, "allow so many uses against the order in each package")
	suggest   = flag.Bool("suggest", false, "print an order with few uses against it, and check nothing")
	lengths   = flag.Bool("lengths", false, "check lengths alone, for packages without a list of files")
	maxFields = flag.Int("fields", 12, "allow structs of so many fields")
	maxFunc   = flag.Int("func", 60, "allow functions of so many lines")
	maxFile   = flag.Int("file", 400, "allow files of so many lines")
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./testdata/layers [flags] PACKAGE ...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	packages, err := load(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
	failed := false
	for _, p := range packages {
		if *suggest {
			uses := p.uses()
			order := suggestion(p.files(), uses)
			against := 0
			for _, u := range uses {
				if slices.Index(order, u.to) > slices.Index(order, u.from) {
					against++
				}
			}
			fmt.Printf("%s: %d uses between files, %d against this order\n// %s\n//\n", p.path, len(uses), against, intro)
			for _, name := range order {
				fmt.Printf("//\t%s\n", name)
			}
			continue
		}
		if problems := check(p); len(problems) > 0 {
			failed = true
			fmt.Printf("%s: FAILED\n\t%s\n", p.path, strings.Join(problems, "\n\t"))
		}
	}
	if failed {
		os.Exit(1)
	}
}

// check prints the uses against the order, and returns what fails.
func check(p *pkg) []string {
	problems := p.long(*maxFields, *maxFunc, *maxFile)
	if *lengths {
		return problems
	}
	rank, wrong := p.order()
	if rank == nil {
		return append(problems, wrong...)
	}
	problems = append(problems, wrong...)
	uses := p.uses()
	var against int
	pairs := make(map[[2]string]bool) // of files, and whether one use between them is against the order
	for _, u := range uses {
		pair := [2]string{u.from, u.to}
		if pairs[pair] = !above(rank, u); pairs[pair] {
			against++
			fmt.Println(u.describe(rank))
		}
	}
	wrongPairs := 0
	for _, wrong := range pairs {
		if wrong {
			wrongPairs++
		}
	}
	fmt.Printf("%s: %d uses between files in %d pairs, %d against the order in %d pairs\n", p.path, len(uses), len(pairs), against, wrongPairs)
	if against > *limit {
		problems = append(problems, fmt.Sprintf("%d uses run against the order of files, %d are allowed", against, *limit))
	}
	return problems
}

// intro is the line above the list of files.
const intro = "Files, each uses only those above it:"

// order is the place of each file in the list of the package comment, and what is wrong with the list. Without a list it
// is nil.
func (p *pkg) order() (rank map[string]int, wrong []string) {
	rank = parseOrder(p.comment())
	if rank == nil {
		return nil, []string{fmt.Sprintf("the comment of the package has no list of files under %q", intro)}
	}
	for _, name := range p.files() {
		if _, ok := rank[name]; !ok && name != "doc.go" {
			wrong = append(wrong, name+" is not in the list of files")
		}
	}
	for name := range rank {
		if _, err := os.Stat(filepath.Join(p.dir, name)); err != nil {
			wrong = append(wrong, name+" is in the list of files, and there is none")
		}
	}
	slices.Sort(wrong)
	return rank, wrong
}

// parseOrder reads the list from a comment. Files of one line have the same rank.
func parseOrder(comment string) map[string]int {
	_, list, ok := strings.Cut(comment, intro+"\n")
	if !ok {
		return nil
	}
	rank := make(map[string]int)
	for n, line := range strings.Split(list, "\n") {
		if line != "" && line[0] != '\t' && line[0] != ' ' {
			break // the list ends where text begins
		}
		for _, word := range strings.Fields(line) {
			if !strings.HasSuffix(word, ".go") {
				break
			}
			rank[word] = n
		}
	}
	return rank
}

// above reports whether what is used stands above its user. A file that is not in the list is above none.
func above(rank map[string]int, u use) bool {
	from, ok := rank[u.from]
	to, known := rank[u.to]
	return ok && known && to < from
}

// suggestion orders files so that few uses run against it: the next one is always the one that is left with the least uses of
// those that are not above yet.
func suggestion(files []string, uses []use) []string {
	left := slices.Clone(files)
	var order []string
	for len(left) > 0 {
		best, fewest := 0, -1
		for i, name := range left {
			n := 0
			for _, u := range uses {
				if u.from == name && slices.Contains(left, u.to) {
					n++
				}
			}
			if fewest < 0 || n < fewest {
				best, fewest = i, n
			}
		}
		order = append(order, left[best])
		left = slices.Delete(left, best, best+1)
	}
	return order
}
