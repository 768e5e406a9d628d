package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"
)

// dice is where all chance comes from. It uses whole numbers only: floating point may round differently
// on another processor, and the files must come out the same everywhere.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 20260514))} }

// skew returns a number below n; the lower ones come up far more often, as addresses in traffic do.
func (d dice) skew(n int) int { return d.IntN(d.IntN(n) + 1) }

// between returns a number from low to high.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// oneIn is true once in n times.
func (d dice) oneIn(n int) bool { return d.IntN(n) == 0 }

func (d dice) hex(digits int) string {
	b := make([]byte, (digits+1)/2)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return hex.EncodeToString(b)[:digits]
}

func (d dice) id(prefix string) string { return prefix + "-" + d.hex(17) }

func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// An eni is a network interface that flow logs are taken at.
type eni struct {
	id, vpc, subnet, zone, instance string // instance is empty where AWS owns the interface
	sublocationType, sublocationID  string
	kind                            string // nat_gateway and the like; empty for an instance's
	v4, v6                          netip.Addr
	tags                            [6]string // percent-encoded: instance, interface, Auto Scaling group; two each
	task                            *task
}

// A task is what ECS runs behind an interface.
type task struct {
	cluster, clusterARN, host, hostARN, container, sidecar, service, definitionARN, arn, id string
}

// An attachment is one end of a transit gateway.
type attachment struct {
	id, gateway, account, vpc, subnet, eni, zone string
	hosts                                        []netip.Addr
}

// A world is one VPC with the interfaces in it and the addresses that they talk to.
type world struct {
	dice                 dice
	account, region, vpc string
	hosts                map[string][]*eni // by role
	busy                 []*eni            // those that are not idle
	regionalNAT          string            // ID of the regional NAT gateway, if the VPC has one
	regionalAddr         netip.Addr
	bulk                 int  // bytes per minute of the talker that dominates
	blocked              bool // Block Public Access and encryption controls are on
	remotes, remotes6    []netip.Addr
	attachments          []*attachment
}

// roles says how many interfaces a VPC has of each kind, and of what kind they are.
var roles = []struct {
	name   string
	n      int
	subnet int // tier: 0 public, 1 application, 2 data
	kind   string
}{
	{"web", 8, 0, ""},
	{"bastion", 1, 0, ""},
	{"vpn", 1, 0, ""},
	{"app", 6, 1, ""},
	{"hpc", 2, 1, ""},
	{"db", 2, 2, ""},
	{"cache", 1, 2, ""},
	{"backup", 1, 2, ""},
	{"idle", 2, 1, ""},
	{"outpost", 1, 1, ""},
	{"nat", 1, 0, "nat_gateway"},
	{"nlb", 1, 0, "network_load_balancer"},
	{"endpoint", 1, 1, "vpc_endpoint"},
	{"transit", 1, 1, "transit_gateway"},
}

// tagValues are what the tags of version 11 hold, as people write them.
var tagValues = map[string][]string{
	"web": {"web tier", "café"}, "app": {"billing/api", "100% spot"}, "db": {"データベース", "a=b&c"},
	"backup": {"nightly backup", "backup"}, "bastion": {"Ops: ssh", "ops"},
}

// newWorld makes a VPC with the private addresses 10.net.0.0/16, times as many interfaces as roles says,
// and remotes many public addresses to talk to.
func newWorld(seed uint64, account, region string, net, times, remotes int) *world {
	d := newDice(seed)
	w := &world{dice: d, account: account, region: region, vpc: d.id("vpc"), hosts: map[string][]*eni{}, bulk: 2e6}
	zone := zonePrefix(region)
	var subnets [3][3]string // by tier, zone
	for i := range subnets {
		for j := range subnets[i] {
			subnets[i][j] = d.id("subnet")
		}
	}
	clusterARN := fmt.Sprintf("arn:aws:ecs:%s:%s:cluster/shop", region, account)
	var next [3]int // free address of each tier
	for _, role := range roles {
		for i := range role.n * times {
			n := next[role.subnet]
			next[role.subnet]++
			az := n % 3
			e := &eni{
				id: d.id("eni"), vpc: w.vpc, subnet: subnets[role.subnet][az], zone: fmt.Sprintf("%s-az%d", zone, az+1), kind: role.kind,
				v4: netip.AddrFrom4([4]byte{10, byte(net + n/20000), byte(role.subnet*80 + n/250%80), byte(5 + n%250)}),
				v6: netip.MustParseAddr(fmt.Sprintf("2001:db8:12%02x:%x%x::%x", net, role.subnet, az, n+5)),
			}
			if role.kind == "" {
				e.instance = d.id("i")
			}
			for k, value := range tagValues[role.name] {
				e.tags[k], e.tags[2+k], e.tags[4] = escape(value), escape(role.name), escape(role.name+" group")
			}
			if role.name == "outpost" {
				e.sublocationType, e.sublocationID = "outpost", "op-"+d.hex(17)
			}
			if role.name == "app" {
				e.task = newTask(d, region, account, clusterARN, i)
			}
			w.hosts[role.name] = append(w.hosts[role.name], e)
			if role.name != "idle" {
				w.busy = append(w.busy, e)
			}
		}
	}
	w.remotes, w.remotes6 = remoteAddrs(d, remotes)
	gateway := d.id("tgw")
	for i := range 3 {
		a := &attachment{
			id: d.id("tgw-attach"), gateway: gateway, account: account, vpc: d.id("vpc"), subnet: d.id("subnet"),
			eni: d.id("eni"), zone: fmt.Sprintf("%s-az%d", zone, i+1),
		}
		for n := range 12 * times {
			a.hosts = append(a.hosts, netip.AddrFrom4([4]byte{10, byte(net + 10*(i+1)), byte(n / 250), byte(5 + n%250)}))
		}
		w.attachments = append(w.attachments, a)
	}
	return w
}

