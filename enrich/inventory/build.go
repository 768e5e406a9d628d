package inventory

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A builder makes an inventory of a store.
type builder struct {
	*store
	inv   *Inventory
	nodes map[string]string // VPC, by the ID of the instance
}

// build makes the inventory. The store must not be used afterwards.
func (s *store) build(sources map[TimeSource]int) *Inventory {
	b := &builder{store: s, nodes: make(map[string]string), inv: &Inventory{
		names: s.names, byID: s.byID, heads: make(map[netip.Prefix]int32), streams: s.streams, flowLogs: s.flowLogs,
		vpcs: make(map[string]*network), vpcIDs: []string{""},
	}}
	s.elements, s.byScope = nil, nil
	for i := range s.streams {
		b.inv.histories = append(b.inv.histories, s.streams[i].history())
	}
	for _, id := range s.holders {
		b.inv.holders = append(b.inv.holders, holder{id: id})
	}
	b.networks()
	for _, l := range []layer{interfaces, services, pods} { // the VPC of a pod is that of its node
		b.addElements(l)
	}
	b.addItems()
	for i := range b.inv.timelines {
		b.inv.timelines[i].finish(b.inv.histories)
	}
	for i := range b.inv.holders {
		slices.SortStableFunc(b.inv.holders[i].revisions, func(a, b *revision) int { return cmp.Compare(a.since, b.since) })
	}
	slices.Sort(b.inv.bits)
	b.inv.bits = slices.Compact(b.inv.bits)
	slices.Reverse(b.inv.bits)
	b.describe(sources)
	b.tags()
	return b.inv
}

// network returns a VPC, and adds it if it is new.
func (b *builder) network(id string) *network {
	n := b.inv.vpcs[id]
	if n == nil {
		n = &network{number: int32(len(b.inv.vpcIDs))}
		b.inv.vpcs[id] = n
		b.inv.vpcIDs = append(b.inv.vpcIDs, id)
	}
	return n
}

// networks adds the VPCs and subnets that were listed.
func (b *builder) networks() {
	for id, v := range b.store.vpcs {
		n := b.network(id)
		cidrs := []string{v.CidrBlock}
		for _, a := range v.CidrBlockAssociationSet {
			cidrs = append(cidrs, a.CidrBlock)
		}
		for _, a := range v.IPv6CidrBlockAssociationSet {
			cidrs = append(cidrs, a.IPv6CidrBlock)
		}
		for _, text := range cidrs {
			if p, err := parsePrefix(text); err == nil {
				n.cidrs = append(n.cidrs, p)
			}
		}
	}
	for id, sub := range b.store.names.subnets {
		n := b.network(sub.VpcID)
		cidrs := []string{sub.CidrBlock}
		for _, a := range sub.IPv6CidrBlockAssociationSet {
			cidrs = append(cidrs, a.IPv6CidrBlock)
		}
		for _, text := range cidrs {
			if p, err := parsePrefix(text); err == nil {
				n.subnets = append(n.subnets, subnetRange{p, id})
			}
		}
	}
}

// layerOf is the layer of a state.
func layerOf(d *description) layer {
	switch {
	case d.kubernetes == nil:
		return interfaces
	case d.kind == typePod:
		return pods
	}
	return services
}

// addElements adds the tenures of the states of a layer.
func (b *builder) addElements(l layer) {
	for _, e := range b.order {
		if e.stream < 0 || len(e.states) == 0 {
			continue
		}
		h := &b.inv.histories[e.stream]
		runs := h.runs(e.runs())
		for i := range e.states {
			s := &e.states[i]
			if layerOf(s.about) != l {
				continue
			}
			b.revise(s, h.times[runs[0].first], b.streams[e.stream].call)
			for _, c := range s.claims {
				if c.kind == primary {
					b.inv.holders[s.holder].primary = c.prefix.Addr()
				}
				line := b.timeline(c, s, l)
				for _, r := range runs {
					line.tenures = append(line.tenures, tenure{
						holder: s.holder, stream: e.stream, first: r.first, last: r.last, kind: c.kind, attach: s.attach, gone: s.gone,
					})
				}
			}
		}
	}
}

// revise adds a description of a holder. That of an address or an instance only counts if its interface is not listed.
func (b *builder) revise(s *state, since int64, call string) {
	h := &b.inv.holders[s.holder]
	if s.about.instance != "" && s.about.vpc != "" {
		b.nodes[s.about.instance] = s.about.vpc
	}
	poor := func(d *description) bool { return d.vpc == "" && d.kubernetes == nil }
	if len(h.revisions) > 0 {
		if poor(s.about) || call == "Reservations" && h.revisions[0].about.zoneID != "" {
			return
		}
		if poor(h.revisions[0].about) {
			h.revisions = nil
		}
	}
	h.revisions = append(h.revisions, &revision{since: since, about: s.about})
}

// timeline returns that of what a state claims, and adds it if it is new.
func (b *builder) timeline(c claim, s *state, l layer) *timeline {
	number := int32(0)
	if vpc := b.vpcOf(c, s, l); vpc != "" && !c.global() {
		number = b.network(vpc).number
	}
	if c.kind == delegated && !c.prefix.IsSingleIP() {
		b.inv.bits = append(b.inv.bits, c.prefix.Bits())
	}
	head, ok := b.inv.heads[c.prefix]
	if !ok {
		head = -1
	}
	for i := head; i >= 0; i = b.inv.timelines[i].next {
		if t := &b.inv.timelines[i]; t.vpc == number && t.layer == l {
			return t
		}
	}
	b.inv.timelines = append(b.inv.timelines, timeline{vpc: number, next: head, layer: l})
	b.inv.heads[c.prefix] = int32(len(b.inv.timelines) - 1)
	return &b.inv.timelines[len(b.inv.timelines)-1]
}

