//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The names and addresses of the rig's spec. Clients, Prometheus, an operator who may reach members directly and a
// stranger have a network each.
const (
	lbHost = "etcd-lb.rig.test"
	vip    = "10.0.1.100"

	clientAddr, clientAddr6     = "10.0.2.10", "fd00::2:10"
	monitorAddr                 = "10.0.8.10"
	operatorAddr                = "10.0.9.10"
	strangerAddr, strangerAddr6 = "10.0.7.10", "fd00::7:10"
)

func memberName(i int) string  { return fmt.Sprintf("etcd-%d", i+1) }
func memberAddr(i int) string  { return fmt.Sprintf("10.0.1.%d", 10+i) }
func memberAddr6(i int) string { return fmt.Sprintf("fd00::%d", 10+i) }
func nodeAddr(i int) string    { return fmt.Sprintf("10.0.1.%d", 101+i) }
func nodeAddr6(i int) string   { return fmt.Sprintf("fd00::%d", 101+i) }

// Spec is what the rig lets the product compile.
type Spec struct {
	Version string // of etcd
	Members int
	Nodes   int      // machines for load balancers
	Clients int      // connections at a time, 2000 where zero
	Targets string   // what is built, in CUE; the usual where empty
	More    []string // CUE that is unified with the rest
}

// text is the spec in CUE. Of the timing nothing is said: what is measured are the defaults.
func (s Spec) text(pki *PKI) string {
	var members, nodes strings.Builder
	for i := range s.Members {
		fmt.Fprintf(&members, "\t\t%q: {address: %q, address6: %q, hostname: %q}\n",
			memberName(i), memberAddr(i), memberAddr6(i), memberName(i)+".rig.test")
	}
	for i := range s.Nodes {
		fmt.Fprintf(&nodes, "\t\t\"lb-%d\": {address: %q, address6: %q, interface: \"eth0\", priority: %d}\n",
			i+1, nodeAddr(i), nodeAddr6(i), 200-i)
	}
	return fmt.Sprintf(`cluster: {
	name: "rig"
	version: %q
	members: {
%s	}
	metrics: port: 2381
	tls: trustedCAFile: %q
}
loadBalancer: {
	host: %q
	vip: %q
	maxConnections: %d
	nodes: {
%s	}
}
clients: {
	networks: ["10.0.2.0/24", "fd00::2:0/112"]
	direct: ["10.0.9.0/24"]
	certificate: {ca: %q, cert: %q, key: %q}
}
monitoring: networks: ["10.0.8.0/24"]
targets: {%s}
`, s.Version, &members, pki.Path("ca.crt"), lbHost, vip, cmp.Or(s.Clients, 2000), &nodes,
		pki.Path("ca.crt"), pki.Path("client.crt"), pki.Path("client.crt.key"),
		cmp.Or(s.Targets, "haproxy: {}, nginx: {}, prometheus: {}, iptables: {}, endpoints: {}, etcd: {}"))
}

// Built is a folder that `etcdlbgen build` wrote.
type Built struct {
	rig  *Rig
	dir  string
	spec []string // the files it was written from
}

// Build compiles a spec with the product.
func (r *Rig) Build(s Spec) *Built {
	r.Helper()
	r.builds++
	b := &Built{rig: r, dir: filepath.Join(r.Dir, fmt.Sprintf("built-%d", r.builds))}
	for i, text := range append([]string{s.text(r.PKI)}, s.More...) {
		path := filepath.Join(r.Dir, fmt.Sprintf("spec-%d-%d.cue", r.builds, i))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			r.Fatal(err)
		}
		b.spec = append(b.spec, path)
	}
	if out, err := exec.Command(product, append([]string{"build", "-o", b.dir}, b.spec...)...).CombinedOutput(); err != nil {
		r.Fatalf("build: %v\n%s", err, out)
	}
	return b
}

// Path is a file of what was built.
func (b *Built) Path(name string) string {
	b.rig.Helper()
	path := filepath.Join(b.dir, name)
	if _, err := os.Stat(path); err != nil {
		b.rig.Fatal(err)
	}
	return path
}

// Env is an environment file of what was built, as a process's environment.
func (b *Built) Env(name string) []string {
	b.rig.Helper()
	env, err := variables(b.Path(name))
	if err != nil {
		b.rig.Fatal(err)
	}
	return env
}

// variables are those of an environment file.
func variables(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	var env []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			env = append(env, line)
		}
	}
	return env, err
}
