package rules

import (
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// router is one VRRP instance with where it stands.
type router struct {
	*topology.VRRP
	source int                 // in the group
	moves  map[netip.Addr]bool // the addresses that are known to move
	tells  map[netip.Addr]bool // the peers that are known
}

// routers are all VRRP instances, etcd's or not.
func routers(g *topology.Group) []router {
	var out []router
	for i, t := range g.Sources {
		for j := range t.VRRP {
			v := router{&t.VRRP[j], i, map[netip.Addr]bool{}, map[netip.Addr]bool{}}
			for _, a := range v.Addresses {
				if a.Known() {
					v.moves[a.V.Addr()] = true
				}
			}
			for _, a := range v.Peers {
				if a.Known() {
					v.tells[a.V] = true
				}
			}
			out = append(out, v)
		}
	}
	return out
}

// rivals bounds with how many instances of its id one is compared, lest a file of thousands takes minutes.
const rivals = 64

// pairs calls a function with each instance and the first one before it that has its router id and is a match.
func pairs(g *topology.Group, match func(a, b router) bool, found func(first, second router)) {
	byID := map[int][]router{}
	for _, v := range routers(g) {
		if !v.RouterID.Known() || example.MatchString(v.Span.File) {
			continue
		}
		same := byID[v.RouterID.V]
		for _, w := range same {
			if match(w, v) {
				found(w, v)
				break
			}
		}
		if len(same) < rivals {
			byID[v.RouterID.V] = append(same, v)
		}
	}
}

// shareAddress reports whether some address moves with both.
func shareAddress(a, b router) bool { return overlap(a.moves, b.moves) }

func overlap(a, b map[netip.Addr]bool) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	for addr := range a {
		if b[addr] {
			return true
		}
	}
	return false
}
