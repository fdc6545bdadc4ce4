//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
	"github.com/etcdlbgen/etcdlbgen/generators/terraform/terraformtest"
)

// block is one block of a runbook, with what is said before it.
type block struct {
	section, intro, language string
	lines                    []string
}

var fence = regexp.MustCompile("(?ms)^(#+ [^\n]*)$|^```(\\w+)\n(.*?)^```$")

// blocks are the runbook's blocks in its order.
func blocks(t *testing.T, text string) []block {
	t.Helper()
	var out []block
	section, from := "", 0
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		if m[2] >= 0 {
			section = strings.TrimLeft(text[m[2]:m[3]], "# ")
		} else {
			out = append(out, block{section, text[from:m[0]], text[m[4]:m[5]], strings.Split(strings.TrimSpace(text[m[6]:m[7]]), "\n")})
		}
		from = m[1]
	}
	return out
}

// TestRunbook follows runbooks from the first step to the last and back: all their commands are typed, in their order,
// where they say, on a cluster that has no load balancer yet. The two differ in each choice that a spec has.
func TestRunbook(t *testing.T) {
	const both = ", prometheus: probe: {}, endpoints: {}, etcd: {}, runbook: {}, certificates: {}, ansible: {}, kubernetes: {}"
	const cloud = `{addresses: a: "10.0.1.5", deletionProtection: false}` // as the way back demands
	t.Run("haproxy, iptables", func(t *testing.T) {
		followRunbook(t, "haproxy", `haproxy: {}, iptables: {}, keepalived: {virtualRouterID: 78}`+both, "")
	})
	t.Run("nginx, nftables, cloud", func(t *testing.T) {
		followRunbook(t, "nginx", `nginx: {}, nftables: {}, keepalived: {virtualRouterID: 79, proxy: "nginx"}, terraform: aws: `+cloud+`, cloudcli: aws: `+cloud+both,
			`loadBalancer: listen: ["`+vip+`"]`)
	})
}

// programs are what runbooks have typed, beside those that the rig needs itself.
const programs = "ansible-inventory curl getent ip keepalived nc nft openssl pgrep promtool socat ss sysctl systemctl systemd-analyze"

func followRunbook(t *testing.T, proxy, targets, more string) {
	for program := range strings.FieldsSeq(programs) {
		need(t, program)
	}
	r := NewRig(t)
	v := Current(t)
	built := r.Build(Spec{Version: v.Version, Members: 3, Nodes: 2, Targets: targets, More: []string{
		`clients: kubeApiServers: ["` + clientAddr + `"]`, more,
	}})
	p := &reader{T: t, estate: newEstate(r.Cluster(v, built, 3), built), proxy: proxy}
	for i := range 2 {
		p.nodes = append(p.nodes, r.Host(fmt.Sprintf("lb-%d", i+1), nodeAddr(i), nodeAddr6(i)))
	}
	p.operator, p.monitor = r.Host("operator", operatorAddr), r.Host("monitor", monitorAddr)
	p.client, p.stranger = r.Host("client", clientAddr, clientAddr6), r.Host("stranger", strangerAddr)
	text, err := os.ReadFile(built.Path("RUNBOOK.md"))
	if err != nil {
		t.Fatal(err)
	}
	p.text = string(text)
	p.prepare()
	for _, b := range blocks(t, p.text) {
		p.follow(b)
	}
	p.rollBack()
}

// reader is somebody who follows a runbook.
type reader struct {
	*testing.T
	*estate
	text, proxy                         string
	nodes                               []*Host
	operator, monitor, client, stranger *Host
	setup                               string // what the runbook has them set
}

func (p *reader) members() []*Host {
	var out []*Host
	for _, m := range p.Members {
		out = append(out, m.Host)
	}
	return out
}

var installs = regexp.MustCompile("(?m)^Install `([^`]+)` as `([^`]+)` on (.*)\\.$")

// prepare does what the runbook says in words: which folders go where, and that a cloud's module has variables.
func (p *reader) prepare() {
	p.Helper()
	for _, m := range installs.FindAllStringSubmatch(p.text, -1) {
		hosts := p.nodes
		if m[3] == "each member" {
			hosts = p.members()
		}
		for _, h := range hosts {
			p.must(h, "mkdir -p "+m[2]+" && cp -a "+m[1]+"/. "+m[2])
		}
	}
	modules, err := filepath.Glob(filepath.Join(p.built.dir, "terraform", "*", "tests", "*.tftest.hcl"))
	if err != nil {
		p.Fatal(err)
	}
	if len(modules) == 0 {
		return
	}
	p.cloud()
	for _, variable := range terraformtest.Start(p.T).Env() {
		p.setup += "export " + variable + "\n"
	}
	for _, path := range modules {
		test, err := os.ReadFile(path)
		if err != nil {
			p.Fatal(err)
		}
		set := filepath.Join(filepath.Dir(filepath.Dir(path)), "terraform.tfvars")
		if err := os.WriteFile(set, terraformtest.Variables(p.T, test), 0o644); err != nil {
			p.Fatal(err)
		}
	}
}

// cloud lets scripts meet the cloud of cloudcli's own tests, instead of the network.
func (p *reader) cloud() {
	p.Helper()
	fake := filepath.Join(p.bin, "aws")
	if out, err := exec.Command("go", "build", "-o", fake, "../../generators/cloudcli/cloudclitest/fake").CombinedOutput(); err != nil {
		p.Fatalf("%v\n%s", err, out)
	}
	p.setup += fmt.Sprintf("export %s=%s.cloud ETCD_LB_VPC_ID=vpc-0a ETCD_LB_SUBNETS=a=subnet-1 ETCD_LB_ROUTE53_ZONE_ID=Z1\n",
		cloudclitest.StateFile, p.socket())
	p.setup += fmt.Sprintf("export %s=%s.log\n", cloudclitest.LogFile, p.socket())
}

