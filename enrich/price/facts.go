package price

import (
	"cmp"
	"net/netip"
	"strings"
)

// facts are what several tests ask of a record.
type facts struct {
	*Record
	rules    *Rules
	own      string // type of the interface: "interface" if it is an instance's, "" if not known
	src, dst reach  // of the packet's addresses
	out      bool   // the flow goes away from who pays for it: the interface, or the client of a NAT gateway
	far      netip.Addr
	at       reach // of far, the end that who pays talks to
	aws      Range // of far
	nat      natSide
}

// A natSide is the side of a NAT gateway that a record of it is on.
type natSide uint8

const (
	notNAT     natSide = iota
	clientSide         // between a client and the gateway
	farSide            // between the gateway and what its clients talk to
)

func factsOf(rules *Rules, r *Record) facts {
	f := facts{Record: r, rules: rules, own: r.Own.Type}
	if f.own == "" && (r.Instance != "" || r.OwnKnown) {
		f.own = "interface"
	}
	if r.regional() {
		f.own = "regional_nat_gateway"
	}
	src, dst := or(r.PktSrc, r.Src), or(r.PktDst, r.Dst)
	f.src, f.dst = reachOf(src), reachOf(dst)
	if isNAT(f.own) {
		f.nat = f.side()
	}
	f.out, f.far, f.aws = f.sent(), src, r.SrcAWS
	if f.out {
		f.far, f.aws = dst, r.DstAWS
	}
	f.at = reachOf(f.far)
	if f.at == either && r.Peer.Type != "" {
		f.at = inside
	}
	return f
}

// or returns the first address that is valid.
func or(a, b netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return b
}

// flow is the direction. Only egress has a path.
func (f *facts) flow() Direction {
	if f.Flow == NoDirection && f.Path != 0 {
		return Egress
	}
	return f.Flow
}

// sent is facts.out. If nothing says the direction, the end in a VPC has sent it; the other answers do not depend on it.
func (f *facts) sent() bool {
	switch {
	case f.nat == clientSide && f.Flow != NoDirection:
		return f.Flow == Ingress
	case f.nat == clientSide && f.packets() && f.PktDst != f.Dst:
		return true
	case f.nat != clientSide && f.flow() != NoDirection:
		return f.flow() == Egress
	}
	return f.src == inside || f.dst != inside
}

// packets reports whether the packet's addresses were logged.
func (f *facts) packets() bool { return f.PktSrc.IsValid() && f.PktDst.IsValid() }

// translated reports whether the interface shows an address of its own in place of the packet's.
func (f *facts) translated() bool { return f.packets() && (f.PktSrc != f.Src || f.PktDst != f.Dst) }

// side returns the side of a NAT gateway's record. A zonal gateway shows its own address in place of the destination in
// what clients send, and in place of the source in what they get; a regional one shows no address of its own there. Without
// the packet's addresses, the clients' side is the one whose other end is not public.
func (f *facts) side() natSide {
	switch {
	case f.translated(), nat64.Contains(f.Src), nat64.Contains(f.Dst):
		return clientSide
	case f.own == "regional_nat_gateway" && (f.src == inside || f.dst == inside):
		return clientSide
	case !f.packets() && f.src == inside && f.dst == inside:
		return clientSide
	}
	return farSide
}

// viaNAT is whether the record is between a client and a NAT gateway, seen at the client.
func (f *facts) viaNAT() verdict {
	switch {
	case f.nat != notNAT, f.Transit:
		return no
	case isNAT(f.Next.Type), strings.HasPrefix(f.Route, "nat-") && f.at != inside:
		return yes
	case f.NextKnown, f.Route != "", f.at == inside:
		return no
	case f.at == either: // IPv6 has no NAT gateway but by NAT64
		return no
	case f.Path == 1:
		return assumed // an appliance could pass it on too
	case f.Path != 0:
		return no
	}
	return maybe
}