// vpcOf returns the VPC of a state: that of an interface, and of a pod that of its node, or else the only one in which an
// interface has the address or its prefix. "" is unknown.
func (b *builder) vpcOf(c claim, s *state, l layer) string {
	if l == interfaces {
		return s.about.vpc
	}
	node := s.about.instance
	if s.about.kind == typeNode {
		node = s.about.text
	}
	if id := b.store.nodes[node]; id != "" {
		if s.about.kind == typePod {
			s.about.instance = id
		}
		if vpc := b.nodes[id]; vpc != "" {
			s.about.vpc = vpc
			return vpc
		}
	}
	found := ""
	for _, p := range append([]int{c.prefix.Bits()}, b.inv.bits...) {
		masked, err := c.prefix.Addr().Prefix(p)
		if err != nil {
			continue
		}
		i, ok := b.inv.heads[masked]
		if !ok {
			continue
		}
		for ; i >= 0; i = b.inv.timelines[i].next {
			t := &b.inv.timelines[i]
			if t.layer != interfaces || t.vpc == 0 {
				continue
			}
			if id := b.inv.vpcIDs[t.vpc]; found == "" || found == id {
				found = id
			} else {
				return ""
			}
		}
	}
	return found
}

// addItems adds the tenures of the items of AWS Config, whose ends are exact.
func (b *builder) addItems() {
	slices.SortStableFunc(b.items, func(x, y item) int {
		return cmp.Or(strings.Compare(x.resource, y.resource), cmp.Compare(x.time, y.time))
	})
	for len(b.items) > 0 {
		n := 1
		for n < len(b.items) && b.items[n].resource == b.items[0].resource {
			n++
		}
		b.addItemsOf(b.items[:n])
		b.items = b.items[n:]
	}
}

// addItemsOf adds the tenures of one interface.
func (b *builder) addItemsOf(items []item) {
	has := func(it *item, c claim) bool {
		return slices.ContainsFunc(it.state.claims, func(o claim) bool { return o.prefix == c.prefix })
	}
	for i := range items {
		it := &items[i]
		if it.deleted {
			continue
		}
		b.revise(&it.state, it.time, "configurationItems")
		for _, c := range it.state.claims {
			if c.kind == primary {
				b.inv.holders[it.state.holder].primary = c.prefix.Addr()
			}
			if i > 0 && has(&items[i-1], c) {
				continue // its tenure began before
			}
			t := tenure{holder: it.state.holder, stream: -1, kind: c.kind, fixed: true, from: it.time - slack, mayFrom: ever}
			switch {
			case i > 0:
				t.from, t.mayFrom = it.time+slack, it.time-slack
			case it.created > 0 && c.kind == primary:
				t.from, t.mayFrom = it.created+slack, it.created-slack
			case it.created > 0:
				t.mayFrom = it.created - slack
			}
			t.to, t.mayTo = max(it.time, b.known[it.account+" "+it.region])+slack, never
			for next := i + 1; next < len(items); next++ {
				if !has(&items[next], c) {
					t.to, t.mayTo = items[next].time-slack, items[next].time+slack
					break
				}
			}
			line := b.timeline(c, &it.state, interfaces)
			line.tenures = append(line.tenures, t)
		}
	}
}

// tags collects the keys of tags.
func (b *builder) tags() {
	keys := make(map[string]bool)
	for i := range b.inv.holders {
		for _, r := range b.inv.holders[i].revisions {
			for _, t := range r.about.tags {
				keys[t.Key] = true
			}
		}
	}
	add := func(tags []Tag) {
		for _, t := range tags {
			keys[t.Key] = true
		}
	}
	for _, tags := range b.store.names.instances {
		add(tags)
	}
	for _, tags := range b.store.names.gateways {
		add(tags)
	}
	for _, e := range b.store.names.endpoints {
		add(e.Tags)
	}
	b.inv.tagKeys = slices.Sorted(maps.Keys(keys))
}

// describe says what the inventory was made from.
func (b *builder) describe(sources map[TimeSource]int) {
	a := About{Sources: sources}
	accounts := make(map[string]bool)
	type snapshot struct {
		account, region string
		time            int64
	}
	snapshots := make(map[snapshot]bool)
	times := make(map[int64]bool) // of snapshots of an account
	see := func(t int64) {
		if a.First == 0 || t < a.First {
			a.First = t
		}
		a.Last = max(a.Last, t)
	}
	for i, s := range b.streams {
		if c := callOf(s.call); c != nil && c.scope == nil {
			continue
		}
		if s.account != "" {
			accounts[s.account] = true
		}
		for _, t := range b.inv.histories[i].times {
			if s.account == "" { // the documents of one time are of one cluster, as far as anybody knows
				snapshots[snapshot{time: t}] = true
			} else {
				snapshots[snapshot{s.account, s.region, t}], times[t] = true, true
			}
			see(t)
		}
	}
	maps.DeleteFunc(snapshots, func(s snapshot, _ bool) bool { return s.account == "" && times[s.time] }) // part of another
	for scope, t := range b.known {
		account, _, _ := strings.Cut(scope, " ")
		accounts[account] = true
		see(t)
	}
	for i := range b.inv.holders {
		if strings.HasPrefix(b.inv.holders[i].id, "eni-") {
			a.Interfaces++
		}
	}
	a.Snapshots, a.Accounts = len(snapshots), len(accounts)
	b.inv.about = a
}
