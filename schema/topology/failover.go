package topology

import "net/netip"

// Failover is a name that leads to the first of several load balancers that is well.
type Failover struct {
	Host      string
	Port      int
	Endpoints []FailoverEndpoint // the one that is asked for first at the head
}

// FailoverEndpoint is one of the load balancers behind such a name.
type FailoverEndpoint struct {
	Name     string
	Address  Value[netip.Addr]
	Priority Value[int]
}
