package athena

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/dustin/go-humanize"

	"flowlog/parse/aws"
	"flowlog/parse/schema"
)

// A ScanError is the error for a query that may scan, or has scanned, more than Options.MaxScan.
type ScanError struct {
	Bytes, Max int64
	Objects    int64  // the number of objects counted; 0 if the query ran
	Table      string // the table of the objects
	ID         string // of the query, "" if it was not started
}

func (e *ScanError) Error() string {
	if e.ID != "" {
		return fmt.Sprintf("query %s was stopped: it had scanned %s, and %s is the most that it may", e.ID, humanize.IBytes(uint64(e.Bytes)), humanize.IBytes(uint64(e.Max)))
	}
	return fmt.Sprintf("the query was not started: it may scan more than %s, which is the most that it may; the first %s that it may read of %s have %s: restrict the partitions that it reads, such as its days",
		humanize.IBytes(uint64(e.Max)), humanize.Comma(e.Objects)+" objects", e.Table, humanize.IBytes(uint64(e.Bytes)))
}

// within refuses a query if the objects that it may read are larger in total than MaxScan. That is an upper bound: of
// Parquet only some columns are read. EXPLAIN, which is not billed, lists the partitions that are read; the table's
// location gives their prefixes; S3 gives the sizes. Listing ends as soon as the limit is exceeded. Partitions added with
// a location of their own are not seen: they could only be found by listing all partitions.
func (r *Runner) within(ctx context.Context, sql string) error {
	inputs, err := r.explained(ctx, sql)
	if err != nil {
		return fmt.Errorf("what the query may scan cannot be bounded: %w", err)
	}
	sum, objects := int64(0), int64(0)
	for _, in := range inputs {
		p, err := r.locate(ctx, in)
		if err != nil {
			return fmt.Errorf("what the query may scan cannot be bounded: %s: %w", in.name(), err)
		}
		for _, prefix := range p.prefixes() {
			pages := s3.NewListObjectsV2Paginator(r.s3, &s3.ListObjectsV2Input{Bucket: &p.bucket, Prefix: &prefix})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					err = r.explain("s3:ListBucket", err)
					var access *aws.AccessError
					if errors.As(err, &access) && access.Resource == r.resource("") {
						access.Resource = "arn:aws:s3:::" + p.bucket
					}
					return fmt.Errorf("what the query may scan cannot be bounded: s3://%s/%s: %w", p.bucket, prefix, err)
				}
				for _, o := range page.Contents {
					if !p.holds(sdk.ToString(o.Key)) {
						continue
					}
					objects++
					if sum += sdk.ToInt64(o.Size); sum > r.opt.MaxScan {
						return &ScanError{Bytes: sum, Max: r.opt.MaxScan, Objects: objects, Table: in.name()}
					}
				}
			}
		}
	}
	return nil
}

// An input is a table that a query reads, with the constraints on its columns.
type input struct {
	Table struct {
		Catalog     string
		SchemaTable struct{ Schema, Table string }
	}
	Constraint struct {
		None              bool
		ColumnConstraints []column
	}
	ColumnConstraints []column // in older versions
}

type column struct {
	ColumnName string
	Type       string
	Domain     struct{ Ranges []valueRange }
}

type valueRange struct{ Low, High marker }

// A marker is a bound of a range; without a value the range is unbounded there.
type marker struct {
	Value *string
	Bound string // EXACTLY, ABOVE, BELOW
}

func (in *input) name() string { return in.Table.SchemaTable.Schema + "." + in.Table.SchemaTable.Table }

// explained returns the tables and partitions that a query reads, by EXPLAIN.
func (r *Runner) explained(ctx context.Context, sql string) ([]input, error) {
	res, err := r.run(ctx, "EXPLAIN (TYPE IO, FORMAT JSON) "+sql)
	if err != nil {
		return nil, err
	}
	var text strings.Builder // a row of the result is one line or all of the plan
	for {
		row, err := res.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, v := range row {
			fmt.Fprintln(&text, v)
		}
	}
	plan := text.String()
	if i := strings.IndexByte(plan, '{'); i > 0 { // skip the heading
		plan = plan[i:]
	}
	var io struct{ InputTableColumnInfos []input }
	if err := json.Unmarshal([]byte(plan), &io); err != nil {
		return nil, fmt.Errorf("EXPLAIN (TYPE IO) answers something else: %w", err)
	}
	return slices.DeleteFunc(io.InputTableColumnInfos, func(in input) bool { return in.Constraint.None }), nil
}

