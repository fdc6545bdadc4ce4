//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// silent holds that the check of what was installed prints nothing, as the runbook demands.
func (p *reader) silent(lines []string) {
	p.Helper()
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "keepalived -t ") })
	for _, h := range p.nodes {
		if out := p.must(h, lines[i]); out != "" {
			p.Errorf("on %s, %s prints\n%s", h.Name, lines[i], out)
		}
	}
}

// wears gives a member the certificate that step-ca issued, which it reads anew for each connection.
func (p *reader) wears(h *Host) {
	p.Helper()
	for from, to := range map[string]string{"server.crt": ".crt", "server.key": ".crt.key"} {
		if err := os.Rename(filepath.Join(p.built.dir, from), p.PKI.Path(h.Name+to)); err != nil {
			p.Fatal(err)
		}
	}
}

// holder is the one node that has the address.
func (p *reader) holder(script string) *Host {
	p.Helper()
	var holder *Host
	p.eventually(30*time.Second, "one node has the address", func() error {
		holder = nil
		for _, h := range p.nodes {
			if strings.Contains(p.must(h, script), vip) {
				if holder != nil {
					return errors.New("both have it")
				}
				holder = h
			}
		}
		if holder == nil {
			return errors.New("nobody has it")
		}
		return nil
	})
	return holder
}

// failOver stops the proxy where the address is, which then moves, and starts it again, whereupon the address stays.
func (p *reader) failOver(lines []string) {
	p.Helper()
	const show = "ip -brief address show to " + vip
	from := p.holder(show)
	p.must(from, lines[0])
	p.eventually(30*time.Second, "the address moves", func() error {
		if p.holder(show) == from {
			return errors.New("it stays")
		}
		return nil
	})
	to := p.holder(show)
	p.must(from, strings.Join(lines[1:], "\n"))
	time.Sleep(5 * time.Second) // longer than a node waits that wants it back
	if now := p.holder(show); now != to {
		p.Errorf("the address is on %s, not on %s any more", now.Name, to.Name)
	}
}

// leadAt makes a member the leader.
func (p *reader) leadAt(i int) {
	p.Helper()
	leader, want := p.Leader(), p.Members[i]
	if leader == want {
		return
	}
	if out, err := p.Ctl(p.operator, "https://"+leader.Addr()+":2379", "move-leader", fmt.Sprintf("%x", want.id)); err != nil {
		p.Fatal(err, out)
	}
}

// emergency takes the load balancer away: by the first command of the way around it nobody gets through, by the second
// everybody does; and after its return by the first again.
func (p *reader) emergency(b block) {
	p.Helper()
	if len(b.lines) != 2 {
		p.Fatalf("%v is no way around the load balancer", b.lines)
	}
	through, direct := b.lines[0], b.lines[1]
	for _, h := range p.nodes {
		p.must(h, "systemctl stop "+p.proxy)
	}
	if out, err := p.run(p.client, p.built.dir, p.setup+through); err == nil {
		p.Errorf("the load balancer is down, but %s says\n%s", through, out)
	}
	p.must(p.operator, direct)
	for _, h := range p.nodes {
		p.must(h, "systemctl start "+p.proxy)
	}
	p.eventually(30*time.Second, "the load balancer is back", func() error {
		_, err := p.run(p.client, p.built.dir, p.setup+through)
		return err
	})
}

var inline = regexp.MustCompile("`((?:systemctl|terraform|nft|apply\\.sh|cloudcli/\\w+\\.sh) [^`]*)`")

// rollBack types what stands within the sentences of that section, in its order. Then everybody reaches members again.
func (p *reader) rollBack() {
	p.Helper()
	_, section, _ := strings.Cut(p.text, "\n## Rolling back\n")
	section, _, _ = strings.Cut(section, "\n## ")
	commands := inline.FindAllStringSubmatch(section, -1)
	if len(commands) < 3 {
		p.Errorf("only %d commands lead back", len(commands))
	}
	for _, m := range commands {
		switch command := m[1]; {
		case strings.HasPrefix(command, "systemctl "):
			for _, h := range p.nodes {
				p.must(h, command)
			}
		case strings.HasPrefix(command, "cloudcli/"):
			p.must(p.operator, command)
		case strings.HasPrefix(command, "terraform "):
			p.must(p.operator, "echo yes | "+command)
		case strings.HasPrefix(command, "apply.sh "):
			for kind, hosts := range map[string][]*Host{"members": p.members(), "nodes": p.nodes} {
				for _, h := range hosts {
					p.must(h, "/etc/etcd-lb/rig/"+kind+"/"+command)
				}
			}
		default: // a table of nft, where it is
			for _, h := range append(p.members(), p.nodes...) {
				if strings.Contains(p.must(h, "nft list tables"), command[len("nft delete "):]+"\n") {
					p.must(h, command)
				}
			}
		}
	}
	if got := connects(p.stranger, memberAddr(0), "2379"); got != "accepted" {
		p.Errorf("rolled back, a member is %s to strangers", got)
	}
	if got := connects(p.client, vip, "2379"); got == "accepted" {
		p.Error("rolled back, the load balancer still listens")
	}
}
