package enrich

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// Every lookup of a source has a counterpart for clients, and each name leads back to the one of records.
func TestOfConnections(t *testing.T) {
	builtin := Builtin(nil)
	all := OfConnections(builtin)
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
		for _, from := range l.From {
			if ofConnections[from] == "" && !strings.HasSuffix(from, "_up") && !strings.HasSuffix(from, "_down") && !slices.Contains([]string{"client", "server", "client_port", "server_port"}, from) {
				t.Errorf("%s is computed from %s, which connections do not have", l.Name, from)
			}
		}
	}
	for _, l := range builtin {
		if !strings.HasPrefix(l.Name, "src") {
			continue
		}
		name := OfConnection(l.Name)
		if !slices.Contains(names, name) || OfRecord(name) != l.Name {
			t.Errorf("%s has the counterpart %s, which leads back to %s; there are %v", l.Name, name, OfRecord(name), names)
		}
	}
	for _, name := range []string{"client_port_name", "server_scope", "protocol_name", "bytes", "packets", "service"} {
		if !slices.Contains(names, name) {
			t.Errorf("there is no %s among %v", name, names)
		}
	}
}

func TestSumOfConnections(t *testing.T) {
	up := schema.NewColumn(schema.Field{Name: "bytes_up", Kind: schema.Int64})
	down := schema.NewColumn(schema.Field{Name: "bytes_down", Kind: schema.Int64})
	up.Int64, down.Int64 = []int64{5, 1 << 62}, []int64{7, 1 << 62}
	up.Null()
	down.Null()
	out := schema.NewColumn(schema.Field{Name: "bytes", Kind: schema.Int64})
	for row := range 3 {
		sumLookup("bytes", "").Append(out, []arrow.Array{up.Array(), down.Array()}, row)
	}
	if got := out.Int64[0]; got != 12 || !slices.Equal(out.Nulls, []int32{1, 2}) {
		t.Errorf("got %d and nulls %v, want 12, and nulls for a sum beyond 64 bits and for none", got, out.Nulls)
	}
}
