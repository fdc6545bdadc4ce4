package runbook

import (
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The targets that write firewalls.
const (
	iptables = "iptables"
	nftables = "nftables"
)

// filtered reports whether machines get a firewall.
func (b *book) filtered() bool { return b.has(iptables) || b.has(nftables) }

// filters are the targets that write firewalls.
func (b *book) filters() []string {
	return slices.DeleteFunc([]string{iptables, nftables}, func(target string) bool { return !b.has(target) })
}

// roles are the kinds of machines that get one.
func (b *book) roles() []string {
	if len(b.Nodes) == 0 {
		return []string{topology.Members}
	}
	return []string{topology.Members, topology.Nodes}
}

// of is where the machines of a role are, as a sentence names them.
func (b *book) of(role string) string {
	if role == topology.Nodes {
		return b.machines()
	}
	return "each member"
}

// folder is where a role's files are installed.
func (b *book) folder(role string) string { return path.Join("/etc/etcd-lb", b.Name.V, role) }

func (b *book) folders() []string {
	var out []string
	for _, role := range b.roles() {
		out = append(out, b.folder(role))
	}
	return out
}

// rulesFile is where a role's ruleset of nft is installed.
func (b *book) rulesFile(role string) string { return b.folder(role) + ".nft" }

// chain is the name of a role's chain, and of its table of nft.
func (b *book) chain(role string) string {
	for _, f := range b.Firewalls {
		if f.Role == role && slices.Contains([]string{iptables, nftables}, f.Target) {
			return f.Name.V
		}
	}
	return ""
}

// observing reports whether the files of a target only log what they would refuse.
func (b *book) observing(target string) bool {
	i := slices.IndexFunc(b.Firewalls, func(f topology.Firewall) bool { return f.Target == target })
	return i >= 0 && b.Firewalls[i].Observe.V
}

func (b *book) observe() {
	if b.has(iptables) && b.has(nftables) {
		b.say("Each machine gets the rules of iptables or those of nft, never both.")
	}
	for _, target := range b.filters() {
		if !b.observing(target) {
			b.say("The files of " + code(target) + " enforce. First build with " + code(`targets: `+target+`: mode: "observe"`) + " and install those.")
		}
	}
	b.say("They log what enforcing would refuse, and let it through. From then on the kernel tracks connections to our ports, and one that it tracks " +
		"outlives enforcing until it ends. Without this step enforcing cuts at once whoever is connected and not admitted.")
	b.installFirewall()
	b.say("After a day or more the kernel's log says who would be refused; admit them in the spec, or move them to the load balancer:")
	var chains []string
	for _, role := range b.roles() {
		chains = append(chains, b.chain(role))
	}
	b.run("journalctl -k --since -1d --grep '^(" + strings.Join(chains, "|") + ") '")
}

// installFirewall is how rules get onto a machine without locking anybody out.
func (b *book) installFirewall() {
	if b.has(iptables) {
		b.installIPTables()
	}
	if b.has(nftables) {
		b.installNft()
	}
}

func (b *book) installIPTables() {
	for _, role := range b.roles() {
		b.say("Install " + code("iptables/"+role) + " as " + code(b.folder(role)) + " on " + b.of(role) + ".")
	}
	b.say("On each machine, in that folder, then from a second login that proves the machine is still reachable:")
	b.run("./apply.sh apply --rollback-after 60s", "./apply.sh confirm  # from the second login, within the minute", "./apply.sh status")
	b.say("So that it comes back at boot:")
	unit := "etcd-lb-firewall-" + b.Name.V + "-*.service"
	b.run("install -m 0644 "+unit+" /etc/systemd/system/", "systemctl daemon-reload", "systemctl enable "+unit)
}

func (b *book) installNft() {
	for _, role := range b.roles() {
		to := b.rulesFile(role)
		b.say("On " + b.of(role) + "; the rules are in a table of their own, for our ports alone, and take effect at once and as a whole:")
		b.run("install -D -m 0644 nftables/"+role+".nft "+to, "nft -c -f "+to, "nft -f "+to)
		b.say("So that they come back at boot:")
		b.run("grep -qsF "+to+" /etc/nftables.conf || echo 'include \""+to+"\"' >>/etc/nftables.conf", "systemctl enable nftables")
	}
}

func (b *book) enforce() {
	for _, target := range b.filters() {
		if b.observing(target) {
			b.say("Set " + code(`targets: `+target+`: mode: "enforce"`) + " in the spec, and build.")
		}
	}
	b.installFirewall()
	b.say("New connections of those who are not admitted are now refused. Whoever of them was connected while the rules observed stays so until the " +
		"connection ends: restart those clients.")
	b.say("Then verify once more, through the load balancer and directly. From a machine that is not admitted, a member must refuse at once:")
	b.run("nc -zvw 3 " + b.example().Host() + " " + b.clientPort())
}

// withdraw is how the rules leave each machine.
func (b *book) withdraw() string {
	var out []string
	if b.has(iptables) {
		out = append(out, "Run "+code("apply.sh remove")+" in the firewall folder of each machine ("+codes(b.folders())+"), and disable its unit.")
	}
	if b.has(nftables) {
		var tables []string
		for _, role := range b.roles() {
			tables = append(tables, "nft delete table inet "+b.chain(role))
		}
		out = append(out, "Take the include out of "+code("/etc/nftables.conf")+", and run "+codes(tables)+" where that table is.")
	}
	return strings.Join(out, " ")
}

// relax is how the rules go back to observing.
func (b *book) relax() string {
	var modes []string
	for _, target := range b.filters() {
		modes = append(modes, code(`targets: `+target+`: mode: "observe"`))
	}
	return "Set " + strings.Join(modes, " and ") + " in the spec, build, and apply that."
}

// openMembers is how everybody reaches members, past the load balancer.
func (b *book) openMembers() string {
	var ways []string
	if b.has(iptables) {
		ways = append(ways, code(b.folder(topology.Members)+"/apply.sh remove"))
	}
	if b.has(nftables) {
		ways = append(ways, code("nft delete table inet "+b.chain(topology.Members)))
	}
	remove := "run " + strings.Join(ways, " or ") + " on each member"
	if len(b.Clients.Direct) == 0 {
		return remove
	}
	return "those in " + b.directNetworks() + " already may, for others " + remove
}

// closeMembers is how that ends.
func (b *book) closeMembers() string {
	var ways []string
	if b.has(iptables) {
		ways = append(ways, code(b.folder(topology.Members)+"/apply.sh apply"))
	}
	if b.has(nftables) {
		ways = append(ways, code("nft -f "+b.rulesFile(topology.Members)))
	}
	return "Run " + strings.Join(ways, " or ") + " on each member."
}