// A location is the part of a bucket that a query on a table may read.
type location struct {
	bucket   string
	template string // of keys, with ${name} for the value of a partition
	keys     map[string]*key
	match    *regexp.Regexp // matches the beginning of an object's key; a group is a partition value
	names    []string       // of the groups: partition columns
}

// A key is a partition column.
type key struct {
	ranges []valueRange // allowed values; nil is any
	number bool
	exact  bool     // folder names are exactly the text of a value
	digits int      // their number of digits, if exact
	values []string // all existing values, if known
	parts  int      // the number of folders that make a value
}

var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

// locate returns the location of a table.
func (r *Runner) locate(ctx context.Context, in input) (*location, error) {
	catalog, schema, table := in.Table.Catalog, in.Table.SchemaTable.Schema, in.Table.SchemaTable.Table
	if strings.EqualFold(catalog, "AwsDataCatalog") {
		catalog = "AwsDataCatalog"
	}
	ask := &athena.GetTableMetadataInput{CatalogName: &catalog, DatabaseName: &schema, TableName: &table}
	if r.opt.WorkGroup != "" {
		ask.WorkGroup = &r.opt.WorkGroup
	}
	out, err := r.api.GetTableMetadata(ctx, ask)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, r.explain("athena:GetTableMetadata", err)
	}
	if out.TableMetadata == nil {
		return nil, errors.New("nothing is known of the table")
	}
	constraints := append(in.Constraint.ColumnConstraints, in.ColumnConstraints...)
	return newLocation(out.TableMetadata.Parameters, out.TableMetadata.PartitionKeys, constraints)
}

func newLocation(parameters map[string]string, partitions []types.Column, constraints []column) (*location, error) {
	projected := strings.EqualFold(strings.TrimSpace(parameters["projection.enabled"]), "true")
	template := strings.TrimSuffix(parameters["location"], "/") + "/"
	if own := parameters["storage.location.template"]; projected && own != "" {
		template = own
	} else {
		for _, c := range partitions {
			template += sdk.ToString(c.Name) + "=${" + sdk.ToString(c.Name) + "}/"
		}
	}
	rest, ok := strings.CutPrefix(template, "s3://")
	p := &location{keys: make(map[string]*key)}
	if p.bucket, p.template, ok = cut(rest, ok); !ok {
		return nil, fmt.Errorf("its location is %q, which is not in S3", parameters["location"])
	}
	for _, c := range partitions {
		name := sdk.ToString(c.Name)
		k := &key{parts: 1}
		switch strings.ToLower(sdk.ToString(c.Type)) {
		case "tinyint", "smallint", "int", "integer", "bigint":
			k.number, k.exact = true, projected
		default:
			k.exact = true
		}
		if projected {
			property := func(s string) string { return strings.TrimSpace(parameters["projection."+name+"."+s]) }
			switch strings.ToLower(property("type")) {
			case "enum":
				k.values = strings.Split(property("values"), ",")
			case "date":
				k.parts += strings.Count(property("format"), "/")
				k.exact = strings.EqualFold(sdk.ToString(c.Type), "string") || property("format") == "yyyy-MM-dd"
			}
			k.digits, _ = strconv.Atoi(property("digits")) // 0 if there is none
		}
		i := slices.IndexFunc(constraints, func(c column) bool { return c.ColumnName == name })
		if i >= 0 && (k.exact || k.number) {
			k.ranges = constraints[i].Domain.Ranges
		}
		p.keys[name] = k
	}
	pattern, from := "^", 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(p.template, -1) {
		name := p.template[m[2]:m[3]]
		if p.keys[name] == nil {
			return nil, fmt.Errorf("its storage.location.template names %s, which is no partition", name)
		}
		pattern += regexp.QuoteMeta(p.template[from:m[0]]) + "([^/]*" + strings.Repeat("/[^/]*", p.keys[name].parts-1) + ")"
		from = m[1]
		p.names = append(p.names, name)
	}
	var err error
	p.match, err = regexp.Compile(pattern + regexp.QuoteMeta(p.template[from:]))
	return p, err
}

