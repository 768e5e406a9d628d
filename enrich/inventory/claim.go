package inventory

import (
	"fmt"
	"net/netip"
	"strings"
)

// A claimKind is how an element has an address. It decides what is certain between two snapshots.
type claimKind uint8

const (
	primary   claimKind = iota // an interface's first private IPv4 address: it never moves
	attached                   // IPv6, which stays while the interface is attached to the same instance
	secondary                  // private, but can be moved to another interface at any time
	public                     // of the internet: it belongs to no VPC, and can be moved
	delegated                  // a prefix, whose addresses a node gives to its pods
	exact                      // of a pod, which never changes its addresses
)

// A claim is an address or a prefix that an element has.
type claim struct {
	prefix netip.Prefix
	kind   claimKind
}

// global reports whether the address belongs to no VPC: it is one owner's in all the world.
func (c claim) global() bool { return c.kind == public || globalIPv6(c.prefix.Addr()) }

// globalIPv6 reports whether an IPv6 address is one of the internet, 2000::/3.
func globalIPv6(a netip.Addr) bool { return a.Is6() && a.As16()[0]>>5 == 1 }

// claims lists what an interface has. The error names the address that is none.
func (n *networkInterface) claims() ([]claim, error) {
	var all []claim
	var fault error
	add := func(text string, kind claimKind) {
		if text == "" {
			return
		}
		p, err := parsePrefix(text)
		if err != nil {
			fault = fmt.Errorf("%s: %w", n.NetworkInterfaceID, err)
			return
		}
		for _, c := range all {
			if c.prefix == p {
				return
			}
		}
		all = append(all, claim{p, kind})
	}
	first := n.PrivateIPAddress
	for _, a := range n.PrivateIPAddresses {
		if a.Primary && first == "" {
			first = a.PrivateIPAddress
		}
	}
	add(first, primary)
	for _, a := range n.PrivateIPAddresses {
		add(a.PrivateIPAddress, secondary)
		for _, text := range a.Association.addresses() {
			add(text, public)
		}
	}
	for _, text := range n.Association.addresses() {
		add(text, public)
	}
	for _, a := range n.IPv6Addresses {
		add(a.IPv6Address, attached)
	}
	for _, p := range n.IPv4Prefixes {
		add(p.IPv4Prefix, delegated)
	}
	for _, p := range n.IPv6Prefixes {
		add(p.IPv6Prefix, delegated)
	}
	return all, fault
}

// parsePrefix reads a network, or an address as a network of one. IPv4 in IPv6 becomes IPv4, as in records.
func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is not an IP address", text)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is not a network", text)
	}
	return p.Masked(), nil
}
