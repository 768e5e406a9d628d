package pass

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// connectionField is a row of THE table of what Connections hands on: a field, and how its column is filled.
type connectionField struct {
	schema.Field
	fill func(w *connectionWriter, out *schema.Column, all []connection)
}

func connectionFields() []connectionField {
	port := func(name, doc string, at int) connectionField {
		return connectionField{schema.Field{Name: name, Kind: schema.Int32, Max: 65535, Doc: doc}, func(_ *connectionWriter, out *schema.Column, all []connection) {
			for i := range all {
				small(out, int32(all[i].ends[at].port), all[i].missing&noPorts == 0)
			}
		}}
	}
	address := func(name, doc string, at int) connectionField {
		return connectionField{schema.Field{Name: name, Kind: schema.Addr, Doc: doc}, func(w *connectionWriter, out *schema.Column, all []connection) {
			w.gather(w.addrs, out, all, func(c *connection) uint32 { return c.ends[at].addr })
		}}
	}
	number := func(name, doc string, missing marks, of func(c *connection) int64) connectionField {
		return connectionField{schema.Field{Name: name, Kind: schema.Int64, Doc: doc}, func(_ *connectionWriter, out *schema.Column, all []connection) {
			for i := range all {
				long(out, of(&all[i]), all[i].missing&missing == 0)
			}
		}}
	}
	return []connectionField{
		{schema.Field{Name: "start", Kind: schema.Time, Doc: "When the first packet was seen, in Unix seconds, give or take 60"}, fillTime(func(c *connection) int64 { return c.start })},
		{schema.Field{Name: "end", Kind: schema.Time, Doc: "When the last packet was seen, in Unix seconds, give or take 60"}, fillTime(func(c *connection) int64 { return c.stop })},
		address("client", "Address that opened the connection: see how", 0),
		port("client_port", "Port of the client", 0),
		address("server", "Address that the connection was opened to", 1),
		port("server_port", "Port of the server", 1),
		{schema.Field{Name: "protocol", Kind: schema.Int32, Max: 255, Doc: "IANA protocol number, such as 6 for TCP"}, fillProtocol},
		number("bytes_up", "Bytes from the client to the server", noBytes, func(c *connection) int64 { return c.bytes[0] }),
		number("bytes_down", "Bytes from the server to the client", noBytes, func(c *connection) int64 { return c.bytes[1] }),
		number("packets_up", "Packets from the client to the server", noPackets, func(c *connection) int64 { return c.packets[0] }),
		number("packets_down", "Packets from the server to the client", noPackets, func(c *connection) int64 { return c.packets[1] }),
		{schema.Field{Name: "seconds", Kind: schema.Int64, Doc: "Seconds from start to end"}, fillSeconds},
		word("state", "What became of it", stateNames(), func(c *connection) int { return int(c.state) }),
		word("how", "How it was found out who the client is, from the surest: all after earlier are assumed", howNames(), func(c *connection) int { return int(c.how) }),
		number("windows", "Records of the direction with the most of them", 0, func(c *connection) int64 { return int64(c.windows) }),
		word("resumed", "true for what goes on without a SYN after the idle time: it is no connection of its own", []string{"false", "true"}, func(c *connection) int {
			if c.resumed {
				return 1
			}
			return 0
		}),
		{schema.Field{Name: "interface_id", Kind: schema.Text, Doc: "Interface whose records count: the one that saw the client's packets"}, func(w *connectionWriter, out *schema.Column, all []connection) {
			w.gather(w.interfaces, out, all, func(c *connection) uint32 { return uint32(w.names[c.observer] >> 32) })
		}},
		trait("account_id", "Account of the interface", atAccount),
		trait("vpc_id", "VPC of the interface", atVPC),
		trait("region", "Region of the interface", atRegion),
	}
}

// ConnectionFields lists the fields of connections.
func ConnectionFields() schema.Table {
	var t schema.Table
	for _, f := range connectionFields() {
		t = append(t, f.Field)
	}
	return t
}