func cut(rest string, ok bool) (bucket, key string, _ bool) {
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, ok && bucket != ""
}

// manyPrefixes is the most prefixes that are listed one by one, a request each; beyond it their common prefix is listed.
const manyPrefixes = 2000

// prefixes returns the prefixes of all keys that may be read, with partition values filled in as far as they are known.
func (p *location) prefixes() []string {
	list := []string{""}
	from := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(p.template, -1) {
		k := p.keys[p.template[m[2]:m[3]]]
		values := k.known()
		for i := range list {
			list[i] += p.template[from:m[0]]
		}
		from = m[1]
		if values == nil {
			for i := range list {
				list[i] += k.common()
			}
			return list
		}
		if len(list)*len(values) > manyPrefixes {
			return list
		}
		var next []string
		for _, prefix := range list {
			for _, v := range values {
				next = append(next, prefix+v)
			}
		}
		list = next
	}
	for i := range list {
		list[i] += p.template[from:]
	}
	return list
}

// known returns the texts of all values that may be read, nil if they are unknown.
func (k *key) known() []string {
	if k.values != nil {
		return slices.DeleteFunc(slices.Clone(k.values), func(v string) bool { return !k.admits(v) })
	}
	if k.ranges == nil || !k.exact {
		return nil
	}
	list := []string{}
	for _, r := range k.ranges {
		if r.Low.Value == nil || r.High.Value == nil || *r.Low.Value != *r.High.Value {
			return nil
		}
		v := *r.Low.Value
		if k.number {
			v = strings.Repeat("0", max(k.digits-len(v), 0)) + v
		}
		list = append(list, v)
	}
	return list
}

// common returns the common prefix of the texts of all values that may be read.
func (k *key) common() string {
	if len(k.ranges) == 0 || !k.exact || k.number {
		return ""
	}
	var text *string
	for _, r := range k.ranges {
		for _, end := range []*string{r.Low.Value, r.High.Value} {
			if end == nil {
				return ""
			}
			if text == nil {
				text = end
			}
			n := 0
			for n < min(len(*text), len(*end)) && (*text)[n] == (*end)[n] {
				n++
			}
			shared := (*text)[:n]
			text = &shared
		}
	}
	return *text
}

// holds reports whether an object may be read.
func (p *location) holds(name string) bool {
	m := p.match.FindStringSubmatch(name)
	if m == nil {
		return len(p.names) == 0 && strings.HasPrefix(name, p.template)
	}
	for i, n := range p.names {
		if !p.keys[n].admits(m[i+1]) {
			return false
		}
	}
	return true
}

// admits reports whether a folder's value may be in the ranges. A value that cannot be compared may.
func (k *key) admits(v string) bool {
	if k.ranges == nil || v == schema.NullPartition {
		return true
	}
	compare := func(x string) (int, bool) { return strings.Compare(v, x), true }
	if k.number {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return true
		}
		compare = func(x string) (int, bool) {
			m, err := strconv.ParseInt(x, 10, 64)
			return cmp.Compare(n, m), err == nil
		}
	}
	for _, r := range k.ranges {
		inside := true
		if r.Low.Value != nil {
			c, ok := compare(*r.Low.Value)
			inside = !ok || c > 0 || c == 0 && r.Low.Bound == "EXACTLY"
		}
		if r.High.Value != nil {
			c, ok := compare(*r.High.Value)
			inside = inside && (!ok || c < 0 || c == 0 && r.High.Bound == "EXACTLY")
		}
		if inside {
			return true
		}
	}
	return false
}
