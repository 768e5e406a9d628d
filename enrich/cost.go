package enrich

import (
	"cmp"
	"net/netip"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/enrich/price"
	"flowlog/parse/schema"
)

// Costs is what lookups of charges depend on beside the record.
type Costs struct {
	Rules  *price.Rules
	Region string // of records without one; "" is not known

	// NextHop and Services say that the input has the fields of the next hop, and those of AWS's services. Without them,
	// null is not known; with them it is that there is none, in records of a version that has them.
	NextHop, Services bool
	Ranges            bool // the services and regions of addresses are known, by AWS's list
}

// costFrom are the fields that charges are computed from, by what record makes of them.
var costFrom = []string{
	"action", "flow_direction", "traffic_path", "version", "region",
	"interface_type", "az_id", "next_hop_interface_type", "next_hop_az_id", "resource_id", "instance_id",
	"srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "pkt_src_aws_service", "pkt_dst_aws_service",
	"src_aws_service", "dst_aws_service", "src_aws_region", "dst_aws_region",
	"tgw_id", "tgw_src_vpc_id",
}

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
)

// The versions of flow logs from which on they can have services of AWS and the next hop.
const (
	servicesSince = 5
	nextHopSince  = 11
)

// Lookups returns the lookups of the fields of costs.
func (c *Costs) Lookups() []Lookup {
	return []Lookup{
		{
			Field: schema.Field{
				Name: "charge", Kind: schema.Text, Case: schema.Lower, From: costFrom,
				Doc: "What AWS bills the record's interface for, such as nat+zone; free, or unknown if the fields do not say: see flowlog help costs",
			},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				r := c.record(in, row)
				out.Text(c.Rules.Charges(&r).Charges.String())
			},
		},
		{
			Field: schema.Field{
				Name: "peer_az_id", Kind: schema.Text, Case: schema.Lower, From: []string{"next_hop_az_id"},
				Doc: "Availability zone ID of what the interface exchanged the traffic with: the next hop",
			},
			Append: func(out *schema.Column, in []arrow.Array, row int) {
				if zone, ok := textValue(in[0], row); ok {
					out.Text(zone)
				} else {
					out.Null()
				}
			},
		},
	}
}

// costFields lists the fields of costs.
func costFields() schema.Table {
	var t schema.Table
	for _, l := range new(Costs).Lookups() {
		t = append(t, l.Field)
	}
	return t
}

// record makes a record for package price of a row. in is by costFrom.
func (c *Costs) record(in []arrow.Array, row int) price.Record {
	text := func(i int) string {
		s, _ := textValue(in[i], row)
		return s
	}
	number := func(i int) (int64, bool) { return integer(in[i:i+1], row) }
	addr := func(i int) netip.Addr {
		if a, ok := in[i].(*array.FixedSizeBinary); ok && a.IsValid(row) {
			return netip.AddrFrom16([16]byte(a.Value(row))).Unmap()
		}
		return netip.Addr{}
	}
	version, has := number(costVersion)
	path, _ := number(costPath)
	r := price.Record{
		Rejected: text(costAction) == "REJECT",
		Flow:     price.DirectionOf(text(costFlow)),
		Path:     path,
		Own:      price.End{Type: text(costType), Zone: text(costZone), Region: text(costRegion)},
		Next:     price.End{Type: text(costNextType), Zone: text(costNextZone)},
		Src:      addr(costSrc), Dst: addr(costDst), PktSrc: addr(costPktSrc), PktDst: addr(costPktDst),
		SrcAWS:       price.Range{Service: cmp.Or(text(costSrcService), text(costPktSrcService)), Region: text(costSrcRegion)},
		DstAWS:       price.Range{Service: cmp.Or(text(costDstService), text(costPktDstService)), Region: text(costDstRegion)},
		ServiceKnown: c.Ranges || c.Services && (!has || version >= servicesSince),
		Resource:     text(costResource),
		Instance:     text(costInstance),
		Transit:      text(costTGW) != "",
	}
	r.NextKnown = r.Next != price.End{} || c.NextHop && (!has || version >= nextHopSince)
	if r.Own.Region == "" {
		r.Own.Region = cmp.Or(price.RegionOfZone(r.Own.Zone), c.Region)
	}
	if r.Transit && text(costTGWSrcVPC) != "" {
		r.Attachment = "vpc"
	}
	return r
}
