package inventory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func decodeInterface(d *document, raw []byte) ([]state, error) {
	var n networkInterface
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, err
	}
	s, err := d.interfaceState(&n)
	return []state{s}, err
}

// interfaceState makes the state of an interface.
func (d *document) interfaceState(n *networkInterface) (state, error) {
	if n.NetworkInterfaceID == "" {
		return state{}, fmt.Errorf("an interface without NetworkInterfaceId: print the listing without --query")
	}
	claims, err := n.claims()
	about := described(n, d.account, d.region, d.store.intern)
	if strings.HasPrefix(about.text, "aws-K8S-") || tagged(about.tags, "cluster.k8s.amazonaws.com/name") != "" || tagged(about.tags, "node.k8s.amazonaws.com/instance_id") != "" {
		for i := range claims {
			if claims[i].kind == secondary {
				claims[i].kind = delegated // to a pod of the node
			}
		}
	}
	return state{holder: d.store.holder(n.NetworkInterfaceID), about: &about, claims: claims, attach: int64(n.Attachment.AttachTime)}, err
}

func scopeOfInterface(raw []byte) (account, region string) {
	var n networkInterface
	_ = json.Unmarshal(raw, &n) // what is wrong with it is said when it is decoded
	return n.OwnerID, regionOf(n.AvailabilityZone)
}

func decodeReservation(d *document, raw []byte) ([]state, error) {
	var r reservation
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	var states []state
	for _, i := range r.Instances {
		if i.State.Name == "terminated" {
			continue
		}
		slices.SortFunc(i.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
		d.store.names.instances[i.InstanceID] = i.Tags
		for n := range i.NetworkInterfaces {
			ni := &i.NetworkInterfaces[n]
			ni.AvailabilityZone = cmp.Or(ni.AvailabilityZone, i.Placement.AvailabilityZone)
			ni.Attachment.InstanceID = i.InstanceID
			ni.OwnerID = cmp.Or(ni.OwnerID, r.OwnerID)
			s, err := d.interfaceState(ni)
			if err != nil {
				return nil, err
			}
			states = append(states, s)
		}
	}
	return states, nil
}

func scopeOfReservation(raw []byte) (account, region string) {
	var r reservation
	_ = json.Unmarshal(raw, &r) // as above
	if len(r.Instances) > 0 {
		region = regionOf(r.Instances[0].Placement.AvailabilityZone)
	}
	return r.OwnerID, region
}

// decodeAddress reads an elastic IP: the interface that it is associated with has it. One that is not associated has no
// traffic.
func decodeAddress(d *document, raw []byte) ([]state, error) {
	var a elasticIP
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	if a.NetworkInterfaceID == "" || a.PublicIP == "" {
		return nil, nil
	}
	p, err := parsePrefix(a.PublicIP)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.AllocationID, err)
	}
	about := description{id: a.NetworkInterfaceID, account: d.store.intern(a.NetworkInterfaceOwnerID), region: d.store.intern(a.NetworkBorderGroup), tags: a.Tags}
	return []state{{holder: d.store.holder(a.NetworkInterfaceID), about: &about, claims: []claim{{p, public}}}}, nil
}

func scopeOfAddress(raw []byte) (account, region string) {
	var a elasticIP
	_ = json.Unmarshal(raw, &a) // as above
	return a.NetworkInterfaceOwnerID, a.NetworkBorderGroup
}

// named makes the decoder of a call whose elements are only looked up by ID.
func named[T any](keep func(s *store, d *document, v T)) func(*document, []byte) ([]state, error) {
	return func(d *document, raw []byte) ([]state, error) {
		var v T
		err := json.Unmarshal(raw, &v)
		if err == nil {
			keep(d.store, d, v)
		}
		return nil, err
	}
}

var (
	decodeSubnet = named(func(s *store, _ *document, v subnet) { s.names.subnets[v.SubnetID] = v })
	decodeVPC    = named(func(s *store, _ *document, v vpc) { s.vpcs[v.VpcID] = v })
	decodeZone   = named(func(s *store, d *document, v zone) { s.names.zones[d.account+" "+v.ZoneName] = v.ZoneID })
	decodeNAT    = named(func(s *store, _ *document, v natGateway) { s.names.gateways[v.NatGatewayID] = v.Tags })

	decodeEndpoint = named(func(s *store, _ *document, v vpcEndpoint) { s.names.endpoints[v.VpcEndpointID] = v })
	decodeFlowLog  = named(func(s *store, _ *document, v flowLog) { s.flowLogs[v.FlowLogID] = v })
	decodeBalancer = named(func(s *store, _ *document, v loadBalancer) {
		_, name, _ := strings.Cut(v.LoadBalancerArn, ":loadbalancer/")
		s.names.balancers[name] = v
	})
	decodeDatabase = named(func(s *store, _ *document, v dbInstance) { s.names.databases[v.DBInstanceIdentifier] = v })
	decodeFunction = named(func(s *store, _ *document, v function) { s.names.functions[v.FunctionName] = v })
	decodeTask     = named(func(s *store, _ *document, v ecsTask) {
		for _, a := range v.Attachments {
			for _, detail := range a.Details {
				if detail.Name == "networkInterfaceId" {
					s.names.tasks[detail.Value] = v
				}
			}
		}
	})
)
