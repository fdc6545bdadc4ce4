package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var vrrpDefaultID = Rule{
	ID:       "vrrp-default-id",
	Title:    "the router id that every example has",
	Severity: "warning",
	Why: "Nearly every published keepalived.conf has virtual_router_id 51. A second pair of machines in the same network that was " +
		"copied from one, too, takes part in this virtual router: addresses flap between strangers.",
	Fix: "Choose a number from 1 to 255 that nothing else in the network uses, the same on all machines of this pair.",
	References: []string{
		"openshift/machine-config-operator#3342", "acassen/keepalived#2649",
		"https://www.rfc-editor.org/rfc/rfc5798#section-5.2.3",
	},
	Check: checkVRRPDefaultID,
}

// copiedID is the router id of keepalived's own samples.
const copiedID = 51

func checkVRRPDefaultID(g *topology.Group) diag.List {
	var out diag.List
	for _, v := range routers(g) {
		if v.RouterID.State != topology.Set || v.RouterID.V != copiedID {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     v.RouterID.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s has virtual_router_id %d, which every example has, so a second copied configuration in this "+
				"network fights for the address; need a number of its own", called("vrrp_instance", v.Name), copiedID),
			Hint:    "choose another number from 1 to 255, the same on all machines of this virtual router",
			Subject: "vrrp " + v.Name.V,
		})
	}
	return out
}
