package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// decoders are the calls that make values of bytes from outside, as package.Function.
var decoders = []string{
	"json.Unmarshal", "json.NewDecoder", "xml.Unmarshal", "xml.NewDecoder", "csv.NewReader", "yaml.NewLoader", "yaml.Unmarshal",
	"gzip.NewReader", "inflate.NewReader", "zstd.NewReader", "parquet.OpenFile", "maxminddb.Open", "maxminddb.OpenBytes",
	"ipc.NewReader", "ipc.NewFileReader", "ipc.NewReaderFromMessageReader",
}

// doors is what bytes from outside come in by: each file that has a decoder or is one, and the fuzz targets that go
// through it, as package.Target.
var doors = map[string][]string{
	// what logs are made of
	"parse/text.go":          {"parse.FuzzContent", "parse.FuzzRegular"},
	"parse/header.go":        {"parse.FuzzContent", "parse.FuzzRegular"},
	"parse/headless.go":      {"parse.FuzzCSV", "parse.FuzzContent"},
	"parse/csv.go":           {"parse.FuzzCSV"},
	"parse/json.go":          {"parse.FuzzJSONBlocks"},
	"parse/jsonsearch.go":    {"parse.FuzzJSONBlocks", "parse.FuzzContent"},
	"parse/arrow.go":         {"parse.FuzzArrow"},
	"parse/arrowmessage.go":  {"parse.FuzzArrow"},
	"parse/parquetfooter.go": {"parse.FuzzParquet"},
	"parse/parquetpage.go":   {"parse.FuzzParquetPages"},
	"parse/codec.go":         {"parse.FuzzZstd", "parse.FuzzZstdChecksum", "parse/internal/inflate.FuzzReader", "parse/internal/inflate.FuzzComposed"},
	"parse/schema/value.go":  {"parse/schema.FuzzParseAddr"},
	"parse/key.go":           {"parse.FuzzParseKey"},
	"parse/schema/schema.go": {"parse/schema.FuzzParseFormat"}, // --log-format
	// AWS
	"parse/s3/listpage.go":          {"parse/s3.FuzzListing"},
	"parse/aws/call.go":             {"parse/aws.FuzzRefusal"},
	"parse/aws/describe/node.go":    {"parse/aws/describe.FuzzAnswer"},
	"parse/aws/describe/shape.go":   {"parse/aws/describe.FuzzAnswer"},
	"parse/aws/describe/request.go": {"parse/aws/describe.FuzzAnswer"},
	"parse/s3/write.go":             {"parse/s3.FuzzSeal"},
	// reference files
	"enrich/ranges.go":   {"enrich.FuzzAWSRanges"},
	"enrich/protocol.go": {"enrich.FuzzProtocols"},
	"enrich/geoopen.go":  {"enrich.FuzzDB"},
	"enrich/tablecsv.go": {"enrich.FuzzTable"},
	"enrich/listing.go":  {"enrich.FuzzTable"},

	"enrich/price/yaml.go":                  {"enrich/price.FuzzYAML"},
	"enrich/price/internal/stream/json.go":  {"enrich/price.FuzzRead", "enrich/price/bill.FuzzRead"},
	"enrich/price/internal/stream/csv.go":   {"enrich/price.FuzzRead", "enrich/price/bill.FuzzRead"},
	"enrich/price/internal/stream/plain.go": {"enrich/price.FuzzRead", "enrich/price/bill.FuzzRead"},
	"enrich/list/csv.go":                    {"enrich/list.FuzzRead"},
	"enrich/list/json.go":                   {"enrich/list.FuzzRead"},
	"enrich/list/stix.go":                   {"enrich/list.FuzzRead"},
	// files of flowlog's own, and what users write
	"cmd/baseline.go":                   {"cmd.FuzzBaseline"},
	"cmd/settings.go":                   {"cmd.FuzzSettings"},
	"cmd/settingvalue.go":               {"cmd.FuzzSettings"},
	"cmd/yaml.go":                       {"cmd.FuzzSettings", "cmd.FuzzRules"},
	"cmd/rules.go":                      {"cmd.FuzzRules"},
	"report/expr/parse.go":              {"report/expr.FuzzParse"},
	"report/group/merger.go":            {"report/group.FuzzMerge"},
	"report/group/partialfile.go":       {"report/group.FuzzMerge"},
	"report/group/partial.go":           {"report/group.FuzzMerge", "report/group.FuzzLoad"},
	"report/render/dataset/document.go": {"report/render/dataset.FuzzDocument", "report/render/dataset.FuzzManifest"},
	"report/render/dataset/legacy.go":   {"report/render/dataset.FuzzLegacy"},
	"report/render/dataset/dir.go":      {"report/render/dataset.FuzzSeal"},
	// engines
	"report/group/remoterows.go":     {"report/group.FuzzRemote"},
	"report/function/quantile.go":    {"report/group.FuzzRemote"},
	"report/engine/trino/trino.go":   {"report/engine/trino.FuzzAnswers"},
	"report/engine/trino/watch.go":   {"report/engine/trino.FuzzAnswers"},
	"report/engine/athena/bound.go":  {"report/engine/athena.FuzzPlan"},
	"report/engine/athena/result.go": {"report/engine/athena.FuzzAnswers"},
}

// inside is the files whose decoders read only what this run has written.
var inside = []string{"report/render/dataset/merge.go"}

// Every file that decodes what comes from outside is a door, and every door has its fuzz targets.
func TestDoors(t *testing.T) {
	found, targets := make(map[string]string), make(map[string]bool) // decoders by file
	for _, top := range []string{"cmd", "enrich", "parse", "report"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(filepath.Dir(name), "test") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(strings.TrimPrefix(name, ".."+string(filepath.Separator)))
			test := strings.HasSuffix(name, "_test.go")
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if test && strings.HasPrefix(n.Name.Name, "Fuzz") {
						targets[name[:strings.LastIndexByte(name, '/')]+"."+n.Name.Name] = true
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && !test && slices.Contains(decoders, x.Name+"."+n.Sel.Name) {
						found[name] = x.Name + "." + n.Sel.Name
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
	for name, decoder := range found {
		if doors[name] == nil && !slices.Contains(inside, name) {
			t.Errorf("%s calls %s and is not among the doors: write a fuzz target that goes through it, and name both there", name, decoder)
		}
	}
	used := make(map[string]bool)
	for name, through := range doors {
		if _, err := os.Stat("../" + name); err != nil || len(through) == 0 {
			t.Errorf("%s is a door with %d targets: %v", name, len(through), err)
		}
		for _, target := range through {
			if used[target] = true; !targets[target] {
				t.Errorf("%s: there is no target %s", name, target)
			}
		}
	}
	for target := range targets {
		if !used[target] {
			t.Errorf("%s goes through no door: name what it is for", target)
		}
	}
}
