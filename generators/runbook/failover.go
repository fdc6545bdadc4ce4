package runbook

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// borrowed lets machines listen on an address that another one has.
func (b *book) borrowed() {
	var lines []string
	for _, a := range b.Virtual {
		if !slices.ContainsFunc(b.Proxies, func(p topology.Proxy) bool { return binds(p, a.V) }) {
			continue
		}
		family := "ipv4"
		if a.V.Is6() {
			family = "ipv6"
		}
		lines = append(lines, "net."+family+".ip_nonlocal_bind=1")
	}
	if len(lines) == 0 {
		return
	}
	b.say("A machine that does not have the address yet must be allowed to listen on it; on " + b.machines() + ":")
	b.run("printf '%s\\n' "+strings.Join(lines, " ")+" >/etc/sysctl.d/60-etcd-lb.conf", "sysctl -p /etc/sysctl.d/60-etcd-lb.conf")
}

func binds(p topology.Proxy, a netip.Addr) bool {
	return slices.ContainsFunc(p.Listeners, func(l topology.Listener) bool {
		return slices.ContainsFunc(l.Binds, func(b topology.Bind) bool { return b.Addr.V == a })
	})
}

// virtual is how the address that clients dial comes to one of the machines.
func (b *book) virtual() {
	const main = "/etc/keepalived/keepalived.conf"
	b.say("keepalived, on "+b.machines()+"; it needs curl, by which it asks the proxy on its own machine.",
		"A machine on which "+code("keepalived -t")+" prints anything is not ready:")
	var lines []string
	for _, v := range b.VRRP {
		lines = append(lines, "install -m 0644 keepalived/"+v.Node+"/keepalived.conf "+main+"  # on "+v.Node)
	}
	b.run(append(lines, "keepalived -t -f "+main, "systemctl enable keepalived", "systemctl reload-or-restart keepalived")...)
	address := b.VRRP[0].Addresses[0].V.Addr().String()
	b.say("One of them, and no other, then has the address:")
	b.run("ip -brief address show to " + address)
	proxy := b.VRRP[0].Check.Proxy
	b.say(fmt.Sprintf("Stop %s there: within some seconds another machine has it. Start it again: the address stays where it is, "+
		"since each move cuts all clients off.", proxy))
	b.run("systemctl stop "+proxy, "systemctl start "+proxy)
}
