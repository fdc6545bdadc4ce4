package runbook

import (
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const members = `
cluster: {
	name: "prod"
	members: {
		"etcd-1": address: "10.0.1.10"
		"etcd-2": address: "10.0.1.11"
		"etcd-3": address: "10.0.1.12"
	}
}
loadBalancer: host: "etcd-lb.example.com"
`

// specs are clusters whose runbooks differ most.
var specs = map[string]string{
	"minimal": members,
	"everything": members + `
cluster: {
	version: "3.6.4"
	members: "etcd-4": {address: "10.0.1.13", address6: "fd00::13", hostname: "etcd-4.example.com", zone: "a", drain: true}
	members: "end": {address: "10.0.1.14", learner: true}
	metrics: port: 2381
}
loadBalancer: {vip: "10.0.1.100", nodes: {"lb-1": address: "10.0.1.101", "lb-2": address: "10.0.1.102"}}
clients: {
	networks: ["10.0.2.0/24"]
	direct: ["10.0.9.0/24"]
	kubeApiServers: ["10.0.4.10"]
	certificate: {ca: "/etc/etcd/ca.crt", cert: "/etc/etcd/client.crt", key: "/etc/etcd/client.key"}
}
targets: {
	haproxy: {}, nginx: edition: "plus", terraform: aws: addresses: a: "10.0.1.5", iptables: {}
	prometheus: labels: team: "{{ $labels.team }}"
	endpoints: {}, etcd: {}, certificates: {}, runbook: {}
}
`,
	"IPv6, fragments, an https metrics URL": `
cluster: {
	name: "v6", members: {"1": address: "fd00::10", "2": address: "fd00::11"}
	metrics: {port: 2381, scheme: "https"}, tls: clientCertAuth: false
}
loadBalancer: vip: "fd00::100"
targets: {haproxy: output: "fragment", nginx: output: "fragment", prometheus: {}, runbook: {}}
`,
	"one plaintext member, a proxy in a container beside each client": `
cluster: {name: "dev", scheme: "http", members: etcd: address: "10.0.1.10"}
loadBalancer: {host: "localhost", placement: "local", port: 12379}
clients: networks: ["10.0.2.0/24"]
targets: {haproxy: container: true, iptables: mode: "observe", prometheus: {}, runbook: {}}
`,
	"members without addresses": `
cluster: {name: "cloud", members: {a: {}, b: {}, c: hostname: "c.example.com"}}
loadBalancer: host: "etcd.example.com"
targets: {terraform: aws: {}, runbook: {}}
`,
}

func build(t *testing.T, spec string) (*topology.Topology, string) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "runbook")
	files, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 || len(files) != 1 || files[0].Path != "RUNBOOK.md" {
		t.Fatalf("files %v, diagnostics %v", files, diags)
	}
	return top, string(files[0].Data)
}

// each runs a test on the runbook of each spec.
func each(t *testing.T, test func(t *testing.T, top *topology.Topology, text string)) {
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			top, text := build(t, spec)
			test(t, top, text)
		})
	}
}

var (
	fence   = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	link    = regexp.MustCompile(`\]\(#([^)]*)\)`)
	noise   = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// scripts are the blocks of shell commands.
func scripts(text string) []string {
	var out []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == "sh" {
			out = append(out, m[2])
		}
	}
	return out
}

// sections are the texts by heading; anchors are as GitHub makes them.
func sections(text string) map[string]string {
	text = fence.ReplaceAllStringFunc(text, func(block string) string { // comments in scripts are no headings
		return strings.ReplaceAll(block, "\n#", "\n")
	})
	out := map[string]string{}
	at := heading.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		title := strings.ToLower(text[m[2]:m[3]])
		out[strings.ReplaceAll(noise.ReplaceAllString(title, ""), " ", "-")] = text[m[1]:end]
	}
	return out
}

func TestAlertsLeadToWhatToDo(t *testing.T) {
	each(t, func(t *testing.T, top *topology.Topology, text string) {
		all := sections(text)
		for _, a := range top.Alerts {
			section := all[strings.ToLower(a.Name.V)]
			for _, want := range []string{"Severity `" + a.Severity.V + "`", a.Expr.V, "```sh"} {
				if !strings.Contains(section, want) {
					t.Errorf("the section of %s lacks %q:\n%s", a.Name.V, want, section)
				}
			}
		}
	})
}

func TestReadsAsProse(t *testing.T) {
	each(t, func(t *testing.T, top *topology.Topology, text string) {
		for _, unwanted := range []string{"{{", "}}", "$labels", "%!", "  \n"} {
			if strings.Contains(text, unwanted) {
				t.Errorf("holds %q", unwanted)
			}
		}
	})
}

func TestLinksLeadSomewhere(t *testing.T) {
	each(t, func(t *testing.T, top *topology.Topology, text string) {
		all := sections(text)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, ok := all[m[1]]; !ok {
				t.Errorf("nothing at #%s", m[1])
			}
		}
	})
}