// must types a script in the folder that the runbook is in.
func (p *reader) must(h *Host, script string) string {
	p.Helper()
	out, err := p.run(h, p.built.dir, p.setup+script)
	if err != nil {
		p.Fatal(err)
	}
	return out
}

var here = regexp.MustCompile(`(?m)^(.*)  # on (\S+)$`)

// follow types one block, on each machine that it is for.
func (p *reader) follow(b block) {
	p.Helper()
	script := strings.Join(b.lines, "\n")
	switch {
	case b.language != "sh":
		p.holds(b)
		return
	case b.section == "Before you type commands":
		p.setup += script + "\n"
	case strings.HasPrefix(script, "ip -brief address show to "):
		p.holder(script)
		return
	case strings.Contains(script, "keepalived -t "):
		defer p.silent(b.lines)
	case strings.HasPrefix(b.section, "Emergency"):
		p.emergency(b)
		return
	case strings.HasPrefix(script, "systemctl stop "+p.proxy):
		p.failOver(b.lines)
		return
	case strings.HasSuffix(script, "move-leader ID"):
		p.leadAt(0)
		script = strings.TrimSuffix(script, "ID") + fmt.Sprintf("%x", p.Members[1].id)
	}
	for _, place := range p.places(b) {
		folder := p.built.dir
		if place.folder != "" {
			folder = place.folder
		}
		own := here.ReplaceAllStringFunc(script, func(line string) string {
			m := here.FindStringSubmatch(line)
			if m[2] != place.host.Name {
				return ""
			}
			return m[1]
		})
		own = strings.Replace(own, "member="+memberName(0), "member="+place.host.Name, 1)
		out, err := p.run(place.host, folder, p.setup+own)
		switch {
		case place.refused:
			if err == nil || !strings.Contains(out, "refused") {
				p.Errorf("%s: on %s, %s must be refused: %v %s", b.section, place.host.Name, own, err, out)
			}
		case err != nil:
			p.Fatalf("%s: %v", b.section, err)
		case strings.Contains(out, "NOT match") || strings.Contains(out, "is unhealthy"):
			p.Errorf("%s: on %s, %s says\n%s", b.section, place.host.Name, own, out)
		}
		if strings.Contains(own, "step-ca.sh") {
			p.wears(place.host)
		}
	}
}

// holds judges what is no command: what is to be written into files must be right there.
func (p *reader) holds(b block) {
	p.Helper()
	text := strings.Join(b.lines, "\n")
	switch b.language {
	case "cue":
		path := filepath.Join(p.Dir, "more.cue")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			p.Fatal(err)
		}
		args := append([]string{"build", "-o", filepath.Join(p.Dir, "more"), path}, p.built.spec...)
		if out, err := exec.Command(product, args...).CombinedOutput(); err != nil {
			p.Errorf("%s: %v\n%s", b.section, err, out)
		}
	case "yaml":
		manifest, err := os.ReadFile(p.built.Path("kubernetes/load-balancer/kube-apiserver.yaml"))
		if err != nil || !strings.Contains(string(manifest), `"`+strings.TrimPrefix(text, "- ")+`"`) {
			p.Errorf("%s: %v: %s is none of the flags in\n%s", b.section, err, text, manifest)
		}
	case "promql":
		rules, err := os.ReadFile(p.built.Path("prometheus/rules/etcd-lb-rig.yml"))
		flat := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if err != nil || !strings.Contains(flat(string(rules)), flat(text)) {
			p.Errorf("%s: %v: no rule has %s", b.section, err, text)
		}
	case "mermaid":
	default:
		p.Errorf("%s: what is %s?", b.section, b.language)
	}
}

type place struct {
	host    *Host
	folder  string // where it is not the runbook's
	refused bool   // who is there must not get through
}

// places are where a block says that it belongs.
func (p *reader) places(b block) []place {
	text := strings.Join(b.lines, "\n")
	types := func(pattern string) bool { return regexp.MustCompile("(?m)" + pattern).MatchString(text) }
	says := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(b.intro) }
	at := func(hosts ...*Host) (out []place) {
		for _, h := range hosts {
			out = append(out, place{host: h})
		}
		return out
	}
	switch {
	case says(`machine that is not admitted`):
		return []place{{host: p.stranger, refused: true}}
	case types(`^\./apply\.sh|etcd-lb-firewall-`):
		var out []place
		for _, h := range p.members() {
			out = append(out, place{host: h, folder: "/etc/etcd-lb/rig/members"})
		}
		for _, h := range p.nodes {
			out = append(out, place{host: h, folder: "/etc/etcd-lb/rig/nodes"})
		}
		return out
	case types(`/members\.nft|^member=`):
		return at(p.members()...)
	case types(`kubectl`):
		return at(p.client)
	case says(`Prometheus' machine`):
		return at(p.monitor)
	case types(`haproxy|nginx|keepalived|sysctl|/nodes\.nft|127\.0\.0\.1:84`), says(`HAProxy's machine|load balancer's machine|from its machine`):
		return at(p.nodes...)
	case types(`step-ca\.sh`):
		return at(p.members()[0])
	case types(`-u etcd|status etcd|sport = :2379`):
		return at(p.members()...)
	case types(`etcdctl .*` + lbHost):
		return at(p.client)
	}
	return at(p.operator)
}
