package enrich

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// A listing is the output of `aws ec2 describe-network-interfaces` or `describe-instances`, or a part of it selected by
// --query. Its rows are indexed by interface and instance IDs, and by all addresses.
//
// Users cannot rename AWS's columns, so the fields by ID are prefixed with the table's name as well, as in eni_name.

// listed is the union of all objects of a listing, since --query can print any of them alone: a document, a
// reservation, an interface or an instance. It has as many fields as flowlog reads of these four.
type listed struct {
	NetworkInterfaces, Reservations, Instances []json.RawMessage
	Prefixes                                   json.RawMessage

	OwnerID          string // of a reservation or an interface
	VpcID            string
	SubnetID         string
	AvailabilityZone string

	InstanceID     string
	InstanceType   string
	State          struct{ Name string }
	Placement      struct{ AvailabilityZone string }
	SecurityGroups []securityGroup
	Tags           []tag

	NetworkInterfaceID string
	InterfaceType      string
	Description        string
	Attachment         struct{ InstanceID string }
	Groups             []securityGroup
	TagSet             []tag

	PrivateIPAddress   string
	PublicIPAddress    string
	IPv6Address        string
	Association        association
	PrivateIPAddresses []struct {
		PrivateIPAddress string
		Association      association
	}
	IPv6Addresses []struct{ IPv6Address string }
	IPv4Prefixes  []struct{ IPv4Prefix string }
	IPv6Prefixes  []struct{ IPv6Prefix string }
}

type tag struct{ Key, Value string }

type securityGroup struct{ GroupName, GroupID string }

type association struct{ PublicIP, CarrierIP, CustomerOwnedIP string }

// A listedColumn is a column of a listing that is not a tag.
type listedColumn struct {
	name string
	text func(*listed) string
}

var interfaceColumns = []listedColumn{
	{"name", func(o *listed) string { return named(o.TagSet) }},
	{"description", func(o *listed) string { return o.Description }},
	{"type", func(o *listed) string { return o.InterfaceType }},
	{"instance_id", func(o *listed) string { return o.Attachment.InstanceID }},
	{"security_groups", func(o *listed) string { return groupNames(o.Groups) }},
	{"subnet_id", func(o *listed) string { return o.SubnetID }},
	{"vpc_id", func(o *listed) string { return o.VpcID }},
	{"az", func(o *listed) string { return o.AvailabilityZone }},
	{"account_id", func(o *listed) string { return o.OwnerID }},
	{"id", func(o *listed) string { return o.NetworkInterfaceID }},
}

var instanceColumns = []listedColumn{
	{"name", func(o *listed) string { return named(o.Tags) }},
	{"type", func(o *listed) string { return o.InstanceType }},
	{"state", func(o *listed) string { return o.State.Name }},
	{"security_groups", func(o *listed) string { return groupNames(o.SecurityGroups) }},
	{"subnet_id", func(o *listed) string { return o.SubnetID }},
	{"vpc_id", func(o *listed) string { return o.VpcID }},
	{"az", func(o *listed) string { return o.Placement.AvailabilityZone }},
	{"account_id", func(o *listed) string { return o.OwnerID }},
	{"id", func(o *listed) string { return o.InstanceID }},
}

func named(tags []tag) string {
	i := slices.IndexFunc(tags, func(t tag) bool { return t.Key == "Name" })
	if i < 0 {
		return ""
	}
	return tags[i].Value
}

func groupNames(groups []securityGroup) string {
	var names []string
	for _, g := range groups {
		if g.GroupName == "" {
			g.GroupName = g.GroupID
		}
		names = append(names, g.GroupName)
	}
	return strings.Join(names, ",")
}

// readListing reads one JSON document, or several behind one another.
func (t *Table) readListing(file string, content []byte) error {
	if t.key != nil {
		return fmt.Errorf("%s:1: column 1: all files of a table must have the same kind of key, and %s is CSV: give this one another name", file, t.file)
	}
	if t.index == nil {
		t.index = []index{&ids{texts: *newTexts("interface_id")}, new(networks)}
	}
	l := &listingReader{Table: t, file: file, content: content}
	in := json.NewDecoder(bytes.NewReader(content))
	for {
		var document json.RawMessage
		err := in.Decode(&document)
		if err == io.EOF {
			break
		}
		if err != nil {
			return l.fault(nil, err)
		}
		if err := l.read(document, ""); err != nil {
			return err
		}
	}
	if !l.recognized {
		return fmt.Errorf("%s:1: column 1: this is not what `aws ec2 describe-network-interfaces` or `aws ec2 describe-instances` print: both print JSON with NetworkInterfaces or Reservations in it; tables of your own are CSV", file)
	}
	return nil
}

type listingReader struct {
	*Table
	file       string
	content    []byte
	recognized bool // some object is one of a listing
}

// fault returns err with the line and column in the file. part is the part of the content that was decoded, nil for all.
func (l *listingReader) fault(part json.RawMessage, err error) error {
	offset := max(bytes.Index(l.content, part), 0)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset += int(syntax.Offset) - 1
	case errors.As(err, &kind):
		offset += int(kind.Offset) - 1
		err = fmt.Errorf("there is a %s where AWS has something else: get the listing again", kind.Value)
	default:
		offset, err = len(l.content), errors.New("the JSON ends too early: get the listing again")
	}
	return fmt.Errorf("%s: %w", position(l.file, l.content, offset), err)
}