// host picks one interface of a role.
func (w *world) host(role string) *eni {
	list := w.hosts[role]
	return list[w.dice.skew(len(list))]
}

func newTask(d dice, region, account, clusterARN string, i int) *task {
	arn := func(rest string) string { return fmt.Sprintf("arn:aws:ecs:%s:%s:%s", region, account, rest) }
	id := d.hex(32)
	t := &task{
		cluster: "shop", clusterARN: clusterARN, id: id, arn: arn("task/shop/" + id),
		definitionARN: arn(fmt.Sprintf("task-definition/billing:%d", 40+i%3)), container: id + "-" + fmt.Sprint(d.between(1e8, 9e8)),
	}
	if i%2 == 0 { // on EC2; the others run on Fargate, which has no container instance
		t.host = d.hex(32)
		t.hostARN = arn("container-instance/shop/" + t.host)
	}
	if i%3 != 2 { // the others were started by hand
		t.service = "billing"
		t.sidecar = id + "-" + fmt.Sprint(d.between(1e8, 9e8))
	}
	return t
}

// remoteAddrs returns public addresses in an order of popularity: those of the documentation networks, then,
// if they are not enough, of the benchmarking network 198.18.0.0/15, and as many of IPv6 as is usual.
func remoteAddrs(d dice, n int) (v4, v6 []netip.Addr) {
	for len(v4) < n {
		a := [4]byte{203, 0, 113, byte(d.between(1, 254))}
		switch d.IntN(3) {
		case 1:
			a[0], a[1], a[2] = 198, 51, 100
		case 2:
			a[0], a[1], a[2] = 192, 0, 2
		}
		if len(v4) >= 300 {
			a[0], a[1], a[2] = 198, byte(18+d.IntN(2)), byte(d.IntN(256))
		}
		v4 = append(v4, netip.AddrFrom4(a))
	}
	for range n/10 + 1 {
		v6 = append(v6, netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x:%x:%x:%x:%x",
			d.between(0x2000, 0x2fff), d.IntN(16), d.IntN(65536), d.IntN(65536), d.IntN(65536), d.between(1, 65535))))
	}
	return v4, v6
}

// Addresses that need their own network: AWS's services, and resolvers that everyone knows.
var (
	s3       = []netip.Addr{netip.MustParseAddr("52.216.8.53"), netip.MustParseAddr("52.216.144.27"), netip.MustParseAddr("52.217.36.102")}
	dynamoDB = []netip.Addr{netip.MustParseAddr("52.94.0.71"), netip.MustParseAddr("52.94.2.104")}
	console  = []netip.Addr{netip.MustParseAddr("52.94.236.248")}
	dns      = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("8.8.4.4")}
	ntp      = []netip.Addr{netip.MustParseAddr("162.159.200.1"), netip.MustParseAddr("162.159.200.123")}
	office   = netip.MustParseAddr("203.0.113.12")
	peer     = []netip.Addr{netip.MustParseAddr("172.31.16.21"), netip.MustParseAddr("172.31.16.139")}
	onPrem   = []netip.Addr{netip.MustParseAddr("192.168.20.7"), netip.MustParseAddr("192.168.20.44")}
	sweeper  = netip.MustParseAddr("198.51.100.66") // tries every port of a host
	prober   = netip.MustParseAddr("203.0.113.99")  // tries a few ports of every host
	prober6  = netip.MustParseAddr("2001:db8:bad::1")
	gateway  = netip.MustParseAddr("198.51.100.1") // the other end of tunnels
)

// awsService is the name under which AWS publishes an address, as the pkt-*-aws-service fields have it.
func awsService(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	switch b := a.As4(); {
	case b[0] != 52:
		return ""
	case b[1] == 216 || b[1] == 217:
		return "S3"
	case b[1] == 94 && b[2] < 4:
		return "DYNAMODB"
	default:
		return "AMAZON"
	}
}

// zonePrefix is how the IDs of a region's zones begin: us-east-1 has use1-az1.
func zonePrefix(region string) string {
	area, rest, _ := strings.Cut(region, "-")
	side, number, _ := strings.Cut(rest, "-")
	return area + side[:1] + number
}

// escape percent-encodes as AWS does: a space is %20.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
