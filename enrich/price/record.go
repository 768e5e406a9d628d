package price

import (
	"net/netip"
	"strings"
)

// A Direction is which way a record went, as its interface or transit gateway saw it.
type Direction uint8

const (
	NoDirection Direction = iota // not known
	Ingress
	Egress
)

// DirectionOf reads a flow_direction.
func DirectionOf(text string) Direction {
	switch text {
	case "ingress":
		return Ingress
	case "egress":
		return Egress
	}
	return NoDirection
}

// A Record is what of one record says which charges it pays. "" and 0 are not known or not there; the fields that end
// in Known say which of both.
//
// Long because AWS's charges depend on that many fields of a record.
type Record struct {
	Rejected bool      // the action was REJECT: nothing was delivered
	Flow     Direction // flow_direction, or by the addresses of the interface in an inventory
	Path     int64     // traffic_path

	Own  End // the interface that the record is of
	Next End // the next hop: what the interface sent to or got from, logged or by the route
	Peer End // what an inventory knows of the other one of srcaddr and dstaddr

	OwnKnown  bool // the type of the interface is known: without one it is an ordinary one
	NextKnown bool // the next hop is known: without a type and a zone it is outside of every VPC

	Src, Dst       netip.Addr // srcaddr and dstaddr
	PktSrc, PktDst netip.Addr // pkt_srcaddr and pkt_dstaddr; the zero address if they were not logged

	SrcAWS, DstAWS Range // of the packet's addresses
	ServiceKnown   bool  // the log or ip-ranges.json says which addresses are AWS's

	Resource string // resource_id
	Instance string // instance_id
	Route    string // what the subnet's route table sends the peer to, such as nat-0123, igw-0123 or local

	Transit    bool   // it is of a transit gateway's flow log
	Attachment string // type of the attachment: vpc, vpn, direct-connect-gateway, peering, connect
}

// An End is an interface.
type End struct {
	Type   string // as interface_type has it, or the owner's type of an inventory
	Zone   string // ID of the availability zone
	Region string
}

// A Range is what AWS says of an address of its own. Region is GLOBAL if no single one has it.
type Range struct{ Service, Region string }

// ChargeAt is the kind of record at which nat, tgw and the endpoints are taken. It is chosen before the scan.
type ChargeAt uint8

const (
	AtGateways ChargeAt = iota // the gateway's own records; the log of the transit gateway
	AtClients                  // the records whose next hop is the gateway
)

// Rules are what of prices and options decides which charges a record pays.
type Rules struct {
	At      ChargeAt
	Sides   map[string]Side // by type of interface, where it is not each of the two ends
	Private Charge          // what traffic path 3 leads to: DX, VPN, or Unknown
}

// A Side says who pays for traffic between zones at an interface of some type.
type Side uint8

const (
	BothSides Side = iota // each of the two ends pays
	PeerSide              // only the other end pays
	NoSide                // neither end pays
)

// sideNames are the words for a Side in a file of prices.
var sideNames = [...]string{BothSides: "both", PeerSide: "peer", NoSide: "none"}

func (s Side) String() string { return sideNames[s] }

// sides says who pays for traffic between zones by type of interface, where it is not each of the two ends. That load
// balancers do not is widely said and not documented.
var sides = map[string]Side{
	"rds":                            PeerSide, // its usage types DataTransfer-xAZ cost 0.00
	"application_load_balancer":      NoSide,
	"load_balancer":                  NoSide,
	"vpc_endpoint":                   NoSide, // since April 2022, as the next three
	"gateway_load_balancer_endpoint": NoSide,
	"transit_gateway":                NoSide,
	"client_vpn":                     NoSide,
}

// A Due is what a record pays.
type Due struct {
	Charges Set // Free alone, or at least one charge, Unknown among them if Most is not empty
	Assumed Set // those of Charges that rest on a guess
	Most    Set // what Unknown can be at most: each of these charges that its fields do not exclude
	// To is the region that Region is for, "" if it is not known.
	To string
}

// verdict is whether a record pays a charge.
type verdict uint8

const (
	no verdict = iota
	yes
	assumed // as far as can be guessed
	maybe   // the fields neither show nor exclude it
)

// A reach is where an address can be.
type reach uint8

const (
	noAddress reach = iota
	inside          // in a VPC, or in a network behind a gateway: a private address
	outside         // in the internet or AWS's public networks
	either          // IPv6 addresses of VPCs and of the internet look alike
)

// shared is what carriers use behind their NAT, and VPCs as a secondary range.
var (
	shared = netip.MustParsePrefix("100.64.0.0/10")
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
)

func reachOf(a netip.Addr) reach {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return noAddress
	case a.IsPrivate(), a.IsLinkLocalUnicast(), a.IsLoopback(), shared.Contains(a):
		return inside
	case a.Is4(), nat64.Contains(a):
		return outside
	}
	return either
}

// isNAT reports whether a type of interface is that of a NAT gateway.
func isNAT(kind string) bool { return kind == "nat_gateway" || kind == "regional_nat_gateway" }

// regional reports whether the record is of a regional NAT gateway, which has no interface in a zone.
func (r *Record) regional() bool {
	return r.Own.Type == "regional_nat_gateway" || strings.HasPrefix(r.Resource, "nat-")
}
