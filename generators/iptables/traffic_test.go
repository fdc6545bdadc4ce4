package iptables

import (
	"regexp"
	"strings"
	"testing"
)

// rig is a member, another member, a node and a stranger on one network. The member serves etcd's ports and SSH.
type rig struct {
	*lan
	member                  *machine
	sibling, node, stranger *netns
}

// tools are the ways to load the members' rules.
var tools = map[string]func(t *testing.T, m *machine, observe bool){
	"iptables": func(t *testing.T, m *machine, observe bool) { m.ok(install(t, sample(observe), "members"), "apply") },
	"nftables": func(t *testing.T, m *machine, observe bool) { m.loadNft(nftFile(t, nftSample(observe), "members")) },
}

// withRig runs a test with the rules of each tool.
func withRig(t *testing.T, observe bool, test func(t *testing.T, r *rig)) {
	for name, load := range tools {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			load(t, r.member, observe)
			test(t, r)
		})
	}
}

func newRig(t *testing.T) *rig {
	l := newLAN(t)
	r := &rig{
		lan:      l,
		member:   &machine{l.machine("10.0.1.10/16", "fd00::10/64"), t.TempDir()},
		sibling:  l.machine("10.0.1.11/16"),
		node:     l.machine("10.0.1.101/16", "fd00::101/64"),
		stranger: l.machine("10.0.1.7/16", "fd00::7/64"),
	}
	r.member.start("serve", "[::]:2379", "[::]:2380", "[::]:2381", "[::]:22")
	return r
}

func TestTrafficIPv4(t *testing.T) { withRig(t, false, trafficIPv4) }

func trafficIPv4(_ *testing.T, r *rig) {
	const client, peer, metrics, ssh = "10.0.1.10:2379", "10.0.1.10:2380", "10.0.1.10:2381", "10.0.1.10:22"
	const yes, no = "accepted", "refused"
	r.node.dials(map[string]string{client: yes, peer: no, metrics: yes, ssh: yes})
	r.sibling.dials(map[string]string{client: yes, peer: yes, metrics: no, ssh: yes})
	r.stranger.dials(map[string]string{client: no, peer: no, metrics: no, ssh: yes})
	r.member.dials(map[string]string{client: yes, peer: yes, "127.0.0.1:2379": yes, "127.0.0.1:2381": yes})
}

func TestTrafficIPv6(t *testing.T) { withRig(t, false, trafficIPv6) }

func trafficIPv6(_ *testing.T, r *rig) {
	const client, peer, metrics, ssh = "[fd00::10]:2379", "[fd00::10]:2380", "[fd00::10]:2381", "[fd00::10]:22"
	const yes, no = "accepted", "refused"
	r.node.dials(map[string]string{client: yes, peer: no, metrics: yes, ssh: yes})
	r.stranger.dials(map[string]string{client: no, peer: no, metrics: no, ssh: yes})
	r.member.dials(map[string]string{client: yes, peer: yes, "[::1]:2379": yes})
}

func TestObserveRefusesNobody(t *testing.T) { withRig(t, true, observeRefusesNobody) }

func observeRefusesNobody(t *testing.T, r *rig) {
	r.stranger.dials(map[string]string{
		"10.0.1.10:2379": "accepted", "10.0.1.10:2380": "accepted", "[fd00::10]:2381": "accepted",
	})
	logged := regexp.MustCompile(`(?m)^\[[1-9][0-9]*:[0-9]+\] -A etcd-prod .* -j LOG --log-prefix "etcd-prod "$` +
		`|log prefix "etcd-prod "\s+meta l4proto tcp counter packets [1-9]`)
	if out := r.member.must("iptables-save", "-c") + r.member.must("nft", "list", "ruleset"); !logged.MatchString(out) {
		t.Errorf("nothing was logged:\n%s", out)
	}
}

// Announcements come through between our nodes; those of others meet what the machine says, here DROP.
func TestVRRP(t *testing.T) {
	l := newLAN(t)
	first := &machine{l.machine("10.0.1.101/16"), t.TempDir()}
	second, stranger := l.machine("10.0.1.102/16"), l.machine("10.0.1.7/16")
	first.harden()
	first.ok(install(t, sample(false), "nodes"), "apply")
	heard := first.start("receive")
	for _, from := range []struct {
		n    *netns
		name string
	}{{stranger, "stranger"}, {second, "node"}} {
		if out, err := from.n.helper("announce", "10.0.1.101", from.name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	line, err := heard.ReadString('\n')
	if err != nil || !strings.Contains(line, "node") {
		t.Errorf("heard %q first, want the other node (%v)", line, err)
	}
}
