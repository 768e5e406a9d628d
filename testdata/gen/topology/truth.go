package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A sheet is a file of tab-separated values with a header.
type sheet struct{ bytes.Buffer }

func (s *sheet) row(values ...any) {
	for i, v := range values {
		if i > 0 {
			s.WriteByte('\t')
		}
		if text := fmt.Sprint(v); text != "" {
			s.WriteString(text)
		} else {
			s.WriteByte('-')
		}
	}
	s.WriteByte('\n')
}

// transfersFile lists what was sent.
func transfersFile(all []*transfer) []byte {
	var s sheet
	s.row("transfer", "connection", "client", "server", "protocol", "client_port", "server_port", "nat_port", "packets_up", "bytes_up", "packets_down", "bytes_down",
		"start", "end", "begins", "close", "outcome", "scenario")
	for _, t := range all {
		natPort := ""
		if strings.HasSuffix(t.way.kind, "nat") {
			natPort = fmt.Sprint(t.natPort)
		}
		s.row(t.id, t.connection, t.client, t.server, t.proto, t.from, t.to, natPort, t.upPackets, t.upBytes, t.downPackets, t.downBytes,
			t.start, t.end, t.begins, t.close, t.outcome(), t.scenario)
	}
	return s.Bytes()
}

func (n *network) truth(files map[string][]byte, transfers []*transfer, logs map[string][]record) {
	files["truth/connections.tsv"] = n.connections(transfers)
	files["truth/names.tsv.gz"] = gzipped(n.names(logs))
	files["truth/rejects.tsv"] = n.rejects(logs)
	if n.seed == 0 {
		files["truth/reuse.tsv"] = []byte(reuse)
	}
}

// connections lists what each connection was. Transfers of one connection follow each other.
func (n *network) connections(transfers []*transfer) []byte {
	groups := map[int][]*transfer{}
	last := 0
	for _, t := range transfers {
		groups[t.connection] = append(groups[t.connection], t)
		last = max(last, t.connection)
	}
	var s sheet
	s.row("connection", "client", "server", "client_name", "server_name", "client_port", "server_port", "protocol", "bytes_up", "bytes_down", "packets_up", "packets_down",
		"start", "end", "state", "syn_logged", "transfers", "late_packets", "way", "points", "logged_as", "scenario")
	for c := 1; c <= last; c++ {
		all := groups[c]
		t := all[0]
		var up, down, upPackets, downPackets, late int64
		pieces, end := 0, t.end
		for _, p := range all {
			if p.event == "late" {
				late += p.downPackets
				continue
			}
			up, down, upPackets, downPackets = up+p.upBytes, down+p.downBytes, upPackets+p.upPackets, downPackets+p.downPackets
			pieces++
			end = p.end
		}
		points := len(t.way.forth) + len(t.way.back)
		s.row(c, t.clientAddr, t.serverAddr, t.client, t.server, t.from, t.to, t.proto, up, down, upPackets, downPackets,
			t.start, end, state(all), t.begins && t.proto == 6, pieces, late, t.way.kind, points, loggedAs(t), t.scenario)
	}
	return s.Bytes()
}

// loggedAs is the number of pairs of address and port, of packets, that the points of a transfer log: a NAT gateway's
// outer leg has another one than its inner leg.
func loggedAs(t *transfer) int {
	seen := map[string]bool{}
	for _, p := range t.way.forth {
		seen[fmt.Sprint(p.src, p.srcPort, p.dst, p.dstPort)] = true
	}
	return len(seen)
}

// state is how a connection stands at the end of the day.
func state(all []*transfer) string {
	t := all[0]
	last := t
	for _, p := range all {
		if p.event != "late" {
			last = p
		}
	}
	switch {
	case t.refusal != nil, t.close == "refused":
		return "refused"
	case t.downPackets == 0:
		return "no_answer"
	case strings.HasPrefix(last.close, "rst"):
		return "reset"
	case last.close == "fin" && t.proto == 6:
		return "closed"
	}
	return "open"
}

// names lists for each line of each file whose the addresses are. Lines are those of all formats alike, and the header
// is line 1.
func (n *network) names(logs map[string][]record) []byte {
	var s sheet
	header := []any{"vpc", "line", "transfer", "interface", "direction", "own_name", "own_type", "own_id"}
	for _, side := range []string{"src", "dst", "pkt_src", "pkt_dst"} {
		for _, field := range []string{"name", "type", "id", "zone", "vpc"} {
			header = append(header, side+"_"+field)
		}
	}
	s.row(header...)
	for _, v := range n.VPCs {
		for i := range logs[v.Name] {
			r := &logs[v.Name][i]
			if r.noData {
				s.row(v.Name, i+2, "", r.at.ENI, "", n.title(r.at), r.at.Type, r.at.Owner)
				continue
			}
			direction := "ingress"
			if r.out {
				direction = "egress"
			}
			row := []any{v.Name, i + 2, r.t.id, r.at.ENI, direction, n.title(r.at), r.at.Type, r.at.Owner}
			src, dst := r.logged()
			for _, a := range []netip.Addr{src, dst, r.src, r.dst} {
				row = append(row, n.whose(r, a)...)
			}
			s.row(row...)
		}
	}
	return s.Bytes()
}

