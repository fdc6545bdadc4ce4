package topology

import (
	"net/netip"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// VRRP is one machine's part in a virtual router: the addresses that move between machines.
type VRRP struct {
	Node      string // of a spec: the machine
	Name      Value[string]
	Interface Value[string]
	State     Value[string] // at the start: "MASTER" or "BACKUP"
	RouterID  Value[int]    // 1 to 255
	Priority  Value[int]    // 1 to 255; the highest has the addresses
	// NoPreempt says that a machine that comes back leaves the addresses where they are, whatever its priority.
	NoPreempt Value[bool]
	Unicast   Value[bool] // advertises to its peers, not to a multicast group
	Source    Value[netip.Addr]
	Peers     []Value[netip.Addr]
	Password  Value[string]         // that advertisements carry in clear text; "" for none
	Addresses []Value[netip.Prefix] // that move, host bits and all; an unknown one stands for any number
	Check     VRRPCheck
	Span      diag.Span
}

// VRRPCheck is the script without whose consent a machine has no addresses.
type VRRPCheck struct {
	Proxy      string               // of a spec: the target whose proxy answers
	URL        Value[string]        // that the script asks; unknown where it does something else
	Interval   Value[time.Duration] // in whole seconds, as Timeout
	Timeout    Value[time.Duration]
	Fall, Rise Value[int]
	Span       diag.Span
}