func stateNames() []string {
	var names []string
	for _, s := range states {
		names = append(names, s.name)
	}
	return names
}

func howNames() []string {
	var names []string
	for _, h := range hows {
		names = append(names, h.name)
	}
	return names
}

func small(out *schema.Column, v int32, known bool) {
	if !known {
		out.Null()
		return
	}
	out.Int32 = append(out.Int32, v)
}

func long(out *schema.Column, v int64, known bool) {
	if !known {
		out.Null()
		return
	}
	out.Int64 = append(out.Int64, v)
}

func fillTime(of func(c *connection) int64) func(*connectionWriter, *schema.Column, []connection) {
	return func(_ *connectionWriter, out *schema.Column, all []connection) {
		for i := range all {
			t := of(&all[i])
			long(out, t, known(t))
		}
	}
}

func fillSeconds(_ *connectionWriter, out *schema.Column, all []connection) {
	for i := range all {
		c := &all[i]
		long(out, c.stop-c.start, known(c.start) && known(c.stop))
	}
}

func fillProtocol(_ *connectionWriter, out *schema.Column, all []connection) {
	for i := range all {
		small(out, int32(all[i].protocol), all[i].missing&noProtocol == 0)
	}
}

// word is a field of few texts.
func word(name, doc string, values []string, of func(c *connection) int) connectionField {
	return connectionField{schema.Field{Name: name, Kind: schema.Text, Values: values, Doc: doc}, func(_ *connectionWriter, out *schema.Column, all []connection) {
		codes := make([]int32, len(values))
		for i, v := range values {
			codes[i] = out.Dict.Code([]byte(v))
		}
		for i := range all {
			out.Int32 = append(out.Int32, codes[of(&all[i])])
		}
	}}
}

// trait is a field of the observer, null if it is not the same in all records of that.
func trait(name, doc string, at int) connectionField {
	f, _ := schema.Logged().Lookup(name)
	f.Doc, f.Since = doc, 0
	return connectionField{f, func(w *connectionWriter, out *schema.Column, all []connection) {
		w.gather(w.witnesses[0].coders[at], out, all, func(c *connection) uint32 { return w.facts[c.observer].trait(at) })
	}}
}

// A connectionWriter makes records of connections. It belongs to one goroutine.
type connectionWriter struct {
	*matcher
	fields  schema.Table
	fills   []func(*connectionWriter, *schema.Column, []connection)
	columns []*schema.Column
	codes   []uint32
}

func newConnectionWriter(fields schema.Table, m *matcher) *connectionWriter {
	w := &connectionWriter{matcher: m, fields: fields}
	known := connectionFields()
	for _, f := range fields {
		w.columns = append(w.columns, schema.NewColumn(f))
		fill := func(_ *connectionWriter, out *schema.Column, all []connection) { out.Pad(len(all)) }
		if i := slices.IndexFunc(known, func(k connectionField) bool { return k.Name == f.Name }); i >= 0 {
			fill = known[i].fill
		}
		w.fills = append(w.fills, fill)
	}
	return w
}

// emit hands on connections as a batch. Columns that connections do not have are null.
func (w *connectionWriter) emit(all []connection, worker, seq int, next schema.Emit) error {
	columns := make([]arrow.Array, len(w.columns))
	for i, c := range w.columns {
		c.Reset()
		c.Grow(len(all))
		w.fills[i](w, c, all)
		columns[i] = c.Array()
	}
	rec := array.NewRecord(w.fields.Arrow(), columns, int64(len(all)))
	defer rec.Release()
	return next(schema.Batch{Record: rec, Worker: worker, Seq: int64(seq)})
}

// gather fills a column with the values that a coder has for codes.
func (w *connectionWriter) gather(from codes.Coder, out *schema.Column, all []connection, code func(*connection) uint32) {
	w.codes = w.codes[:0]
	for i := range all {
		w.codes = append(w.codes, code(&all[i]))
	}
	from.Gather(w.codes, out)
}