// whose is the name, type, ID, zone and VPC of an address that a record has.
func (n *network) whose(r *record, a netip.Addr) []any {
	e := n.holder(r, a)
	if e == nil {
		for _, o := range n.Outside {
			if o.Addr == a.String() {
				return []any{o.Name, "outside", "", "", ""}
			}
		}
		return []any{"", "", "", "", ""}
	}
	zone, vpc := n.zone(e), n.vpc(e.VPC).ID
	if i := slices.IndexFunc(n.Pods, func(p *pod) bool { return p.Addr == a.String() && p.Node == e.Name }); i >= 0 {
		return []any{n.Pods[i].Name, "pod", n.Pods[i].Namespace + "/" + n.Pods[i].Name, zone, vpc}
	}
	return []any{n.title(e), e.Type, e.Owner, zone, vpc}
}

// holder is the interface, or regional NAT gateway, that has an address of a record.
func (n *network) holder(r *record, a netip.Addr) *node {
	for _, e := range n.Nodes {
		if e.Public == a.String() || slices.ContainsFunc(e.Zonal, func(z string) bool { return strings.HasSuffix(z, "="+a.String()) }) {
			return e
		}
	}
	// an address of another VPC is that of the transfer's end there
	for _, vpc := range []string{r.at.VPC, n.vpcOf(r.t.clientOwner), n.vpcOf(r.t.serverOwner)} {
		if vpc == "" {
			continue
		}
		if e := n.owner(vpc, a, r.t.start); e != nil {
			return e
		}
	}
	return nil
}

func (n *network) vpcOf(e *node) string {
	if e == nil {
		return ""
	}
	return e.VPC
}

// rejects lists for each REJECT record why it is one.
func (n *network) rejects(logs map[string][]record) []byte {
	var s sheet
	s.row("vpc", "line", "transfer", "interface", "direction", "src", "dst", "srcport", "dstport", "protocol", "packets", "time", "verdict", "acl", "acl_rule", "groups", "snapshots", "scenario")
	for _, v := range n.VPCs {
		for i := range logs[v.Name] {
			r := &logs[v.Name][i]
			if !r.reject {
				continue
			}
			f := r.t.refusal
			direction, acl, number, groups := "ingress", "", "", "have a rule"
			if r.out {
				direction = "egress"
			}
			if f.acl != "" {
				acl, number = n.acl(f.acl).ID, fmt.Sprint(f.number)
			}
			switch {
			case f.groups:
				groups = "have no rule"
			case f.back:
				groups = "are not asked"
			case len(r.at.Groups) == 0:
				groups = "there are none"
			}
			s.row(v.Name, i+2, r.t.id, r.at.ENI, direction, r.src, r.dst, r.srcPort, r.dstPort, r.t.proto, r.packets,
				time.Unix(r.start, 0).UTC().Format(time.TimeOnly), n.verdict(r), acl, number, groups, n.known(r), r.t.scenario)
		}
	}
	return s.Bytes()
}

// verdict is what an evaluation of the rules that the inventory knows must come to.
func (n *network) verdict(r *record) string {
	f := r.t.refusal
	switch {
	case r.t.event == "bpa":
		return "bpa"
	case r.t.event == "ec":
		return "encryption"
	case r.t.event == "late":
		return "late"
	case f.back:
		return "nacl_answer"
	case f.acl != "" && f.groups:
		return "security_group_or_nacl"
	case f.acl != "":
		return "nacl"
	}
	// the snapshots may show a rule that was not there at the time
	before, after, _ := n.neighbours(r)
	for _, at := range []int64{before, after} {
		if at != 0 && n.judge(r.point, r.t.proto, at, true) != nil {
			return "security_group"
		}
	}
	return "unexplained"
}

// neighbours are the snapshots of the record's account before and after it, 0 if there is none.
func (n *network) neighbours(r *record) (before, after int64, found bool) {
	for _, s := range n.Snapshots {
		if s.Account != r.vpc.Account {
			continue
		}
		if s.Time <= r.start {
			before = max(before, s.Time)
		} else if after == 0 || s.Time < after {
			after = s.Time
		}
	}
	return before, after, before != 0 && after != 0
}

// known is what the snapshots around a record say of its groups' rules: the same before and after, other, or one alone.
func (n *network) known(r *record) string {
	before, after, both := n.neighbours(r)
	if !both {
		return "one"
	}
	for _, name := range r.at.Groups {
		for _, rule := range n.group(name).Rules {
			if there := func(at int64) bool { return at < rule.Gone[0] || at >= rule.Gone[1] }; there(before) != there(after) {
				return "differ"
			}
		}
	}
	return "same"
}

// reuse is what the specification says of an address with two owners, seen at 09:00, 09:30 and 12:00. Without a word in
// a column it says nothing.
const reuse = `time	true_owner	without_attach_times	with_attach_time_of_job_new	with_config
08:00:00	job-old	assumed job-old	-	certain job-old
09:10:00	job-old	certain job-old	certain job-old	certain job-old
10:00:00	-	several	assumed job-old	-
10:02:00	-	several	assumed job-old	none
10:05:00	job-new	several	several	-
11:00:00	job-new	several	certain job-new	certain job-new
12:00:30	job-new	certain job-new	certain job-new	certain job-new
15:00:00	job-new	assumed job-new	assumed job-new	-
`
