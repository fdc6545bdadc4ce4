package topology

import (
	"time"
)

// Group is what the rules see at a time: sources that are about one cluster, or one source alone.
type Group struct {
	Sources   []*Topology
	Endpoints []Value[string] // hosts of --endpoint, in canonical form
	Now       time.Time       // for the validity of certificates; zero where there is no clock
}
