package enrich

import (
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/enrich/inventory"
	"flowlog/parse/schema"
)

// Owners is the kind of file that says who owned an address at a time.
const Owners DBKind = "inventory"

// An Inventory computes the fields of owners: of both ends by address, VPC and time, and of the record's own interface.
// Its lookups may be used by any number of workers at once.
type Inventory struct {
	inv    *inventory.Inventory
	tally  tally
	filled [len(fillable)]counter
}

// NewInventory makes the lookups of an inventory.
func NewInventory(inv *inventory.Inventory) *Inventory { return &Inventory{inv: inv} }

// Err is nil: the files were read when the inventory was made.
func (n *Inventory) Err() error { return nil }

// Close does nothing.
func (n *Inventory) Close() error { return nil }

// An ownerField is a field of an owner.
type ownerField struct {
	name   string
	doc    string
	values []string
	value  func(*inventory.Owner) string
	subnet func(*inventory.Subnet) string // what is known without an owner, or nil
	own    bool                           // the record's own interface has it too, and no logged field does
}

// ownerFields is THE table of the fields of owners.
var ownerFields = []ownerField{
	{name: "name", doc: "Name of what has %s: its tag Name, or what AWS calls it", value: func(o *inventory.Owner) string { return o.Name }, own: true},
	{name: "owner_type", doc: "What has %s: instance, nat_gateway, pod …", values: inventory.Types(), value: func(o *inventory.Owner) string { return o.Type }, own: true},
	{name: "owner_id", doc: "ID of what has %s", value: func(o *inventory.Owner) string { return o.ID }, own: true},
	{
		name: "az_id", doc: "Availability zone ID of %s", value: func(o *inventory.Owner) string { return o.Zone },
		subnet: func(s *inventory.Subnet) string { return s.Zone },
	},
	{
		name: "subnet_id", doc: "Subnet of %s", value: func(o *inventory.Owner) string { return o.Subnet },
		subnet: func(s *inventory.Subnet) string { return s.ID },
	},
	{
		name: "vpc_id", doc: "VPC of %s", value: func(o *inventory.Owner) string { return o.VPC },
		subnet: func(s *inventory.Subnet) string { return s.VPC },
	},
	{name: "account_id", doc: "Account of the interface that has %s", value: func(o *inventory.Owner) string { return o.Account }},
	{name: "security_groups", doc: "Security groups of %s, separated by commas", value: func(o *inventory.Owner) string { return o.Groups }, own: true},
	{name: "k8s_namespace", doc: "Namespace of the pod that has %s", value: ofPod(func(k *inventory.Kubernetes) string { return k.Namespace })},
	{name: "k8s_workload", doc: "Workload of the pod that has %s, such as its deployment", value: ofPod(func(k *inventory.Kubernetes) string { return k.Workload })},
	{name: "k8s_pod", doc: "Pod that has %s", value: ofPod(func(k *inventory.Kubernetes) string { return k.Pod })},
}

func ofPod(value func(*inventory.Kubernetes) string) func(*inventory.Owner) string {
	return func(o *inventory.Owner) string {
		if o.Kubernetes == nil {
			return ""
		}
		return value(o.Kubernetes)
	}
}

// ownerEnd is an end of a flow: "src" or "dst", or "own" for the interface that recorded it.
type ownerEnd struct {
	prefix string
	addrs  []string // the addresses, as in sides; nil for own
	doc    string
	from   []string
}

// The From fields of ends behind the addresses, and those of the record's own interface.
const (
	ownInterface = "interface_id"
	ownVPC       = "vpc_id"
	startTime    = "start"
	endTime      = "end"
)

// ownerEnds returns the ends. Both have the interface and the VPC of the record among the fields that they are computed
// from: the same address is another owner's in another VPC.
func ownerEnds() []ownerEnd {
	var ends []ownerEnd
	for _, side := range sides {
		from := append(slices.Clone(side.addrs), ownInterface, ownVPC, "tgw_"+side.prefix+"_vpc_id", startTime, endTime)
		ends = append(ends, ownerEnd{side.prefix, side.addrs, side.addrDoc + ", when the flow was", from})
	}
	return append(ends, ownerEnd{"own", nil, "the interface that recorded the flow", []string{ownInterface, startTime, endTime}})
}

// stateField is the suffix of the field that says how sure the others are.
const stateField = "owner"

// ownerTable lists the fields of owners, without tags, which depend on the inventory.
var ownerTable = sync.OnceValue(func() schema.Table {
	var t schema.Table
	for _, end := range ownerEnds() {
		for _, f := range ownerFields {
			if end.addrs != nil || f.own {
				t = append(t, end.field(f.name, f.doc, f.values))
			}
		}
		if end.addrs != nil {
			t = append(t, end.field(stateField, "How sure the owner of %s is: certain, assumed, several or none", inventory.States()))
		}
	}
	return slices.Clip(t)
})

func (e ownerEnd) field(name, doc string, values []string) schema.Field {
	return schema.Field{Name: e.prefix + "_" + name, Kind: schema.Text, From: e.from, Values: values, Doc: strings.Replace(doc, "%s", e.doc, 1)}
}

