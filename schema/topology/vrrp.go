package topology

import (
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// VRRP is one machine's part in a virtual router: the addresses that move between machines.
type VRRP struct {
	Name      Value[string]
	Interface Value[string]
	State     Value[string] // at the start: "MASTER" or "BACKUP"
	RouterID  Value[int]    // 1 to 255
	Priority  Value[int]    // 1 to 255; the highest has the addresses
	Unicast   Value[bool]   // advertises to its peers, not to a multicast group
	Source    Value[netip.Addr]
	Peers     []Value[netip.Addr]
	Password  Value[string]         // that advertisements carry in clear text; "" for none
	Addresses []Value[netip.Prefix] // that move, host bits and all; an unknown one stands for any number
	Span      diag.Span
}
