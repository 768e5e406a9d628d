package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// The accounts, of which the first owns the transit gateway, and the networks of all addresses.
const (
	accountShop = "123456789012"
	accountLab  = "210987654321"
	any4        = "0.0.0.0/0"
	any6        = "::/0"
)

// A network is what the records are about. Its exported fields are topology.json. What belongs together names each
// other by Name, because the IDs of AWS are hard to read.
type network struct {
	Region    string      `json:"region"`
	Begin     int64       `json:"begin"` // of the logs, in Unix seconds
	End       int64       `json:"end"`
	VPCs      []*vpc      `json:"vpcs"`
	Tables    []*table    `json:"route_tables"`
	Subnets   []*subnet   `json:"subnets"`
	Nodes     []*node     `json:"nodes"`
	Pods      []*pod      `json:"pods"`
	Outside   []*outside  `json:"outside"`
	Places    []*place    `json:"addresses"`
	Peerings  []*peering  `json:"peerings"`
	Lists     []*list     `json:"prefix_lists"`
	Groups    []*group    `json:"security_groups"`
	ACLs      []*acl      `json:"network_acls"`
	Snapshots []*snapshot `json:"snapshots"`

	ends map[string]*end // what a transfer can name
	seed uint64
}

type vpc struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Account    string `json:"account"`
	CIDR       string `json:"cidr"`
	CIDR6      string `json:"cidr6,omitempty"`
	Gateway    string `json:"internet_gateway,omitempty"`
	Encryption bool   `json:"encryption_controls,omitempty"`
}

// A route leads to the target's ID. To is a network or a prefix list. Routes within the VPC are not listed.
type route struct {
	To  string `json:"to"`
	Via string `json:"via"`
}

type table struct {
	Name   string  `json:"name"`
	ID     string  `json:"id"`
	VPC    string  `json:"vpc"`
	Routes []route `json:"routes"`
}

type subnet struct {
	Name  string `json:"name"`
	ID    string `json:"id"`
	VPC   string `json:"vpc"`
	Zone  string `json:"zone"` // use1-az1, not a name
	CIDR  string `json:"cidr"`
	CIDR6 string `json:"cidr6,omitempty"`
	Table string `json:"route_table"`
	ACL   string `json:"network_acl"`
}

