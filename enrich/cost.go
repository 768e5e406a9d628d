package enrich

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/enrich/price"
	"flowlog/parse/schema"
)

// Costs is what lookups of charges depend on beside the record.
type Costs struct {
	Rules  *price.Rules
	Rates  *price.Rates
	Region string // of records without one; "" is not known

	// Type, NextHop and Services say that the input has the type of the interface, the fields of the next hop, and those of
	// AWS's services. Without them, null is not known; with them it is that there is none, in records of a version that has
	// them.
	Type, NextHop, Services bool
	Ranges                  bool // the services and regions of addresses are known, by AWS's list
	Owners                  bool // the owners of addresses and interfaces are known, by an inventory
}

// costFrom are the fields that charges are computed from, by what record makes of them.
var costFrom = []string{
	"action", "flow_direction", "traffic_path", "version", "region",
	"interface_type", "az_id", "next_hop_interface_type", "next_hop_az_id", "resource_id", "instance_id",
	"srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "pkt_src_aws_service", "pkt_dst_aws_service",
	"src_aws_service", "dst_aws_service", "src_aws_region", "dst_aws_region",
	"tgw_id", "tgw_src_vpc_id",
	"own_owner_type", "own_owner_id", "src_owner_type", "dst_owner_type", "src_owner_id", "dst_owner_id", "src_az_id", "dst_az_id",
}

// zoneFrom are the fields that the zone of the other end is computed from.
var zoneFrom = []string{"next_hop_az_id", "flow_direction", "src_az_id", "dst_az_id"}

// The indexes of costFrom.
const (
	costAction = iota
	costFlow
	costPath
	costVersion
	costRegion
	costType
	costZone
	costNextType
	costNextZone
	costResource
	costInstance
	costSrc
	costDst
	costPktSrc
	costPktDst
	costPktSrcService
	costPktDstService
	costSrcService
	costDstService
	costSrcRegion
	costDstRegion
	costTGW
	costTGWSrcVPC
	costOwnType
	costOwnID
	costSrcType
	costDstType
	costSrcID
	costDstID
	costSrcZone
	costDstZone
)

// The versions of flow logs from which on they can have services of AWS, and the next hop and types of interfaces.
const (
	servicesSince = 5
	nextHopSince  = 11
)

// Lookups returns the lookups of the fields of costs. Fields that c says are not known are not among those that they are
// computed from.
func (c *Costs) Lookups() []Lookup {
	from, at := c.known(costFrom)
	zones, zoneAt := c.known(zoneFrom)
	return append(c.rates(from, at), []Lookup{
		{
			Field: schema.Field{
				Name: "charge", Kind: schema.Text, Case: schema.Lower, From: from,
				Doc: "What AWS bills the record's interface for, such as nat+zone; free, or unknown if the fields do not say: see flowlog help costs",
			},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				r := c.record(cells{in, at, row})
				out.Text(c.Rules.Charges(&r).Charges.String())
			},
		},
		{
			Field: schema.Field{
				Name: "peer_az_id", Kind: schema.Text, Case: schema.Lower, From: zones,
				Doc: "Availability zone ID of what the interface exchanged the traffic with: the next hop, or else the other end",
			},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				c := cells{in, zoneAt, row}
				zone := c.text(0)
				switch price.DirectionOf(c.text(1)) {
				case price.Ingress:
					zone = cmp.Or(zone, c.text(2))
				case price.Egress:
					zone = cmp.Or(zone, c.text(3))
				}
				if zone == "" {
					out.Null()
				} else {
					out.Text(zone)
				}
			},
		},
	}...)
}

// rates returns the lookups of the rates at which records are billed, of all charges together and of each.
func (c *Costs) rates(from []string, at []int) []Lookup {
	lookup := func(name, doc string, of price.Set) Lookup {
		return Lookup{
			Field: schema.Field{Name: name, Kind: schema.Int64, From: from, Doc: doc},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				r := c.record(cells{in, at, row})
				rate, ok := c.rate(&r, of)
				if !ok {
					out.Null()
					return
				}
				out.Fill()
				out.Int64 = append(out.Int64, int64(rate))
			},
		}
	}
	const unit = ", in millionths of a dollar for 2^30 bytes; null if it is not known: see flowlog help costs"
	every := price.Set(1<<price.Priced - 1)
	all := []Lookup{lookup("rate", "What AWS bills the record's interface for its bytes, all charges together"+unit, every)}
	for i, name := range price.Names()[:price.Priced] {
		all = append(all, lookup("rate_"+name, "Part of rate for the charge "+name+unit, price.Of(price.Charge(i))))
	}
	return all
}

