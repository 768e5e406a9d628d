package parse

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// fits reports whether tokens are a record of the named fields, without words around it. At least four must be values,
// since nulls fit any fields.
func fits(names []string, toks [][]byte) bool {
	values := 0
	for _, tok := range toks {
		if string(tok) != "-" {
			values++
		}
	}
	before, after, ok := margins(names, toks)
	return ok && before == 0 && after == 0 && values > 3 && telling(names)
}

// headlessCSV is the layout of separated values whose first line is a record: in the format that was told, or else in
// the default one. It is nil if the line is none. Tabs are white space, which text reads.
func headlessCSV(line []byte, opt Options) (comma rune, l *layout) {
	names := opt.LogFormat
	if len(names) == 0 {
		names = schema.Version(2)
	}
	for _, comma := range commas {
		if fits(names, separated(line, comma)) {
			return comma, &layout{names: names, fixed: true}
		}
	}
	return 0, nil
}

var commas = []rune{',', ';'}

// separated splits a line at a separator. An empty cell is a null.
func separated(line []byte, comma rune) [][]byte {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma = comma
	cells, err := r.Read()
	if err != nil {
		return nil
	}
	toks := make([][]byte, len(cells))
	for i, cell := range cells {
		toks[i] = []byte(cmp.Or(strings.TrimSpace(cell), "-"))
	}
	return toks
}

// versions are the versions of flow logs that have fields beyond the default format.
var versions = []int{3, 4, 5, 6, 7, 8, 9, 10, 11}

// hintSample is the number of lines that are examined for a hint.
const hintSample = 100

// noLayout is the error for lines without a known layout. If all are records with all fields of one version, it says how to
// read them: in AWS's order, or in that of their names, in which they are often chosen.
func noLayout(lines [][]byte) error {
	var records [][][]byte
	for _, line := range lines[:min(len(lines), hintSample)] {
		if toks := tokens(line, nil); len(toks) > 0 {
			records = append(records, toks)
		}
	}
	all := func(names []string) bool {
		return len(records) > 0 && !slices.ContainsFunc(records, func(toks [][]byte) bool {
			line := bytes.Join(toks, []byte(" "))
			return !fits(names, toks) && !slices.ContainsFunc(commas, func(comma rune) bool { return fits(names, separated(line, comma)) })
		})
	}
	var hints []*schema.Words
	for _, v := range versions {
		names := schema.Version(v)
		if all(names) {
			hints = append(hints, schema.Wordsf("they fit all fields of version %d in AWS's order: %s", v, schema.Opt("log-format", fmt.Sprintf("v%d", v))))
		}
		slices.Sort(names)
		if all(names) {
			hints = append(hints, schema.Wordsf("they fit all fields of version %d in the order of their names: %s", v, schema.Opt("log-format", strings.Join(names, " "))))
		}
	}
	if len(hints) != 1 {
		return errNoLayout
	}
	return schema.Wordsf("%w; %s", errNoLayout, hints[0])
}