// read adds the rows of a part of a listing. Instances inherit the account of their reservation.
func (l *listingReader) read(part json.RawMessage, account string) error {
	if part[0] == '[' {
		var parts []json.RawMessage
		if err := json.Unmarshal(part, &parts); err != nil {
			return l.fault(part, err)
		}
		l.recognized = l.recognized || len(parts) == 0
		return l.readAll(parts, account)
	}
	var o listed
	if err := json.Unmarshal(part, &o); err != nil {
		return l.fault(part, err)
	}
	if o.OwnerID == "" {
		o.OwnerID = account
	}
	switch {
	case o.InstanceID != "":
		var interfaces []listed
		for _, part := range o.NetworkInterfaces {
			var i listed
			if err := json.Unmarshal(part, &i); err != nil {
				return l.fault(part, err)
			}
			interfaces = append(interfaces, i)
		}
		l.index[0].(*ids).fields = instanceFields
		return l.add(&o, instanceColumns, o.Tags, o.InstanceID, interfaces)
	case o.NetworkInterfaceID != "":
		return l.add(&o, interfaceColumns, o.TagSet, o.NetworkInterfaceID, []listed{o})
	case o.Prefixes != nil:
		return schema.Wordsf("%s:1: column 1: this is AWS's ip-ranges.json: %s reads it", l.file, schema.Opt("aws-ranges", l.file))
	}
	if o.NetworkInterfaces != nil {
		l.declare(interfaceColumns)
	}
	if o.Reservations != nil || o.Instances != nil {
		l.declare(instanceColumns)
		l.index[0].(*ids).fields = instanceFields
	}
	return l.readAll(slices.Concat(o.NetworkInterfaces, o.Reservations, o.Instances), o.OwnerID)
}

func (l *listingReader) readAll(parts []json.RawMessage, account string) error {
	for _, part := range parts {
		if err := l.read(part, account); err != nil {
			return err
		}
	}
	return nil
}

// declare adds the columns to the table, even if the listing is empty.
func (l *listingReader) declare(columns []listedColumn) {
	l.recognized = true
	for _, c := range columns {
		l.column(c.name, "")
	}
}

// add appends a row for an interface, or for an instance with its interfaces.
func (l *listingReader) add(o *listed, columns []listedColumn, tags []tag, id string, interfaces []listed) error {
	l.declare(columns)
	row := l.row(l.file, 0)
	for _, c := range columns {
		l.set(l.column(c.name, ""), strings.ToValidUTF8(c.text(o), "\ufffd"))
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	for _, tag := range tags {
		name := fieldName(tag.Key)
		if name == "" || tag.Key == "Name" {
			continue
		}
		if column := l.column("tag_"+name, ""); column.cell(row) == "" { // two tags can map to one name: the first wins
			l.set(column, strings.ToValidUTF8(tag.Value, "\ufffd"))
		}
	}

	byID, byAddress := l.index[0].(*ids), l.index[1].(*networks)
	keys := []string{id}
	addresses := o.addresses()
	for _, i := range interfaces {
		keys = append(keys, i.NetworkInterfaceID)
		addresses = append(addresses, i.addresses()...)
	}
	for _, key := range keys {
		if before, ok := byID.rows[key]; ok && before != row && !l.same(before, row) {
			return fmt.Errorf("%s: %s is in %s too, and not the same there: name only the newer file", l.file, key, l.rows[before])
		}
		byID.rows[key] = row
	}
	for _, a := range addresses {
		if a == "" {
			continue
		}
		p, err := parseNetwork(a)
		if err != nil {
			at := max(bytes.Index(l.content, []byte(`"`+a+`"`)), 0)
			return fmt.Errorf("%s: %s: %w", position(l.file, l.content, at), id, err)
		}
		if before, ok := byAddress.trie.Get(p); ok && (before < 0 || !l.same(before, row)) {
			byAddress.trie.Insert(p, ambiguous)
			if d := &byAddress.doubt; before != ambiguous {
				d.count++
				d.first = cmp.Or(d.first, a)
			}
		} else {
			byAddress.trie.Insert(p, row)
		}
	}
	return nil
}

// ambiguous is the row of an address that several interfaces have, each in its own VPC: no name is better than a wrong
// one.
const ambiguous int32 = -2

func (o *listed) addresses() []string {
	all := []string{o.PrivateIPAddress, o.PublicIPAddress, o.IPv6Address, o.Association.PublicIP, o.Association.CarrierIP, o.Association.CustomerOwnedIP}
	for _, a := range o.PrivateIPAddresses {
		all = append(all, a.PrivateIPAddress, a.Association.PublicIP, a.Association.CarrierIP, a.Association.CustomerOwnedIP)
	}
	for _, a := range o.IPv6Addresses {
		all = append(all, a.IPv6Address)
	}
	for _, p := range o.IPv4Prefixes {
		all = append(all, p.IPv4Prefix)
	}
	for _, p := range o.IPv6Prefixes {
		all = append(all, p.IPv6Prefix)
	}
	return all
}

// ids indexes the rows of a listing by the interface or instance ID of a record.
type ids struct{ texts }

// instanceFields are the join fields of instances. Interfaces get the columns of their instance, since not all records
// have an instance_id.
var instanceFields = []string{"instance_id", "interface_id"}

func (x *ids) joins(table string) []join {
	joins := x.texts.joins(table)
	joins[0].prefix = table + "_"
	return joins
}
