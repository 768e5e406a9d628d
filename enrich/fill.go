package enrich

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/enrich/inventory"
	"flowlog/parse/schema"
)

// fillable are the logged fields that an inventory knows of the record's own interface.
var fillable = [...]struct {
	name  string
	value func(*inventory.Owner) string
}{
	{"az_id", func(o *inventory.Owner) string { return o.Zone }},
	{"subnet_id", func(o *inventory.Owner) string { return o.Subnet }},
	{"vpc_id", func(o *inventory.Owner) string { return o.VPC }},
	{"account_id", func(o *inventory.Owner) string { return o.Account }},
	{"instance_id", func(o *inventory.Owner) string { return o.Instance }},
	{"interface_type", func(o *inventory.Owner) string { return o.InterfaceType }},
}

// Fills lists the logged fields that are filled where they are null.
func (n *Inventory) Fills() []string {
	var names []string
	for _, f := range fillable {
		names = append(names, f.name)
	}
	return names
}

// Fill puts in front of an Emit the filling of the named fields, which are among Fills: where the zone, subnet, VPC, account, instance or type of the
// record's interface is null, it is what the inventory says of the interface. It returns the projection to read, which has
// the interface too, and emit itself if none of the fields is in p.
func (n *Inventory) Fill(p *schema.Projection, names []string, workers int, emit schema.Emit) (*schema.Projection, schema.Emit) {
	if !slices.ContainsFunc(names, func(name string) bool { return p.Index(name) >= 0 }) {
		return p, emit
	}
	wide := p.With(ownInterface)
	fillers := make([]*filler, workers)
	return wide, func(b schema.Batch) error {
		f := fillers[b.Worker]
		if f == nil {
			f = &filler{Inventory: n, names: names}
			fillers[b.Worker] = f
		}
		rec := f.fill(b.Record, p.Index(ownInterface) < 0)
		defer rec.Release()
		b.Record = rec
		return emit(b)
	}
}

// A filler fills the batches of one worker.
type filler struct {
	*Inventory
	names   []string
	columns [len(fillable)]*schema.Column // the last batch's, for their dictionaries
	in, out *arrow.Schema                 // of the last batch
}

// fill returns a record with its columns filled, and without the interface if that is not asked for.
func (f *filler) fill(rec arrow.Record, drop bool) arrow.Record {
	at := -1
	if found := rec.Schema().FieldIndices(ownInterface); len(found) > 0 {
		at = found[0]
	}
	if at < 0 {
		rec.Retain()
		return rec
	}
	if rec.Schema() != f.in {
		fields := slices.Clone(rec.Schema().Fields())
		if drop {
			fields = slices.Delete(fields, at, at+1)
		}
		f.in, f.out = rec.Schema(), arrow.NewSchema(fields, nil)
	}
	cols := slices.Clone(rec.Columns())
	var created []arrow.Array
	ids, words := schema.TextCodes(cols[at])
	owners := make([]*inventory.Owner, words.Len())
	for i := range owners {
		owners[i] = f.inv.Interface(words.Value(i), maxTime)
	}
	interfaces := schema.ValidityOf(cols[at])
	for i, field := range fillable {
		found := rec.Schema().FieldIndices(field.name)
		if len(found) == 0 || !slices.Contains(f.names, field.name) || cols[found[0]].NullN() == 0 {
			continue
		}
		col := f.column(i, field.name, cols[found[0]], func(row int32) string {
			if interfaces.Null(row) || owners[ids[row]] == nil {
				return ""
			}
			return field.value(owners[ids[row]])
		})
		cols[found[0]] = col
		created = append(created, col)
	}
	if drop {
		cols = slices.Delete(cols, at, at+1)
	}
	out := array.NewRecord(f.out, cols, rec.NumRows())
	for _, c := range created {
		c.Release()
	}
	return out
}

// column is a column with its nulls filled.
func (f *filler) column(i int, name string, col arrow.Array, value func(row int32) string) arrow.Array {
	out := f.columns[i]
	if out == nil {
		out = schema.NewColumn(schema.Field{Name: name, Kind: schema.Text})
		f.columns[i] = out
	}
	out.Reset()
	codes, words := schema.TextCodes(col)
	nulls := schema.ValidityOf(col)
	known := make([]int32, words.Len()) // codes in out, plus 1
	filled := int64(0)
	for row := range int32(col.Len()) {
		if !nulls.Null(row) {
			code := codes[row]
			if known[code] == 0 {
				out.Text(words.Value(int(code)))
				known[code] = out.Int32[len(out.Int32)-1] + 1
				continue
			}
			out.Int32 = append(out.Int32, known[code]-1)
			continue
		}
		if text := value(row); text != "" {
			out.Text(text)
			filled++
		} else {
			out.Null()
		}
	}
	f.filled[i].Add(filled)
	return out.Array()
}

// filledNote says how many values were filled.
func (n *Inventory) filledNote() string {
	var parts []string
	for i, f := range fillable {
		if count := n.filled[i].Load(); count > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s", f.name, plural(int(count), "record")))
		}
	}
	if parts == nil {
		return ""
	}
	return "filled from it: " + strings.Join(parts, ", ")
}
