package rules

import (
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var firewallLockout = Rule{
	ID:       "firewall-lockout",
	Title:    "the firewall locks out the machine itself, or connections that are open",
	Severity: "error",
	Why: "etcdctl on the member, etcd's own gateway and a kubelet's probes dial 127.0.0.1, which passes the firewall, too. Connections " +
		"that were open when the rules were loaded hang until TCP gives up, so loading them cuts the cluster off from its clients.",
	Fix: "Accept loopback (`-i lo -j ACCEPT`) and established connections (`-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`) " +
		"before anything is dropped.",
	References: []string{
		"https://wiki.nftables.org/wiki-nftables/index.php/Simple_ruleset_for_a_server",
		"https://manpages.debian.org/bookworm/iptables/iptables-extensions.8.en.html", "projectcalico/felix#1407",
	},
	Check: checkFirewallLockout,
}

func checkFirewallLockout(g *topology.Group) diag.List {
	var out diag.List
	for _, w := range walls(g) {
		port := g.ClientPort()
		i := w.refusesAll(port)
		if w.Cloud || i < 0 || !w.concerns(port) {
			continue
		}
		loopback, established := w.spares(w.Rules[:i], port)
		established = established || w.Rules[i].Fresh // whose connections it leaves alone
		lacks, harm, need := "", "", ""
		switch {
		case loopback && established:
			continue
		case loopback:
			lacks, harm, need = "established connections are", "is connected already", "them"
		case established:
			lacks, harm, need = "loopback is", "runs on the machine", "it"
		default:
			lacks, harm, need = "loopback and established connections are", "runs on the machine, or is connected already,", "both"
		}
		out = append(out, w.finding(diag.Error, w.Rules[i].Span, "accept -i lo and ESTABLISHED connections first",
			"this refuses the client port %d before %s accepted, so what %s is cut off; need %s accepted first", port, lacks, harm, need))
	}
	return out
}

// concerns reports whether some rule of the firewall is about a port.
func (w wall) concerns(port int) bool {
	for _, r := range w.Rules {
		if w.about(r, port) {
			return true
		}
	}
	return false
}

// spares says whether rules accept, or may accept, loopback and established connections to a port.
func (w wall) spares(rules []topology.FirewallRule, port int) (loopback, established bool) {
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if w.Family == topology.IPv6 {
		local = netip.IPv6Loopback()
	}
	for _, r := range rules {
		switch {
		case r.Verdict != topology.Accept || !r.Covers(port):
		case r.Loopback:
			loopback = true
		case r.Established:
			established = true
		case mystery(r):
			loopback, established = true, true
		case r.From.Known() && r.From.V.Contains(local):
			loopback = true
		}
	}
	return loopback, established
}