// leaves is whether the record is the one that pays for what leaves the VPC for public addresses: at the interface that
// sends it; for what goes by a NAT gateway at the gateway's record of its client, or at the client's, as ChargeAt says.
func (f *facts) leaves() verdict {
	switch {
	case f.Rejected || f.Transit:
		return no
	case f.nat == clientSide:
		return when(f.rules.At == AtGateways && f.out, yes)
	case f.nat == farSide: // it pays if the client's record cannot have the destination
		return when(f.rules.At == AtGateways && !f.packets() && f.out, yes)
	case f.flow() == Ingress, f.at == inside:
		return no
	}
	if v := f.viaNAT(); v == yes || v == assumed {
		if f.rules.At == AtGateways {
			return no
		}
		if f.flow() == NoDirection {
			return maybe
		}
		return v
	}
	return f.leavesBy()
}

// leavesBy is leaves by the path or the route, for what does not go by a NAT gateway, as far as that is known.
func (f *facts) leavesBy() verdict {
	switch {
	case f.flow() == NoDirection, f.Path == 6:
		return maybe
	case f.Path == 2 || f.Path == 8:
		if f.own == "" {
			return assumed // it could be a NAT gateway, which does not pay here
		}
		return yes
	case f.Path != 0:
		return no
	case strings.HasPrefix(f.Route, "igw-"), strings.HasPrefix(f.Route, "eigw-"):
		return yes
	case f.Route != "":
		return no
	case f.NextKnown && f.Next == End{}:
		return assumed // a virtual private gateway could lead to public addresses too
	case f.NextKnown:
		return no
	}
	return maybe
}

// arrives is leaves for what public addresses sent, at who would have paid for the other direction.
func (f *facts) arrives() verdict {
	switch {
	case f.Rejected || f.Transit || f.at == inside || f.out:
		return no
	case f.nat == clientSide:
		return when(f.rules.At == AtGateways, yes)
	case f.nat == farSide:
		return when(f.rules.At == AtGateways && !f.packets(), yes)
	}
	switch v := f.viaNAT(); {
	case v == yes || v == assumed:
		return when(f.rules.At == AtClients, v)
	case f.NextKnown:
		return when(f.Next == End{}, yes)
	case v == maybe || f.flow() == NoDirection:
		return maybe
	}
	return yes
}

// when returns v if b holds, and no otherwise.
func when(b bool, v verdict) verdict {
	if b {
		return v
	}
	return no
}

// away is where a destination is, as far as its charge goes.
type away uint8

const (
	atHome     away = iota // in a VPC, or in AWS in the same region
	atRegion               // in AWS in another region
	atInternet             // outside of AWS
	atGuess                // outside of AWS, unless it is AWS's: nothing says which addresses are
	atAWS                  // in AWS, in a region that is not known
	atEdge                 // CloudFront, to which nothing is paid
)

// destination returns where the far end is.
func (f *facts) destination() away {
	home, service := f.Own.Region, f.aws.Service
	switch {
	case f.at == inside:
		return atHome
	case strings.HasPrefix(service, "CLOUDFRONT"):
		return atEdge
	case f.aws.Region == "GLOBAL", strings.HasPrefix(service, "ROUTE53"), service == "GLOBALACCELERATOR":
		return atInternet
	case f.aws.Region != "" && home != "" && f.aws.Region == home:
		return atHome
	case f.aws.Region != "" && home != "":
		return atRegion
	case f.aws.Region != "" || service != "":
		return atAWS
	case f.ServiceKnown:
		return atInternet
	}
	return atGuess
}

// toRegion returns the region of the far end if it is another one, and "" if that is not known.
func (f *facts) toRegion() string {
	to := cmp.Or(f.Peer.Region, f.aws.Region, RegionOfZone(f.Next.Zone))
	if to == f.Own.Region || to == "GLOBAL" {
		return ""
	}
	return to
}