// Fields lists the fields of the inventory, with those of its tags.
func (n *Inventory) Fields() schema.Table {
	var t schema.Table
	for _, l := range n.Lookups() {
		t = append(t, l.Field)
	}
	return t
}

// Lookups returns the lookups of all fields of the inventory.
func (n *Inventory) Lookups() []Lookup {
	tags := n.tagNames()
	var lookups []Lookup
	for _, end := range ownerEnds() {
		at := &asOf{n, end}
		for _, f := range ownerFields {
			if end.addrs == nil && !f.own {
				continue
			}
			lookups = append(lookups, at.lookup(end.field(f.name, f.doc, f.values), func(a *inventory.Answer) string { return agreed(a, f.value, f.subnet) }))
		}
		if end.addrs == nil {
			continue
		}
		state := end.field(stateField, "How sure the owner of %s is: certain, assumed, several or none", inventory.States())
		lookups = append(lookups, at.lookup(state, func(a *inventory.Answer) string { return a.State.String() }))
		for _, tag := range tags {
			f := end.field("tag_"+tag.name, "Tag "+tag.key+" of %s", nil)
			lookups = append(lookups, at.lookup(f, func(a *inventory.Answer) string {
				return agreed(a, func(o *inventory.Owner) string { return ownerTag(o, tag.key) }, nil)
			}))
		}
	}
	return lookups
}

// A tagName is a tag and what a field calls it.
type tagName struct{ key, name string }

// tagNames lists the tags that become fields: all but Name. Of two keys that give one name the first counts.
func (n *Inventory) tagNames() []tagName {
	var tags []tagName
	for _, key := range n.inv.TagKeys() {
		name := fieldName(key)
		if name == "" || key == "Name" || slices.ContainsFunc(tags, func(t tagName) bool { return t.name == name }) {
			continue
		}
		tags = append(tags, tagName{key, name})
	}
	return tags
}

func ownerTag(o *inventory.Owner, key string) string {
	for _, t := range o.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// agreed is the value of a field that all possible owners have alike, "" if they differ. Without an owner it is what the
// subnet says.
func agreed(a *inventory.Answer, value func(*inventory.Owner) string, subnet func(*inventory.Subnet) string) string {
	text := ""
	for i, o := range a.Owners {
		v := value(o)
		if i > 0 && v != text {
			text = ""
			break
		}
		text = v
	}
	if text == "" && subnet != nil && a.Subnet != nil && len(a.Owners) < 2 {
		return subnet(a.Subnet)
	}
	return text
}

// asOf answers for the records of one end.
type asOf struct {
	*Inventory
	end ownerEnd
}

func (at *asOf) lookup(f schema.Field, value func(*inventory.Answer) string) Lookup {
	return Lookup{Field: f, dated: at, answered: value, Append: func(out *schema.Column, in []arrow.Array, row int) {
		if a, ok := at.answer(in, row); ok {
			text(out, value(&a))
		} else {
			out.Null()
		}
	}}
}

// answer is the answer for a record. It is false if the record has no address, or no interface.
func (at *asOf) answer(in []arrow.Array, row int) (a inventory.Answer, ok bool) {
	start, end := times(in, row)
	if at.end.addrs == nil {
		id, ok := textValue(in[0], row)
		if !ok {
			return a, false
		}
		o := at.inv.Interface(id, end)
		if o != nil {
			a.State, a.Owners = inventory.Certain, []*inventory.Owner{o}
		}
		return a, true
	}
	q, ok := at.query(in, row)
	if !ok {
		return a, false
	}
	q.Start, q.End = start, end
	return at.inv.Find(q), true
}

// query is what is asked of an end of a record, without its time.
func (at *asOf) query(in []arrow.Array, row int) (q inventory.Query, ok bool) {
	n := len(at.end.addrs)
	if q.Addr, ok = address(in[:n], row); !ok {
		return q, false
	}
	q.Interface, _ = textValue(in[n], row)
	for _, col := range in[n+1 : n+3] {
		if q.VPC == "" {
			q.VPC, _ = textValue(col, row)
		}
	}
	return q, true
}

// epochs returns the times at which the answer for a record changes.
func (at *asOf) epochs(in []arrow.Array, row int) []int64 {
	if at.end.addrs == nil {
		id, _ := textValue(in[0], row)
		return at.inv.InterfaceEpochs(id)
	}
	q, ok := at.query(in, row)
	if !ok {
		return nil
	}
	return at.inv.Epochs(q)
}

// times are the last two From fields, when a flow began and ended. One that is missing is the other; without both, the flow
// was at any time.
func times(in []arrow.Array, row int) (start, end int64) {
	value := func(col arrow.Array) (int64, bool) {
		if a, ok := col.(*array.Int64); ok && a.IsValid(row) {
			return a.Value(row), true
		}
		return 0, false
	}
	start, from := value(in[len(in)-2])
	end, to := value(in[len(in)-1])
	switch {
	case !from && !to:
		return minTime, maxTime
	case !from:
		return end, end
	case !to:
		return start, start
	}
	return min(start, end), max(start, end)
}

// The times of a flow without any: before and after all snapshots, and far from the ends of their type.
const (
	minTime = -1 << 40
	maxTime = 1 << 40
)