// A node is a network interface, or a regional NAT gateway, which has none.
type node struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // of the owner: instance, nat_gateway, rds, …
	Owner    string   `json:"owner"`
	ENI      string   `json:"interface,omitempty"`
	VPC      string   `json:"vpc"`
	Subnet   string   `json:"subnet,omitempty"`
	Addr     string   `json:"address,omitempty"`
	Addr6    string   `json:"address6,omitempty"`
	Public   string   `json:"public,omitempty"`
	Zonal    []string `json:"public_by_zone,omitempty"` // ZONE=ADDRESS: of a regional NAT gateway
	Prefixes []string `json:"prefixes,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Until    int64    `json:"until,omitempty"` // the interface is deleted, 0 if it stays
	Attached int64    `json:"attached"`
	OldHost  bool     `json:"not_nitro,omitempty"`
	Scaling  string   `json:"scaling_group,omitempty"`

	phase int64 // of the 60-second windows of the interface
}

type pod struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Workload  string `json:"workload"`
	Node      string `json:"node"`
	Addr      string `json:"address"`
	Start     int64  `json:"start"`
}

// An outside is an address that no interface of the network has.
type outside struct {
	Name    string `json:"name"`
	Addr    string `json:"address"`
	Service string `json:"service,omitempty"` // as in AWS's list of address ranges
	Region  string `json:"region,omitempty"`  // of the service, or of the VPC behind a peering
}

// A place is an address of a VPC that a client calls, whoever has it at the time.
type place struct {
	Name string `json:"name"`
	VPC  string `json:"vpc"`
	Addr string `json:"address"`
}

type peering struct {
	ID       string    `json:"id"`
	VPCs     [2]string `json:"vpcs"` // names; the second is an ID if it is of another region
	Region   string    `json:"other_region,omitempty"`
	Networks [2]string `json:"networks"`
}

type list struct {
	Name    string   `json:"name"`
	ID      string   `json:"id"`
	Owner   string   `json:"owner"`
	Entries []string `json:"entries"`
}

// A rule admits what it names. A group's rule names a peer by network, prefix list or group.
type rule struct {
	Out   bool     `json:"out,omitempty"`
	Proto int      `json:"protocol"` // -1 is all
	Ports [2]int   `json:"ports"`
	Peer  string   `json:"peer"`
	Gone  [2]int64 `json:"gone"` // from, to: it is not there; 0 0 if it always is
}

type group struct {
	Name  string `json:"name"`
	ID    string `json:"id"`
	VPC   string `json:"vpc"`
	Rules []rule `json:"rules"`
}

type entry struct {
	Number int    `json:"number"`
	Out    bool   `json:"out,omitempty"`
	Allow  bool   `json:"allow"`
	Proto  int    `json:"protocol"`
	Ports  [2]int `json:"ports"`
	CIDR   string `json:"cidr"`
}

type acl struct {
	Name    string  `json:"name"`
	ID      string  `json:"id"`
	VPC     string  `json:"vpc"`
	Entries []entry `json:"entries"`
}

type snapshot struct {
	Account string `json:"account"`
	Time    int64  `json:"time"`
}

// An end is one side of a transfer: an interface, a pod behind one, or an address outside.
type end struct {
	at     *node // nil outside
	addr   netip.Addr
	pod    *pod
	remote *outside
	public bool // the interface is called by its public address
}

// id makes the ID that AWS would give, the same one for the same name.
func (n *network) id(prefix, name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", n.seed, prefix, name))
	return prefix + "-0" + hex.EncodeToString(sum[:8])
}

func (n *network) addVPC(name, account, cidr, cidr6 string, gateway bool) {
	v := &vpc{Name: name, ID: n.id("vpc", name), Account: account, CIDR: cidr, CIDR6: cidr6}
	if gateway {
		v.Gateway = n.id("igw", name)
	}
	n.VPCs = append(n.VPCs, v)
}

func (n *network) addTable(vpc, name string, routes ...route) {
	n.Tables = append(n.Tables, &table{Name: name, ID: n.id("rtb", name), VPC: vpc, Routes: routes})
}

func (n *network) addSubnet(vpc, name, zone, cidr, cidr6, table, acl string) {
	n.Subnets = append(n.Subnets, &subnet{Name: name, ID: n.id("subnet", name), VPC: vpc, Zone: zone, CIDR: cidr, CIDR6: cidr6, Table: table, ACL: acl})
}

// ownerIDs begin the ID of what an interface belongs to.
var ownerIDs = map[string]string{
	"instance": "i", "nat_gateway": "nat", "regional_nat_gateway": "nat", "vpc_endpoint": "vpce", "transit_gateway": "tgw-attach",
}

// addNode adds an interface and fills in what follows from its name.
func (n *network) addNode(e *node) *node {
	if prefix, ok := ownerIDs[e.Type]; ok && e.Owner == "" {
		e.Owner = n.id(prefix, e.Name)
	}
	if e.Attached == 0 {
		e.Attached = n.Begin - 2*86400
	}
	if e.Type != "regional_nat_gateway" {
		e.ENI = n.id("eni", e.Name)
		e.VPC = n.subnet(e.Subnet).VPC
		sum := sha256.Sum256([]byte(e.ENI))
		e.phase = int64(sum[0]) % 60
		n.addEnd(e.Name, &end{at: e, addr: netip.MustParseAddr(e.Addr)})
		if e.Public != "" {
			n.addEnd(e.Name+"@public", &end{at: e, addr: netip.MustParseAddr(e.Public), public: true})
		}
		if e.Addr6 != "" {
			n.addEnd(e.Name+"@6", &end{at: e, addr: netip.MustParseAddr(e.Addr6)})
		}
	}
	n.Nodes = append(n.Nodes, e)
	return e
}

func (n *network) addPod(name, namespace, workload, node, addr string) {
	p := &pod{Name: name, Namespace: namespace, Workload: workload, Node: node, Addr: addr, Start: n.Begin - 86400}
	n.Pods = append(n.Pods, p)
	n.addEnd(name, &end{at: n.node(node), addr: netip.MustParseAddr(addr), pod: p})
}

func (n *network) addOutside(name, addr, service, region string) {
	o := &outside{Name: name, Addr: addr, Service: service, Region: region}
	n.Outside = append(n.Outside, o)
	n.addEnd(name, &end{addr: netip.MustParseAddr(addr), remote: o})
}

func (n *network) addPlace(name, vpc, addr string) {
	n.Places = append(n.Places, &place{Name: name, VPC: vpc, Addr: addr})
	n.addEnd(name, &end{addr: netip.MustParseAddr(addr)})
}

func (n *network) addEnd(name string, e *end) {
	if n.ends[name] != nil {
		panic("two things are called " + name)
	}
	n.ends[name] = e
}

func (n *network) addPeering(name, a, b, region string, networks [2]string) {
	n.Peerings = append(n.Peerings, &peering{ID: n.id("pcx", name), VPCs: [2]string{a, b}, Region: region, Networks: networks})
}

func (n *network) addGroup(vpc, name string, rules ...rule) {
	n.Groups = append(n.Groups, &group{Name: name, ID: n.id("sg", name), VPC: vpc, Rules: rules})
}

func (n *network) addACL(vpc, name string, entries ...entry) {
	n.ACLs = append(n.ACLs, &acl{Name: name, ID: n.id("acl", name), VPC: vpc, Entries: entries})
}

// find returns the one that is called name, and panics if there is none: the network's own text is wrong then.
func find[T any](all []T, name string, get func(T) string) T {
	i := slices.IndexFunc(all, func(x T) bool { return get(x) == name })
	if i < 0 {
		panic(fmt.Sprintf("no %T is called %q", *new(T), name))
	}
	return all[i]
}

func (n *network) vpc(name string) *vpc {
	return find(n.VPCs, name, func(v *vpc) string { return v.Name })
}
func (n *network) subnet(name string) *subnet {
	return find(n.Subnets, name, func(s *subnet) string { return s.Name })
}
func (n *network) table(name string) *table {
	return find(n.Tables, name, func(t *table) string { return t.Name })
}
func (n *network) node(name string) *node {
	return find(n.Nodes, name, func(e *node) string { return e.Name })
}
func (n *network) group(name string) *group {
	return find(n.Groups, name, func(g *group) string { return g.Name })
}
func (n *network) acl(name string) *acl {
	return find(n.ACLs, name, func(a *acl) string { return a.Name })
}

// zone is where an interface stands; a regional NAT gateway stands in none.
func (n *network) zone(e *node) string {
	if e == nil || e.Subnet == "" {
		return ""
	}
	return n.subnet(e.Subnet).Zone
}

// there reports whether the interface exists at a time.
func (e *node) there(at int64) bool { return at >= e.Attached && (e.Until == 0 || at < e.Until) }

// owner returns the interface that has an address of a VPC at a time, as its own or for a pod, or nil.
func (n *network) owner(vpc string, addr netip.Addr, at int64) *node {
	for _, e := range n.Nodes {
		if e.VPC != vpc || !e.there(at) {
			continue
		}
		if a := addr.String(); e.Addr == a || e.Addr6 == a {
			return e
		}
		for _, p := range e.Prefixes {
			if netip.MustParsePrefix(p).Contains(addr) {
				return e
			}
		}
	}
	return nil
}

// publicOwner returns the interface that has a public address, or nil.
func (n *network) publicOwner(addr netip.Addr) *node {
	for _, e := range n.Nodes {
		if e.Public == addr.String() {
			return e
		}
	}
	return nil
}

func clock(begin int64, hhmmss string) int64 {
	t, err := time.Parse("15:04:05", hhmmss)
	if err != nil {
		panic(err)
	}
	return begin + int64(t.Hour()*3600+t.Minute()*60+t.Second())
}