func TestCommandsAreShell(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	each(t, func(t *testing.T, top *topology.Topology, text string) {
		file := filepath.Join(t.TempDir(), "runbook.sh")
		script := "#!/bin/sh\n" + strings.Join(scripts(text), "\n")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(shellcheck, file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// What a spec does not build is not spoken of.
func TestOnlyWhatIsBuilt(t *testing.T) {
	_, text := build(t, members+`targets: runbook: {}`)
	for _, unwanted := range []string{
		"haproxy", "HAProxy", "nginx", "terraform", "iptables", "apply.sh", "prometheus", "promtool", "endpoints.env", ".env", "certificates/",
	} {
		if strings.Contains(text, unwanted) {
			t.Errorf("speaks of %s", unwanted)
		}
	}
}

func TestCommandsAreExact(t *testing.T) {
	_, text := build(t, specs["everything"])
	const direct = "https://10.0.1.10:2379,https://10.0.1.11:2379,https://10.0.1.12:2379,https://10.0.1.13:2379"
	var lines []string
	for _, s := range scripts(text) {
		lines = append(lines, strings.Split(s, "\n")...)
	}
	for _, want := range []string{
		"export ETCDCTL_CACERT=/etc/etcd/ca.crt",
		"etcdctl --endpoints=https://etcd-lb.example.com:2379 endpoint health",
		"etcdctl --endpoints=" + direct + " endpoint status -w table",
		"curl -fsS 'http://10.0.1.13:2381/readyz'",
		"grep '^#   openssl' certificates/openssl/members/etcd-4.cnf",
		"haproxy -c -f haproxy/haproxy.cfg",
		`nginx -t -c "$PWD/nginx/nginx.conf"`,
		"promtool check rules prometheus/rules/etcd-lb-prod.yml",
		"terraform -chdir=terraform/aws plan -out=etcd-lb.plan",
		"curl -fsS http://127.0.0.1:8405/healthz",
		"systemctl enable etcd-lb-firewall-prod-*.service",
		"journalctl -k --since -1d --grep '^(etcd-prod|etlb-prod) '",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no command %q", want)
		}
	}
	for _, want := range []string{"/etc/etcd-lb/prod/members", "/etc/etcd-lb/prod/nodes", "- --etcd-servers=https://etcd-lb.example.com:2379"} {
		if !strings.Contains(text, want) {
			t.Errorf("does not say %q", want)
		}
	}
}

// A firewall that enforces before the proxy stands, or before clients left the members, cuts everybody off.
func TestRolloutOrder(t *testing.T) {
	_, text := build(t, specs["everything"])
	at := 0
	for _, step := range []string{
		"### 1. Certificates", "### 2. etcd's flags", "### 3. Firewall, observing", "### 4. Load balancer", "### 5. Alerts",
		"### 6. Verify", "### 7. Clients", "### 8. Firewall, enforcing", "## Rolling back",
		`mode: "observe"`, "Point clients back", "stop it", "apply.sh remove", "flags may stay", "Certificates may stay",
	} {
		i := strings.Index(text[at:], step)
		if i < 0 {
			t.Fatalf("%q is missing or too early", step)
		}
		at += i
	}
}

// The certificate check finds, with openssl, what a server's certificate holds and what it lacks.
func TestCertificateCheck(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	server := httptest.NewTLSServer(nil) // for example.com and 127.0.0.1
	defer server.Close()
	address := netip.MustParseAddrPort(server.Listener.Addr().String())
	_, text := build(t, strings.NewReplacer("ADDRESS", address.Addr().String(), "PORT", number(topology.SetAt(int(address.Port()), topology.Topology{}.Span))).Replace(`
cluster: {name: "prod", members: a: address: "ADDRESS", ports: client: PORT}
loadBalancer: {host: "example.com", aliases: ["other.example.org", "127.0.0.1", "10.9.9.9"]}
targets: runbook: {}
`))
	scripts := scripts(sections(text)["1-certificates"])
	if len(scripts) != 1 {
		t.Fatalf("%d scripts, want one", len(scripts))
	}
	out, err := exec.Command("sh", "-u", "-c", scripts[0]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"example.com does match", "other.example.org does NOT match", "127.0.0.1 does match", "10.9.9.9 does NOT match", "notAfter=",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestHeaderIsHidden(t *testing.T) {
	top, options := lowertest.Topology(t, members, "runbook")
	files, _ := Target.Render(top, options, target.Header{Spec: "a --> b.cue"})
	first, _, _ := strings.Cut(string(files[0].Data), "\n")
	if !strings.HasPrefix(first, "<!-- ") || strings.Count(first, "-->") != 1 || !strings.HasSuffix(first, "-->") {
		t.Errorf("head is %q", first)
	}
}