// rate returns the rate of a record for some charges: the sum of those that it pays and that have a price in dollars. It is
// false if it pays some and none has, or pays none for all that is known and its fields do not exclude one.
func (c *Costs) rate(r *price.Record, of price.Set) (sum price.Rate, ok bool) {
	due := c.Rules.Charges(r)
	pays := due.Charges & of
	if pays == 0 {
		return 0, due.Most&of == 0
	}
	if c.Rates.Currency(r.Own.Region) != "USD" {
		return 0, false
	}
	for charge := range pays.All {
		if rate, has := c.Rates.Rate(r.Own.Region, charge, due.To); has {
			sum, ok = sum+rate, true
		}
	}
	return sum, ok
}

// known returns those of some fields that c does not lack, and where each is among them, or -1.
func (c *Costs) known(fields []string) (from []string, at []int) {
	for _, name := range fields {
		if kind := NeedsDB(name); kind == AWS && !c.Ranges || kind == Owners && !c.Owners {
			at = append(at, -1)
			continue
		}
		at = append(at, len(from))
		from = append(from, name)
	}
	return from, at
}

// cells is a row of the fields that a lookup is computed from, by their index in the whole list of them.
type cells struct {
	in  []arrow.Array
	at  []int
	row int
}

// array returns the column of a field, nil if there is none.
func (c cells) array(i int) arrow.Array {
	if c.at[i] < 0 {
		return nil
	}
	return c.in[c.at[i]]
}

func (c cells) text(i int) string {
	s, _ := textValue(c.array(i), c.row)
	return s
}

func (c cells) number(i int) (int64, bool) { return integer([]arrow.Array{c.array(i)}, c.row) }

func (c cells) addr(i int) netip.Addr {
	a, _ := address([]arrow.Array{c.array(i)}, c.row)
	return a
}

// costFields lists the fields of costs.
var costFields = sync.OnceValue(func() schema.Table {
	var t schema.Table
	for _, l := range (&Costs{Ranges: true, Owners: true}).Lookups() {
		t = append(t, l.Field)
	}
	return slices.Clip(t)
})

// IsCost reports whether a name, in any spelling, is that of a field of costs.
func IsCost(name string) bool {
	_, ok := costFields().Named(schema.CanonicalName(name))
	return ok
}

// record makes a record for package price of a row. in is by costFrom.
func (c *Costs) record(in cells) price.Record {
	version, has := in.number(costVersion)
	path, _ := in.number(costPath)
	r := price.Record{
		Rejected: in.text(costAction) == "REJECT",
		Flow:     price.DirectionOf(in.text(costFlow)),
		Path:     path,
		Own:      price.End{Type: in.text(costType), Zone: in.text(costZone), Region: in.text(costRegion)},
		Next:     price.End{Type: in.text(costNextType), Zone: in.text(costNextZone)},
		Src:      in.addr(costSrc), Dst: in.addr(costDst), PktSrc: in.addr(costPktSrc), PktDst: in.addr(costPktDst),
		SrcAWS:       price.Range{Service: cmp.Or(in.text(costSrcService), in.text(costPktSrcService)), Region: in.text(costSrcRegion)},
		DstAWS:       price.Range{Service: cmp.Or(in.text(costDstService), in.text(costPktDstService)), Region: in.text(costDstRegion)},
		ServiceKnown: c.Ranges || c.Services && (!has || version >= servicesSince),
		Resource:     in.text(costResource),
		Instance:     in.text(costInstance),
		Transit:      in.text(costTGW) != "",
	}
	r.OwnKnown = c.Type && (!has || version >= nextHopSince)
	r.NextKnown = r.Next != price.End{} || c.NextHop && (!has || version >= nextHopSince)
	if r.Own.Region == "" {
		r.Own.Region = cmp.Or(price.RegionOfZone(r.Own.Zone), c.Region)
	}
	if r.Transit && in.text(costTGWSrcVPC) != "" {
		r.Attachment = "vpc"
	}
	if c.Owners {
		owners(&r, in)
	}
	return r
}

// owners adds what an inventory knows of both ends and of the record's interface.
func owners(r *price.Record, in cells) {
	if r.Own.Type == "" || r.Own.Type == "interface" { // which the owner's type is finer than
		r.Own.Type = cmp.Or(in.text(costOwnType), r.Own.Type)
	}
	src, dst := in.text(costSrcID), in.text(costDstID)
	if own := in.text(costOwnID); r.Flow == price.NoDirection && own != "" && src != dst {
		switch own {
		case src:
			r.Flow = price.Egress
		case dst:
			r.Flow = price.Ingress
		}
	}
	switch r.Flow {
	case price.Egress:
		r.Peer = price.End{Type: in.text(costDstType), Zone: in.text(costDstZone)}
	case price.Ingress:
		r.Peer = price.End{Type: in.text(costSrcType), Zone: in.text(costSrcZone)}
	}
	r.Peer.Region = price.RegionOfZone(r.Peer.Zone)
}
