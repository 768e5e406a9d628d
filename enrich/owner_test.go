package enrich

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/enrich/inventory"
	"flowlog/parse/schema"
)

// listingAt is a snapshot at a time, in Unix seconds, of interfaces as ID, VPC and address.
func listingAt(at int64, interfaces ...string) inventory.File {
	var list []string
	for _, text := range interfaces {
		f := strings.Fields(text)
		list = append(list, fmt.Sprintf(`{"NetworkInterfaceId":"eni-%s","OwnerId":"123456789012","VpcId":%q,"AvailabilityZoneId":"use1-az1","SubnetId":"subnet-1","PrivateIpAddress":%q,
			"PrivateIpAddresses":[{"PrivateIpAddress":"10.0.9.%d"}],"TagSet":[{"Key":"Name","Value":%[1]q}]}`, f[0], f[1], f[2], len(f[0])))
	}
	content := fmt.Sprintf(`{"flowlog":"inventory","version":1,"account":"123456789012","region":"us-east-1","time":%d,"calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[%s]}}}`,
		at, strings.Join(list, ","))
	return inventory.File{Name: fmt.Sprint(at), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// owners is an inventory in which 10.0.0.1 of vpc-1 changes hands between the times 2000 and 3000.
func ownersOf(t *testing.T) *Inventory {
	t.Helper()
	inv, err := inventory.Read([]inventory.File{
		listingAt(1000, "A vpc-1 10.0.0.1", "B vpc-1 10.0.0.2", "CC vpc-2 10.0.0.1"),
		listingAt(2000, "A vpc-1 10.0.0.1", "B vpc-1 10.0.0.2", "CC vpc-2 10.0.0.1"),
		listingAt(3000, "DDD vpc-1 10.0.0.1", "B vpc-1 10.0.0.2", "CC vpc-2 10.0.0.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewInventory(inv)
}

// What is looked up once for many records is what is looked up for each.
func TestOwnersMemo(t *testing.T) {
	n := ownersOf(t)
	fields := append(schema.Logged(), n.Fields()...)
	p, err := fields.Project("src_name", "src_owner", "dst_name", "dst_owner", "src_vpc_id", "own_name", "bytes")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	records, states := 0, make(map[string]int)
	emit := Wrap(p, n.Lookups(), 1, func(b schema.Batch) error {
		rec := b.Record
		in := func(l Lookup) []arrow.Array {
			var cols []arrow.Array
			for _, name := range l.From {
				cols = append(cols, rec.Column(p.Index(name)))
			}
			return cols
		}
		for _, l := range n.Lookups() {
			at := p.Index(l.Name)
			if at < 0 {
				continue
			}
			want := schema.NewColumn(l.Field)
			for row := range int(rec.NumRows()) {
				l.Append(want, in(l), row)
			}
			wants := want.Array()
			for row := range int(rec.NumRows()) {
				got, want := value(rec.Column(at), schema.Text, row), value(wants, schema.Text, row)
				if got != want {
					t.Fatalf("%s of row %d is %s, and by itself %s", l.Name, row, got, want)
				}
				if l.Name == "src_owner" {
					states[got]++
				}
			}
		}
		records += int(rec.NumRows())
		return nil
	})
	for range 40 {
		var columns []*schema.Column
		logged := p.Logged()
		for _, f := range logged.Fields {
			columns = append(columns, schema.NewColumn(f))
		}
		skip := pick("vpc_id", "pkt_srcaddr", "start", "", "")
		for range 50 {
			start := int64(r.IntN(4200))
			for _, c := range columns {
				switch text := pick("10.0.0.1", "10.0.0.2", "10.0.9.1", "10.7.7.7"); {
				case c.Name == skip || r.IntN(12) == 0 || strings.HasPrefix(c.Name, "tgw"):
					c.Null()
				case c.Kind == schema.Addr:
					c.Append(netip.MustParseAddr(text))
				case c.Name == "interface_id":
					c.Text(pick("eni-A", "eni-B", "eni-CC", "eni-DDD", "eni-other"))
				case c.Name == "vpc_id":
					c.Text(pick("vpc-1", "vpc-2", "vpc-9"))
				case c.Name == "start":
					c.Int64 = append(c.Int64, start)
				case c.Name == "end":
					c.Int64 = append(c.Int64, start+int64(r.IntN(3)*30))
				default:
					c.Int64 = append(c.Int64, 100)
				}
			}
		}
		b := batchOf(logged, columns)
		if err := emit(b); err != nil {
			t.Fatal(err)
		}
		b.Record.Release()
	}
	for _, state := range inventory.States() {
		if states[state] == 0 {
			t.Errorf("no owner is %s: %v", state, states)
		}
	}
	note := n.Note()
	for _, want := range []string{"inventory of 1970-01-01 00:16 … 1970-01-01 00:50 UTC, 3 snapshots of 1 account: of the bytes at private addresses, ", "have no owner", "several", "assumed", "after the last snapshot"} {
		if !strings.Contains(note, want) {
			t.Errorf("note %q lacks %q", note, want)
		}
	}
}

// Logged fields of the interface are filled where they are null, and only those that are asked for.
func TestFill(t *testing.T) {
	n := ownersOf(t)
	table := schema.Logged()
	p, err := table.Project("az_id", "vpc_id", "bytes")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	read, emit := n.Fill(p, []string{"az_id"}, 1, func(b schema.Batch) error {
		if len(b.Schema().Fields()) != 3 {
			t.Errorf("the batch has %v", b.Schema().Fields())
		}
		for row := range int(b.NumRows()) {
			got = append(got, value(b.Column(0), schema.Text, row)+" "+value(b.Column(1), schema.Text, row))
		}
		return nil
	})
	if read.Index("interface_id") < 0 || p.Index("interface_id") >= 0 {
		t.Errorf("%v is read for %v", read.Fields.Names(), p.Fields.Names())
	}
	var columns []*schema.Column
	for _, f := range read.Fields {
		columns = append(columns, schema.NewColumn(f))
	}
	for i, id := range []string{"eni-A", "eni-other", "eni-B"} {
		columns[0].Null()
		if i == 2 {
			columns[0].Truncate(2)
			columns[0].Text("logged")
		}
		columns[1].Null()
		columns[2].Int64 = append(columns[2].Int64, 1)
		columns[3].Text(id)
	}
	b := batchOf(read, columns)
	defer b.Record.Release()
	if err := emit(b); err != nil {
		t.Fatal(err)
	}
	if want := "[use1-az1 - - - logged -]"; strings.ReplaceAll(fmt.Sprint(got), "<nil>", "-") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if note := n.Note(); !strings.Contains(note, "filled from it: az_id of 1 record") {
		t.Errorf("note %q", note)
	}
}

func batchOf(p *schema.Projection, columns []*schema.Column) schema.Batch {
	var cols []arrow.Array
	for _, c := range columns {
		cols = append(cols, c.Array())
	}
	return schema.Batch{Record: array.NewRecord(p.Fields.Arrow(), cols, int64(columns[0].Len()))}
}
