//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// block is one block of commands in a runbook.
type block struct {
	section string
	lines   []string
}

var fence = regexp.MustCompile("(?ms)^(#+ [^\n]*)$|^```sh\n(.*?)^```$")

// blocks are the runbook's commands in its order.
func blocks(t *testing.T, file string) []block {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	section := ""
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		if m[1] != "" {
			section = strings.TrimLeft(m[1], "# ")
		} else {
			out = append(out, block{section, strings.Split(strings.TrimSpace(m[2]), "\n")})
		}
	}
	return out
}

// absent are programs that a machine of the rig does not have: no service manager, Kubernetes, cloud or online CA.
var absent = regexp.MustCompile(`^(systemctl|journalctl|kubectl|terraform|certificates/step-ca\.sh)\b`)

// TestRunbook runs the commands of a runbook, in its order, each where the runbook says, on a cluster as it describes.
func TestRunbook(t *testing.T) {
	r := NewRig(t)
	v := Current(t)
	built := r.Build(Spec{Version: v.Version, Members: 3, Nodes: 2, More: []string{
		`targets: {runbook: {}, certificates: {}, ansible: {}, kubernetes: {}}`,
		`clients: kubeApiServers: ["` + clientAddr + `"]`,
	}})
	c := r.Cluster(v, built, 3)
	haproxy := r.HAProxy(r.Host("lb-1", nodeAddr(0), nodeAddr6(0)), built.Path("haproxy/haproxy.cfg"))
	r.Move(vip, haproxy.Host)
	page := &reader{
		T: t, c: c, built: built, bin: filepath.Join(r.Dir, "bin"),
		operator: r.Host("operator", operatorAddr), monitor: r.Host("monitor", monitorAddr),
		haproxy: haproxy.Host, nginx: r.Host("lb-2", nodeAddr(1), nodeAddr6(1)),
	}
	if err := os.Mkdir(page.bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(v.ctl, filepath.Join(page.bin, "etcdctl")); err != nil {
		t.Fatal(err)
	}
	page.leadAt(0)
	all := blocks(t, built.Path("RUNBOOK.md"))
	ran := 0
	for _, b := range all {
		ran += page.follow(b)
	}
	if ran < 60 {
		t.Errorf("only %d commands of %d blocks were run", ran, len(all))
	}
	page.emergency(haproxy, all)
	// The firewall of the last step is in force: who is not admitted is refused at once.
	if out, err := r.Host("stranger", strangerAddr).Try("nc", "-zvw", "3", memberAddr(0), "2379"); err == nil || !strings.Contains(out, "refused") {
		t.Errorf("a stranger at a member: %v %s", err, out)
	}
}

// reader is somebody who follows a runbook.
type reader struct {
	*testing.T
	c                        *Cluster
	built                    *Built
	bin                      string
	operator, haproxy, nginx *Host
	monitor                  *Host
	setup                    []string // what the runbook has them set
}

// follow runs one block, but for what the rig lacks, and counts its commands.
func (p *reader) follow(b block) int {
	lines := slices.DeleteFunc(slices.Clone(b.lines), absent.MatchString)
	if b.section == "Before you type commands" {
		p.setup = lines
	}
	if len(lines) == 0 {
		return 0
	}
	if strings.HasSuffix(lines[len(lines)-1], "move-leader ID") {
		lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], "ID") + fmt.Sprintf("%x", p.c.Members[1].id)
	}
	for _, place := range p.places(b.section, lines) {
		out, err := p.run(place.host, place.folder, lines)
		switch {
		case err != nil:
			p.Errorf("%s: %v", b.section, err)
		case strings.Contains(out, "NOT match") || strings.Contains(out, "unhealthy"):
			p.Errorf("%s: on %s, %s says\n%s", b.section, place.host.Name, strings.Join(lines, "\n"), out)
		}
	}
	return len(lines)
}

type place struct {
	host   *Host
	folder string // of what was built
}

// places are where a block's commands belong.
func (p *reader) places(section string, lines []string) []place {
	text := strings.Join(lines, "\n")
	is := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(text) }
	member := p.c.Members[0].Host
	switch {
	case is(`^\./apply\.sh`) || is(`etcd-lb-firewall-`):
		return []place{{member, "iptables/members"}, {p.nginx, "iptables/nodes"}}
	case is(`nginx`):
		return []place{{p.nginx, ""}}
	case is(`haproxy|127\.0\.0\.1:8405`):
		return []place{{p.haproxy, ""}}
	case section == "EtcdMetricsMissing" && is(`^curl `):
		return []place{{p.monitor, ""}}
	case is(`^curl `) && !is(`etcdctl `): // as the load balancer does
		return []place{{p.haproxy, ""}}
	case is(`(?m)^(ss|install) `):
		return []place{{member, ""}}
	}
	return []place{{p.operator, ""}}
}

// onMachine lets commands write to an /etc of the machine's own.
const onMachine = `set -eu
dir=$1 folder=$2 bin=$3 script=$4
mkdir -p "$dir/etc" "$dir/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$dir/etc,workdir=$dir/work" /etc
mount --bind "$dir/hosts" /etc/hosts
mkdir -p /etc/haproxy /etc/nginx /etc/systemd/system
cd "$folder"
PATH=$bin:$PATH
exec sh -eu -c "$script"`

func (p *reader) run(h *Host, folder string, lines []string) (string, error) {
	script := strings.Join(append(slices.Clone(p.setup), lines...), "\n")
	return h.Try("sh", "-c", onMachine, "sh", h.dir, filepath.Join(p.built.dir, folder), p.bin, script)
}

// leadAt makes a member the leader.
func (p *reader) leadAt(i int) {
	p.Helper()
	leader, want := p.c.Leader(), p.c.Members[i]
	if leader == want {
		return
	}
	if out, err := p.c.Ctl(p.operator, "https://"+leader.Addr()+":2379", "move-leader", fmt.Sprintf("%x", want.id)); err != nil {
		p.Fatal(err, out)
	}
}

// emergency takes the load balancer away: by the first command of the way around it nobody gets through, by the second
// everybody does; and after its return by the first again.
func (p *reader) emergency(proxy *Proxy, all []block) {
	i := slices.IndexFunc(all, func(b block) bool { return strings.HasPrefix(b.section, "Emergency") })
	if i < 0 || len(all[i].lines) != 2 {
		p.Fatal("the runbook knows no way around the load balancer")
	}
	through, direct := all[i].lines[:1], all[i].lines[1:]
	proxy.Stop()
	if out, err := p.run(p.operator, "", through); err == nil {
		p.Errorf("the load balancer is down, but %s says\n%s", through, out)
	}
	if _, err := p.run(p.operator, "", direct); err != nil {
		p.Error(err)
	}
	proxy.Restart()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	proxy.listens()
	for {
		_, err := p.run(p.operator, "", through)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			p.Fatal(err)
		}
	}
}
