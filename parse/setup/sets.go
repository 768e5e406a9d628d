package setup

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// A Set is fields that answer questions of one kind.
type Set struct {
	Name string
	Doc  string
	more []string // beyond version 2; nil for all
}

// Sets is THE table of sets.
var Sets = []Set{
	{"default", "the fourteen fields of version 2, which AWS logs if no format is given", []string{}},
	{"cost", "what traffic costs: zones, gateways, services, next hops", []string{
		"vpc_id", "subnet_id", "instance_id", "pkt_srcaddr", "pkt_dstaddr", "region", "az_id", "pkt_src_aws_service", "pkt_dst_aws_service", "flow_direction", "traffic_path",
		"resource_id", "interface_type", "next_hop_interface_id", "next_hop_az_id", "next_hop_vpc_id", "next_hop_interface_type",
	}},
	{"security", "who did what, and what was refused why", []string{
		"vpc_id", "subnet_id", "instance_id", "tcp_flags", "pkt_srcaddr", "pkt_dstaddr", "pkt_src_aws_service", "pkt_dst_aws_service", "flow_direction", "reject_reason",
	}},
	{"all", "every field, those of tags only if tags are named", nil},
}

// SetNames are the names of Sets.
func SetNames() []string {
	var names []string
	for _, s := range Sets {
		names = append(names, s.Name)
	}
	return names
}

// newest is the version of flow logs of VPCs that has all fields.
func newest() int { return slices.Max(schema.Versions()) }

// transit is the version of flow logs of transit gateways.
const transit = 6

// Fields returns the fields of a set, in AWS's order: all but those of tags.
func (s Set) Fields() []string {
	var names []string
	for _, name := range schema.Version(newest()) {
		_, isTag := tagField(name)
		if f, _ := schema.Logged().Lookup(name); f.Since == 2 || slices.Contains(s.more, name) || s.more == nil && !isTag {
			names = append(names, name)
		}
	}
	return names
}

// A tagSpec is the tags of a resource whose values are logged.
type tagSpec struct {
	resource string // of the API
	keys     []string
}

// taggedResources are the resources whose tags can be logged: as users name them, and AWS. Each has the fields
// NAME_tag and NAME_tag_2.
var taggedResources = []struct{ name, api string }{{"instance", "instance"}, {"interface", "network-interface"}, {"asg", "auto-scaling-group"}}

// mostKeys is how many tags of a resource are logged.
const mostKeys = 2

// tagField reports whether a field has the value of a tag, and of which resource.
func tagField(name string) (resource string, ok bool) {
	resource, rest, ok := strings.Cut(name, "_tag")
	return resource, ok && (rest == "" || rest == "_2") && slices.ContainsFunc(taggedResources, func(t struct{ name, api string }) bool { return t.name == resource })
}

// checkFields finds the fields and the tags.
func (p *plan) checkFields() error {
	if err := p.checkTags(); err != nil {
		return wrong("tags", err)
	}
	known := schema.Version(newest())
	if p.kind.isTransit() {
		known = schema.Version(transit)
	}
	i := slices.IndexFunc(Sets, func(s Set) bool { return s.Name == p.Set })
	switch {
	case p.kind.isTransit() && len(p.tags) > 0:
		return wrong("tags", fmt.Errorf("flow logs of transit gateways have no tags"))
	case p.kind.isTransit() && i >= 0:
		p.fields = known
		return nil
	case i >= 0:
		p.fields = Sets[i].Fields()
	default:
		names, err := schema.ParseFormat(p.Set)
		if err != nil {
			return wrong("set", err)
		}
		for j, name := range names {
			if !slices.Contains(known, name) {
				return wrong("set", schema.Unknown("set or field", name, append(SetNames(), known...), "flowlog help setup"))
			}
			if slices.Contains(names[:j], name) {
				return wrong("set", fmt.Errorf("%s is there twice", name))
			}
		}
		p.fields = names
	}
	return p.addTags(i < 0)
}

// addTags adds the fields of the tags. Fields that were named must have their tags.
func (p *plan) addTags(named bool) error {
	var wanted []string
	for _, t := range p.tags {
		for _, r := range taggedResources {
			if r.api == t.resource {
				wanted = append(wanted, []string{r.name + "_tag", r.name + "_tag_2"}[:len(t.keys)]...)
			}
		}
	}
	if named {
		for _, name := range p.fields {
			if resource, ok := tagField(name); ok && !slices.Contains(wanted, name) {
				return wrong("set", fmt.Errorf("%s needs the tags whose values it has, as in %s=Name,Team", name, resource))
			}
		}
	}
	fields := schema.Version(newest())
	if named { // what was named keeps its order
		for _, name := range wanted {
			if !slices.Contains(p.fields, name) {
				p.fields = append(p.fields, name)
			}
		}
		return nil
	}
	p.fields = slices.DeleteFunc(fields, func(name string) bool { return !slices.Contains(p.fields, name) && !slices.Contains(wanted, name) })
	return nil
}

func (p *plan) checkTags() error {
	for _, text := range p.Tags {
		name, list, _ := strings.Cut(text, "=")
		i := slices.IndexFunc(taggedResources, func(t struct{ name, api string }) bool { return t.name == name || t.api == name })
		if i < 0 {
			return fmt.Errorf("%q: tags are those of instance, interface or asg, as in instance=Name,Team", text)
		}
		t := tagSpec{resource: taggedResources[i].api}
		for key := range strings.SplitSeq(list, ",") {
			if key = strings.TrimSpace(key); key == "" || slices.Contains(t.keys, key) {
				return fmt.Errorf("%q: the keys of the tags follow, as in %s=Name,Team", text, name)
			}
			t.keys = append(t.keys, key)
		}
		switch {
		case len(t.keys) > mostKeys:
			return fmt.Errorf("%q: at most %d tags of a resource are logged", text, mostKeys)
		case slices.ContainsFunc(p.tags, func(other tagSpec) bool { return other.resource == t.resource }):
			return fmt.Errorf("%q: the tags of %s are named twice: put both behind one =", text, name)
		}
		p.tags = append(p.tags, t)
	}
	return nil
}
