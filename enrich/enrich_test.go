package enrich

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// all is the table that everything here can be projected from.
func all() schema.Table { return append(schema.Logged(), Fields()...) }

func project(t testing.TB, names ...string) *schema.Projection {
	t.Helper()
	p, err := all().Project(names...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// record makes a record of rows of tokens, of which "-" is null.
func record(t testing.TB, fields schema.Table, rows ...[]string) arrow.Record {
	t.Helper()
	cols := make([]arrow.Array, len(fields))
	for i, f := range fields {
		c := schema.NewColumn(f)
		for _, row := range rows {
			if fault := c.Parse([]byte(row[i])); fault != schema.Valid {
				t.Fatalf("%s: %q is %s", f.Name, row[i], fault)
			}
		}
		cols[i] = c.Array()
	}
	return array.NewRecord(fields.Arrow(), cols, int64(len(rows)))
}

// value is the token of a value, "-" for null.
func value(a arrow.Array, kind schema.Kind, row int) string {
	if a.IsNull(row) {
		return "-"
	}
	switch kind {
	case schema.Addr:
		return netip.AddrFrom16(schema.AddrValues(a)[row]).Unmap().String()
	case schema.Text:
		codes, words := schema.TextCodes(a)
		return words.Value(int(codes[row]))
	case schema.Int32:
		return strconv.Itoa(int(a.(*array.Int32).Value(row)))
	case schema.Float:
		return strconv.FormatFloat(a.(*array.Float64).Value(row), 'g', -1, 64)
	}
	return strconv.FormatInt(a.(*array.Int64).Value(row), 10)
}

// line is a row of a record as tokens.
func line(rec arrow.Record, fields schema.Table, row int) string {
	var words []string
	for i, f := range fields {
		words = append(words, value(rec.Column(i), f.Kind, row))
	}
	return strings.Join(words, " ")
}

// lookup runs one lookup by itself on one row of tokens for its From fields.
func lookup(t testing.TB, lookups []Lookup, name string, from ...string) string {
	t.Helper()
	i := slices.IndexFunc(lookups, func(l Lookup) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("there is no lookup of %s", name)
	}
	l := lookups[i]
	var in []arrow.Array
	for j, name := range l.From {
		if j >= len(from) {
			in = append(in, nil)
			continue
		}
		f, ok := slices.Concat(all(), schema.Delivered()).Lookup(name)
		if !ok {
			t.Fatalf("there is no field %s", name)
		}
		in = append(in, record(t, schema.Table{f}, []string{from[j]}).Column(0))
	}
	out := schema.NewColumn(l.Field)
	l.Append(out, in, 0)
	if out.Len() != 1 {
		t.Fatalf("%s: appended %d values", name, out.Len())
	}
	return value(out.Array(), l.Kind, 0)
}

func TestFields(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range Fields() {
		if seen[f.Name] {
			t.Errorf("%s is listed twice", f.Name)
		}
		seen[f.Name] = true
		if _, ok := schema.Logged().Lookup(f.Name); ok {
			t.Errorf("%s is a field that AWS logs", f.Name)
		}
		if f.Doc == "" || len(f.From) == 0 || f.Since != 0 {
			t.Errorf("%s: got doc %q, from %v, since %d", f.Name, f.Doc, f.From, f.Since)
		}
		if f.Names != "" && !slices.Contains(f.From, f.Names) {
			t.Errorf("%s puts %s into words but is computed from %v", f.Name, f.Names, f.From)
		}
	}
	var got []string
	for _, l := range slices.Concat(Builtin(nil), openDB(t, OpenCity, "city").Lookups(), openDB(t, OpenASN, "asn").Lookups(), (*AWSRanges)(nil).Lookups(), ownersOf(t).Lookups(), (&Costs{Ranges: true, Owners: true}).Lookups()) {
		got = append(got, l.Name)
		if f, _ := Fields().Lookup(l.Name); fmt.Sprint(f) != fmt.Sprint(l.Field) {
			t.Errorf("%s: the lookup says %v, the table %v", l.Name, l.Field, f)
		}
	}
	want := Fields().Names()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got lookups of %v\nwant %v", got, want)
	}
}

func TestNeedsDB(t *testing.T) {
	for name, want := range map[string]DBKind{
		"src_country": City, "dst_longitude": City, "dst_as_org": ASN, "src_asn": ASN,
		"dst_aws_service": AWS, "src_aws_region": AWS, "src-country": City, "SRC_ASN": ASN,
		"src_scope": "", "protocol_name": "", "srcaddr": "", "country": "",
	} {
		if got := NeedsDB(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestWrapColumns(t *testing.T) {
	p := project(t, "dst_scope", "bytes", "protocol_name", "protocol", "src_country")
	extra := schema.Field{Name: "custom", Kind: schema.Text}
	in := append(p.Logged().Fields, extra)
	want := []string{
		"public 10 TCP 6 - - 8.8.8.8 - - x",
		"private 20 UDP 17 - 10.0.0.1 8.8.8.8 - - y",
		"- - - - - - - - - -",
	}
	if got := strings.Join(p.Fields.Names(), " "); got != "dst_scope bytes protocol_name protocol src_country pkt_dstaddr dstaddr pkt_srcaddr srcaddr" {
		t.Fatalf("the projection is %s", got)
	}
	rec := record(t, in,
		[]string{"10", "6", "-", "8.8.8.8", "-", "-", "x"},
		[]string{"20", "17", "10.0.0.1", "8.8.8.8", "-", "-", "y"},
		[]string{"-", "-", "-", "-", "-", "-", "-"})
	calls := 0
	emit := Wrap(p, Builtin(nil), 3, func(b schema.Batch) error {
		calls++
		if b.Worker != 2 || b.Seq != 7 {
			t.Errorf("got worker %d, seq %d, want 2, 7", b.Worker, b.Seq)
		}
		out := append(slices.Clone(p.Fields), extra)
		if !b.Schema().Equal(out.Arrow()) {
			t.Errorf("got the schema %v\nwant %v", b.Schema(), out.Arrow())
		}
		for row := range want {
			if got := line(b.Record, out, row); got != want[row] {
				t.Errorf("row %d: got %s, want %s", row, got, want[row])
			}
		}
		if b.Column(1) != rec.Column(0) {
			t.Error("a logged column was copied")
		}
		return errors.New("stop")
	})
	if err := emit(schema.Batch{Record: rec, Worker: 2, Seq: 7}); err == nil || err.Error() != "stop" {
		t.Errorf("got error %v, want stop", err)
	}
	if calls != 1 {
		t.Errorf("emit was called %d times", calls)
	}
}

// Whoever wraps what needs no lookup must not pay for it.
func TestWrapNothing(t *testing.T) {
	var got schema.Batch
	emit := Wrap(project(t, "bytes"), Builtin(nil), 1, func(b schema.Batch) error { got = b; return nil })
	rec := record(t, project(t, "bytes").Fields, []string{"1"})
	if err := emit(schema.Batch{Record: rec}); err != nil || got.Record != rec {
		t.Errorf("got %v, %v, want the record itself", got.Record, err)
	}
}

// A batch may lack columns, and batches may differ: other inputs, other columns.
func TestWrapMissingColumns(t *testing.T) {
	p := project(t, "src_scope", "protocol_name")
	var got []string
	emit := Wrap(p, Builtin(nil), 1, func(b schema.Batch) error {
		for row := range int(b.NumRows()) {
			got = append(got, line(b.Record, p.Fields, row))
		}
		return nil
	})
	for _, names := range [][]string{{"srcaddr"}, {"protocol", "srcaddr"}, {"pkt_srcaddr"}, {"bytes"}} {
		tokens := map[string]string{"srcaddr": "10.0.0.1", "pkt_srcaddr": "8.8.8.8", "protocol": "6", "bytes": "1"}
		var row []string
		for _, name := range names {
			row = append(row, tokens[name])
		}
		if err := emit(schema.Batch{Record: record(t, project(t, names...).Fields, row)}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"private - - 10.0.0.1 -", "private TCP - 10.0.0.1 6", "public - 8.8.8.8 - -", "- - - - -"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// An enriched field may be computed from another one, whatever their order.
func TestWrapChain(t *testing.T) {
	loud := Lookup{
		Field: schema.Field{Name: "loud", Kind: schema.Text, From: []string{"protocol_name", "srcport", "src_scope"}},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			out.Text(strings.ToUpper(value(in[0], schema.Text, row) + "/" + value(in[1], schema.Int32, row) + "/" + value(in[2], schema.Text, row)))
		},
	}
	p, err := append(all(), loud.Field).Project("loud", "protocol_name")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := Wrap(p, append([]Lookup{loud}, Builtin(nil)...), 1, func(b schema.Batch) error {
		for row := range int(b.NumRows()) {
			got = append(got, value(b.Column(0), schema.Text, row))
		}
		return nil
	})
	rec := record(t, p.Logged().Fields,
		[]string{"22", "6", "-", "10.0.0.1"}, // srcport, protocol, pkt_srcaddr, srcaddr
		[]string{"22", "17", "-", "10.0.0.1"},
		[]string{"22", "6", "8.8.8.8", "10.0.0.1"},
		[]string{"-", "6", "-", "-"},
		[]string{"22", "6", "-", "10.9.9.9"})
	if err := emit(schema.Batch{Record: rec}); err != nil {
		t.Fatal(err)
	}
	want := []string{"TCP/22/PRIVATE", "UDP/22/PRIVATE", "TCP/22/PUBLIC", "TCP/-/-", "TCP/22/PRIVATE"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// probes compute, from fields of every kind, what the memo must not mix up: the values themselves.
func probes() []Lookup {
	var lookups []Lookup
	for _, from := range [][]string{
		{"srcaddr"}, {"pkt_srcaddr", "srcaddr"}, {"protocol"}, {"bytes"}, {"start"}, {"action"},
		{"srcport", "dstport"}, {"protocol", "dstport", "action", "dstaddr"}, {"src_latitude"},
	} {
		var fields schema.Table
		for _, name := range from {
			f, _ := all().Lookup(name)
			fields = append(fields, f)
		}
		alternatives := !slices.ContainsFunc(fields, func(f schema.Field) bool { return f.Kind != schema.Addr })
		lookups = append(lookups, Lookup{
			Field: schema.Field{Name: "probe_" + strings.Join(from, "_"), Kind: schema.Text, From: from},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				var words []string
				for i, a := range in {
					words = append(words, value(a, fields[i].Kind, row))
				}
				if alternatives {
					a, _ := address(in, row)
					words = []string{a.String()}
				}
				if len(words) == 1 && (words[0] == "-" || strings.HasSuffix(words[0], "7")) {
					out.Null()
					return
				}
				out.Text(strings.Join(words, "|"))
			},
		})
	}
	return lookups
}

// randomToken draws from few enough values that they come again, and from all that are held differently.
func randomToken(rnd *rand.Rand, f schema.Field) string {
	if rnd.IntN(4) == 0 {
		return "-"
	}
	n := rnd.IntN(300)
	switch f.Kind {
	case schema.Addr:
		return []string{
			fmt.Sprintf("203.0.113.%d", n%256), fmt.Sprintf("10.%d.0.%d", n%4, n%256), fmt.Sprintf("2001:db8:%x::%d", n*100, n),
			"::", "0.0.0.0", fmt.Sprintf("::%d", n), "8.8.8.8",
		}[rnd.IntN(7)]
	case schema.Text:
		return fmt.Sprintf("t%d", n)
	case schema.Int32:
		return strconv.Itoa([]int{n, n * 200}[rnd.IntN(2)] % int(min(f.Max, 1<<20)+1))
	}
	return strconv.Itoa([]int{n, n << 40 / 1024}[rnd.IntN(2)])
}

// What the memo returns is what the lookups say of each row, for any worker, batch after batch.
func TestMemoIsLookup(t *testing.T) {
	lookups := slices.Concat(Builtin(nil), openDB(t, OpenCity, "city").Lookups(), openDB(t, OpenASN, "asn").Lookups(), probes())
	var names []string
	var table schema.Table = all()
	for _, l := range lookups {
		if strings.HasPrefix(l.Name, "probe_") {
			table = append(table, l.Field)
		}
		names = append(names, l.Name)
	}
	p, err := table.Project(names...)
	if err != nil {
		t.Fatal(err)
	}
	const workers = 4
	emit := Wrap(p, lookups, workers, func(b schema.Batch) error {
		for _, l := range lookups {
			in := make([]arrow.Array, len(l.From))
			for i, from := range l.From {
				in[i] = b.Column(p.Index(from))
			}
			want := schema.NewColumn(l.Field)
			for row := range int(b.NumRows()) {
				l.Append(want, in, row)
			}
			a := want.Array()
			for row := range int(b.NumRows()) {
				if got, want := value(b.Column(p.Index(l.Name)), l.Kind, row), value(a, l.Kind, row); got != want {
					return fmt.Errorf("batch %d, row %d, %s: got %s, want %s", b.Seq, row, l.Name, got, want)
				}
			}
		}
		return nil
	})
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(worker)))
			for seq := range 40 {
				fields := p.Logged().Fields
				rows := make([][]string, rnd.IntN(300))
				for i := range rows {
					for _, f := range fields {
						rows[i] = append(rows[i], randomToken(rnd, f))
					}
				}
				rec := record(t, fields, rows...)
				if seq%3 == 0 && len(rows) > 5 { // arrays need not begin at their buffers' beginning
					rec = rec.NewSlice(3, rec.NumRows()-1)
				}
				if err := emit(schema.Batch{Record: rec, Worker: worker, Seq: int64(seq)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A lookup is run once per distinct value and worker, and all texts come from one dictionary.
func TestMemoRunsOnce(t *testing.T) {
	runs := make(map[string]int)
	p := project(t, "src_scope")
	scope := Builtin(nil)[slices.IndexFunc(Builtin(nil), func(l Lookup) bool { return l.Name == "src_scope" })]
	counted := Lookup{Field: scope.Field, Append: func(out *schema.Column, in []arrow.Array, row int) {
		a, _ := address(in, row)
		runs[a.String()]++
		scope.Append(out, in, row)
	}}
	emit := Wrap(p, []Lookup{counted}, 1, func(b schema.Batch) error { return nil })
	rec := record(t, p.Logged().Fields, []string{"-", "10.0.0.1"}, []string{"10.0.0.1", "8.8.8.8"}, []string{"::1", "-"}, []string{"-", "-"}, []string{"-", "::1"})
	for range 3 {
		if err := emit(schema.Batch{Record: rec}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int{"10.0.0.1": 1, "::1": 1, "invalid IP": 1}
	if fmt.Sprint(runs) != fmt.Sprint(want) {
		t.Errorf("got %v runs, want %v", runs, want)
	}
}

// The memo is started anew before it grows beyond bounds, and nobody notices.
func TestMemoForgets(t *testing.T) {
	text := Lookup{Field: schema.Field{Name: "addr_text", Kind: schema.Text, From: []string{"srcaddr"}}, Append: func(out *schema.Column, in []arrow.Array, row int) {
		a, _ := address(in, row)
		out.Text(a.String())
	}}
	p, err := append(all(), text.Field).Project("addr_text")
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	emit := Wrap(p, []Lookup{text}, 1, func(b schema.Batch) error {
		_, words := schema.TextCodes(b.Column(0))
		largest = max(largest, words.Len())
		for row := range int(b.NumRows()) {
			if got, want := value(b.Column(0), schema.Text, row), value(b.Column(1), schema.Addr, row); got != want {
				return fmt.Errorf("row %d: got %s, want %s", row, got, want)
			}
		}
		return nil
	})
	for n := range 20 {
		c := schema.NewColumn(p.Logged().Fields[0])
		for i := range 10_000 {
			c.Addr = append(c.Addr, netip.AddrFrom4([4]byte{10, byte(n), byte(i >> 8), byte(i)}).As16(), netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).As16())
		}
		rec := array.NewRecord(p.Logged().Fields.Arrow(), []arrow.Array{c.Array()}, int64(c.Len()))
		if err := emit(schema.Batch{Record: rec}); err != nil {
			t.Fatal(err)
		}
	}
	if largest > 100_000 {
		t.Errorf("the dictionary grew to %d values", largest)
	}
}

// addresses are batches of 10,000 rows, drawn from 20,000 addresses.
func addresses(b *testing.B, p *schema.Projection, address func(n int) netip.Addr) []arrow.Record {
	rnd := rand.New(rand.NewPCG(1, 2))
	var batches []arrow.Record
	for range 16 {
		var cols []arrow.Array
		for _, f := range p.Logged().Fields {
			c := schema.NewColumn(f)
			for range 10_000 {
				switch {
				case strings.HasPrefix(f.Name, "pkt_"):
					c.Null()
				case f.Kind == schema.Addr:
					c.Addr = append(c.Addr, address(rnd.IntN(20_000)).As16())
				default:
					c.Int32 = append(c.Int32, int32(rnd.IntN(256)))
				}
			}
			cols = append(cols, c.Array())
		}
		batches = append(batches, array.NewRecord(p.Logged().Fields.Arrow(), cols, 10_000))
	}
	return batches
}

func ip4(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}) }

func ip6(n int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(n >> 8), 14: 1, 15: byte(n)})
}

// Rows whose addresses the memo knows: what nearly every row of a scan costs.
func BenchmarkWrap(b *testing.B) {
	lookups := slices.Concat(Builtin(nil), openDB(b, OpenCity, "city").Lookups(), openDB(b, OpenASN, "asn").Lookups())
	for _, bench := range []struct {
		name    string
		fields  []string
		address func(int) netip.Addr
	}{
		{"scope", []string{"src_scope"}, ip4},
		{"scope-ipv6", []string{"src_scope"}, ip6},
		{"protocol", []string{"protocol_name"}, ip4},
		{"asn+org+country", []string{"src_asn", "src_as_org", "src_country"}, ip4},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p := project(b, bench.fields...)
			batches := addresses(b, p, bench.address)
			emit := Wrap(p, lookups, 1, func(schema.Batch) error { return nil })
			for _, rec := range batches {
				if err := emit(schema.Batch{Record: rec}); err != nil {
					b.Fatal(err)
				}
			}
			i := 0
			for b.Loop() {
				if err := emit(schema.Batch{Record: batches[i%len(batches)]}); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
		})
	}
}
