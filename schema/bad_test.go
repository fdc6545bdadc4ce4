package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// holds is a spec that is right, in parts that cases replace.
const holds = `cluster: {
	name: "prod"
	members: "etcd-1": address: "10.0.1.10"
	members: "etcd-2": address: "10.0.1.11"
	members: "etcd-3": address: "10.0.1.12"
}
loadBalancer: vip: "10.0.1.100"
`

// Parts of specs about an address that moves.
const (
	routed  = `loadBalancer: nodes: {"lb-1": {address: "10.0.1.101", interface: "eth0"}, "lb-2": {address: "10.0.1.102", interface: "eth0"}}` + "\n"
	router  = "targets: keepalived: virtualRouterID: 7"
	proxied = "\ntargets: haproxy: {}"
)

// at is what a diagnostic must say: its line and column, and a piece of its message.
type at struct {
	line, col int
	message   string
}

func loadText(t testing.TB, name, text string) (*Result, diag.List) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	res, diags, err := Load(Input{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	return res, diags
}

func expect(t *testing.T, text string, res *Result, diags diag.List, want []at) {
	t.Helper()
	if len(res.Clusters) != 0 {
		t.Errorf("the spec is accepted:\n%s", text)
	}
	for i, d := range diags {
		for _, leak := range []string{"#", "spec.cue", "disjunction", "{{", "_|_"} {
			if strings.Contains(d.Message, leak) {
				t.Errorf("message tells of our schema or of CUE's insides (%q): %s", leak, d.Message)
			}
		}
		if i < len(want) && (d.Span.Line != want[i].line || d.Span.Col != want[i].col || !strings.Contains(d.Message, want[i].message)) {
			t.Errorf("want %d:%d %q, have %d:%d %q", want[i].line, want[i].col, want[i].message, d.Span.Line, d.Span.Col, d.Message)
		}
	}
	if len(diags) != len(want) {
		t.Errorf("want %d diagnostics, have %d: %v\n%s", len(want), len(diags), diags, text)
	}
}

// TestRefused adds a few lines to a spec that holds, which then must not.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []at
	}{
		"unknown field":                  {"cluster: membrs: {}", []at{{8, 10, `cluster has no field "membrs"`}}},
		"unknown field elsewhere":        {"networks: []", []at{{8, 1, `the spec has no field "networks"`}}},
		"wrong type":                     {"cluster: ports: client: \"2379\"", []at{{8, 25, `cluster.ports.client is "2379"; need a port`}}},
		"struct for text":                {"cluster: version: {}", []at{{8, 10, "is a struct; need a version"}}},
		"text for struct":                {"cluster: tls: \"yes\"", []at{{8, 15, `is "yes"; need fields`}}},
		"text for list":                  {"clients: networks: \"10.0.0.0/8\"", []at{{8, 20, "need a list"}}},
		"null":                           {"cluster: version: null", []at{{8, 19, "is null"}}},
		"float version":                  {"cluster: version: 3.6", []at{{8, 19, "is the number 3.6"}}},
		"enumeration":                    {"loadBalancer: balance: \"random\"", []at{{8, 24, `need "leastconn", "roundrobin" or "source"`}}},
		"port range":                     {"cluster: ports: client: 70000", []at{{8, 25, "is 70000; need a port between 1 and 65535"}}},
		"port zero":                      {"loadBalancer: port: 0", []at{{8, 21, "is 0; need a port"}}},
		"several":                        {"cluster: scheme: \"htps\"\ncluster: versoin: \"3\"\nclients: keepalive: 30", []at{{8, 18, "htps"}, {9, 10, "versoin"}, {10, 21, "is 30"}}},
		"incomplete":                     {"cluster: version: string", []at{{8, 10, "is not a single value"}}},
		"same address":                   {`cluster: members: "a": address: "10.0.1.10"`, []at{{3, 30, `member "etcd-1" has the address 10.0.1.10 of member "a"`}}},
		"same address spelled otherwise": {`cluster: members: "z": address: "::ffff:10.0.1.10"`, []at{{8, 33, "10.0.1.10 of member"}}},
		"vip is a member":                {"loadBalancer: vip6: \"fd00::1\"\ncluster: members: v: address: \"FD00:0::1\"", []at{{8, 21, `loadBalancer.vip6 has the address fd00::1 of member "v"`}}},
		"vip6 is IPv4":                   {`loadBalancer: vip6: "10.0.1.1"`, []at{{8, 21, "need an IPv6 address"}}},
		"multicast":                      {`cluster: members: m: address: "224.0.0.1"`, []at{{8, 31, "which no single machine has"}}},
		"equal ports":                    {"cluster: metrics: port: 2379", []at{{8, 25, "both 2379"}}},
		"peer port as listener":          {"loadBalancer: port: 2380", []at{{8, 21, "etcd's peer port"}}},
		"metrics and listener":           {"targets: haproxy: metricsPort: 2379", []at{{8, 32, "both 2379"}}},
		"host bits":                      {`clients: networks: ["10.0.2.1/24"]`, []at{{8, 21, "bits set in the host part"}}},
		"no unit":                        {`loadBalancer: timeouts: idle: "300"`, []at{{8, 31, "need a positive duration with a unit"}}},
		"negative":                       {`loadBalancer: timeouts: idle: "-5m"`, []at{{8, 31, "need a positive duration"}}},
		"zero":                           {`loadBalancer: timeouts: idle: "0s"`, []at{{8, 31, "no time at all"}}},
		"too long":                       {`loadBalancer: timeouts: idle: "577h"`, []at{{8, 31, "at most 24 days"}}},
		"overflow":                       {`loadBalancer: timeouts: idle: "99999999999999999999h"`, []at{{8, 31, "at most 24 days"}}},
		"too fine":                       {`loadBalancer: timeouts: connect: "1.5555s"`, []at{{8, 34, "finer than a millisecond"}}},
		"termination":                    {`loadBalancer: mode: "termination"`, []at{{8, 21, "no loadBalancer.termination block"}}},
		"termination with auth":          {"loadBalancer: mode: \"termination\"\ncluster: auth: true", []at{{8, 21, "cluster.auth"}}},
		"termination before http": {
			`loadBalancer: {mode: "termination", termination: {certificate: {cert: "/a", key: "/b"}, clientCA: "/c", backendCertificate: {cert: "/d", key: "/e"}}}
cluster: scheme: "http"`,
			[]at{{8, 22, `beside cluster.scheme "http"`}},
		},
		"termination without its mode": {
			`loadBalancer: termination: {certificate: {cert: "/a", key: "/b"}, clientCA: "/c", backendCertificate: {cert: "/d", key: "/e"}}`,
			[]at{{8, 15, `beside mode "passthrough"`}},
		},
		"half a certificate":          {`clients: certificate: ca: "/x"`, []at{{8, 10, `has no "cert"`}, {8, 10, `has no "key"`}}},
		"iptables needs networks":     {"targets: iptables: {}", []at{{8, 10, "need clients.networks"}}},
		"nftables needs networks":     {"targets: nftables: {}", []at{{8, 10, "target nftables does not know who may dial"}}},
		"nftables needs nodes":        {"targets: {nftables: {}, nginx: {}}\nclients: networks: [\"10.0.2.0/24\"]", []at{{8, 11, "target nftables does not know the machines that run nginx"}}},
		"iptables needs nodes":        {"targets: {iptables: {}, haproxy: {}}\nclients: networks: [\"10.0.2.0/24\"]", []at{{8, 11, "need loadBalancer.nodes"}}},
		"a router without id":         {routed + `targets: {haproxy: {}, keepalived: {}}`, []at{{9, 24, `has no "virtualRouterID"`}}},
		"router id":                   {routed + `targets: {haproxy: {}, keepalived: virtualRouterID: 256}`, []at{{9, 53, "need a number between 1 and 255"}}},
		"a router without proxy":      {routed + router, []at{{9, 10, "neither haproxy nor nginx is a target"}}},
		"a router's proxy":            {routed + router + "\ntargets: {haproxy: {}, keepalived: proxy: \"nginx\"}", []at{{10, 43, "nginx is no target"}}},
		"one machine":                 {`loadBalancer: nodes: "lb-1": {address: "10.0.1.101", interface: "eth0"}` + "\n" + router + proxied, []at{{9, 10, "lists 1; need two"}}},
		"no machine":                  {router + proxied, []at{{8, 10, "lists 0; need two"}}},
		"no interface":                {routed + `loadBalancer: nodes: "lb-3": address: "10.0.1.103"` + "\n" + router + proxied, []at{{9, 22, `node "lb-3" has no interface`}}},
		"a machine's own address":     {routed + `loadBalancer: nodes: "lb-3": {address: "10.0.1.100", interface: "eth0"}` + "\n" + router + proxied, []at{{7, 20, `it is node "lb-3"'s own`}}},
		"a machine in another family": {routed + `loadBalancer: nodes: "lb-3": {address: "fd00::3", interface: "eth0"}` + "\n" + router + proxied, []at{{9, 22, `node "lb-3" has no IPv4 address`}}},
		"nothing moves when local":    {"loadBalancer: placement: \"local\"\n" + router + proxied, []at{{9, 10, `beside placement "local"`}}},
		"health port":                 {routed + router + "\ntargets: nginx: healthPort: 2379", []at{{10, 29, "targets.nginx.healthPort and loadBalancer.port are both 2379"}}},
		"no target":                   {"targets: {}", []at{{8, 1, "targets is empty"}}},
		"failover of an address":      {"targets: terraform: dnsFailover: {provider: \"route53\", zone: \"Z1\", endpoints: {a: address: \"10.9.0.1\", b: address: \"10.9.0.2\"}}", []at{{8, 21, "need loadBalancer.host"}}},
		"failover to nothing":         {"loadBalancer: host: \"lb\"\ntargets: terraform: dnsFailover: {provider: \"route53\", zone: \"Z1\", endpoints: {a: address: \"10.9.0.1\"}}", []at{{9, 68, "has 1 endpoints"}}},
		"no cloud":                    {"targets: terraform: {}", []at{{8, 10, "names no cloud"}}},
		"no address":                  {`cluster: members: x: zone: "a"`, []at{{8, 19, "has no address, which target haproxy"}}},
		"no metrics":                  {`loadBalancer: healthCheck: via: "metrics"`, []at{{8, 33, "cluster.metrics is not set"}}},
		"no check certificate":        {`loadBalancer: healthCheck: via: "client"`, []at{{8, 33, "healthCheck has none"}}},
		"no metrics certificate":      {`cluster: metrics: {port: 2381, scheme: "https"}`, []at{{8, 40, "healthCheck has none"}}},
		"node on a member":            {`loadBalancer: nodes: n: address: "10.0.1.10"`, []at{{8, 34, `node "n" is on the machine of member "etcd-1"`}}},
		"metrics on a member":         {"loadBalancer: {port: 443, nodes: n: address: \"10.0.1.10\"}\ncluster: metrics: port: 8405", []at{{8, 46, `etcd has port 8405 already; need another targets.haproxy.metricsPort`}}},
		"listener on a member":        {`loadBalancer: listen: ["10.0.1.10"]`, []at{{8, 24, `is on the machine of member "etcd-1"`}}},
		"same hostname":               {`cluster: members: {"etcd-1": hostname: "a.b", "etcd-2": hostname: "A.B"}`, []at{{8, 67, `hostname a.b of member "etcd-1"`}}},
		"host is a member":            {"cluster: members: \"etcd-1\": hostname: \"a.b\"\nloadBalancer: host: \"a.b\"", []at{{9, 21, `the hostname of member "etcd-1"`}}},
		"link-local":                  {`cluster: members: m: address: "fe80::1"`, []at{{8, 31, "need one that is not link-local"}}},
		"broadcast":                   {`loadBalancer: nodes: n: address: "255.255.255.255"`, []at{{8, 34, "no single machine"}}},
		"whole phase":                 {"loadBalancer: {port: 2380, timeouts: idle: \"900h\"}\nclients: networks: [\"10.0.0.1/8\"]", []at{{8, 22, "peer port"}, {8, 44, "24 days"}, {9, 21, "host part"}}},
		"number beyond counting":      {"loadBalancer: port: 99999999999999999999", []at{{8, 21, "is 99999999999999999999; need a port"}}},
		"long text":                   {`loadBalancer: host: "` + strings.Repeat("x", 500) + `"`, []at{{8, 21, "xxx … xxx"}}},
		"scalar and struct":           {`cluster: "x"`, []at{{1, 10, "mismatched types struct and string"}}},
		"equal priorities":            {`loadBalancer: nodes: {n: {address: "10.0.1.7", priority: 5}, m: {address: "10.0.1.8", priority: 5}}`, []at{{8, 58, "priority 5"}}},
		"nodes in local placement":    {`loadBalancer: {placement: "local", nodes: n: address: "10.0.1.7"}`, []at{{8, 43, `placement "local"`}}},
		"name":                        {`cluster: members: "Etcd_1": address: "10.0.1.7"`, []at{{8, 19, `the name is "Etcd_1"; need a DNS label`}}},
		"url port":                    {`cluster: members: "etcd-1": advertiseClientURLs: ["https://a:99999"]`, []at{{8, 51, "need a port between 1 and 65535"}}},
		"url address":                 {`cluster: members: "etcd-1": advertiseClientURLs: ["https://10.0.1.256", "https://[::::]:1", "https://a..b"]`, []at{{8, 93, "need a URL"}}},
		"url number":                  {`cluster: members: "etcd-1": advertiseClientURLs: ["https://10.0.1.256", "https://[::::]:1"]`, []at{{8, 51, "need an address"}, {8, 73, "names no place to dial"}}},
		"defaults alone":              {"defaults: {}", []at{{8, 1, `"defaults" stands without "clusters"`}}},
		"spec beside clusters":        {"clusters: {}", []at{{1, 1, `"cluster" stands beside "clusters"`}, {7, 1, `"loadBalancer" stands beside`}}},
		"reference":                   {"cluster: version: verison", []at{{8, 19, `reference "verison" not found`}}},
		"conflict":                    {`cluster: name: "eu"`, []at{{2, 8, "conflicting values"}}},
		"structural cycle":            {"a: b: a", []at{{8, 4, "structural cycle"}}},
		"reference cycle":             {"cluster: {version: cluster.scheme, scheme: cluster.version}", []at{{8, 36, "cluster.scheme"}, {8, 36, "cluster.version"}}},
		"empty disjunction":           {`cluster: version: ("3.5.1" | "3.5.2") & "3.6.1"`, []at{{8, 10, "none of the alternatives"}, {8, 20, "conflicting values"}, {8, 30, "conflicting values"}}},
	} {
		t.Run(name, func(t *testing.T) {
			text := holds + c.text + "\n"
			res, diags := loadText(t, "spec.cue", text)
			expect(t, text, res, diags, c.want)
		})
	}
}

// TestRefusedWhole are specs that are wrong as a whole.
func TestRefusedWhole(t *testing.T) {
	fleet := func(rest string) string {
		return "clusters: {\n\teu: {cluster: members: a: address: \"10.0.0.1\", loadBalancer: host: \"eu\"}\n" + rest + "}\n"
	}
	for name, c := range map[string]struct {
		file, text string
		want       []at
	}{
		"empty":             {"spec.cue", "", []at{{1, 1, `no "cluster"`}, {1, 1, `no "loadBalancer"`}}},
		"syntax":            {"spec.cue", "cluster: {\n\tname: \"a\"\n", []at{{2, 11, "expected '}'"}}},
		"import":            {"spec.cue", "import \"example.com/x\"\n" + holds + "a: x.y\n", []at{{1, 8, "imports are unavailable"}}},
		"host and vip":      {"spec.cue", strings.Replace(holds, `vip: "10.0.1.100"`, `port: 2379`, 1), []at{{7, 1, "neither host nor vip"}}},
		"no member":         {"spec.cue", "cluster: {name: \"a\", members: {}}\nloadBalancer: host: \"a\"\n", []at{{1, 22, "no voting member"}}},
		"learners only":     {"spec.cue", "cluster: {name: \"a\", members: m: {address: \"10.0.0.1\", learner: true}}\nloadBalancer: host: \"a\"\n", []at{{1, 22, "no voting member"}}},
		"all drained":       {"spec.cue", "cluster: {name: \"a\", members: m: {address: \"10.0.0.1\", drain: true}}\nloadBalancer: host: \"a\"\n", []at{{1, 22, "every voting member is drained"}}},
		"empty fleet":       {"spec.cue", "clusters: {}\n", []at{{1, 1, "clusters is empty"}}},
		"name in a fleet":   {"spec.cue", fleet("\tus: {cluster: {name: \"us\", members: a: address: \"10.0.0.2\"}, loadBalancer: host: \"us\"}\n"), []at{{3, 23, "cluster.name is stated in a fleet"}}},
		"name of a cluster": {"spec.cue", fleet("\tUS: {cluster: members: a: address: \"10.0.0.2\", loadBalancer: host: \"us\"}\n"), []at{{3, 2, `the name is "US"`}}},
		"colliding members": {"spec.cue", fleet("\tus: {cluster: members: a: address: \"10.0.0.1\", loadBalancer: host: \"us\"}\n"), []at{
			{3, 37, `10.0.0.1 port 2379`}, {3, 37, `10.0.0.1 port 2380`},
		}},
		"colliding listeners": {"spec.cue", fleet("\tus: {cluster: members: a: address: \"10.0.0.2\", loadBalancer: host: \"eu\"}\n"), []at{{3, 69, "eu port 2379"}}},
		"yaml syntax":         {"spec.yaml", "cluster:\n  name: [a\nloadBalancer: {}\n", []at{{2, 3, "did not find expected"}}},
		"yaml documents":      {"spec.yaml", "cluster:\n  name: a\n---\nb: 1\n", []at{{3, 1, "second YAML document"}}},
		"yaml version":        {"spec.yaml", "cluster:\n  name: a\n  version: 3.6\n  members: {m: {address: 10.0.0.1}}\nloadBalancer: {host: a}\n", []at{{3, 12, "is the number 3.6"}}},
		"json syntax":         {"spec.json", "{\"cluster\": }\n", []at{{1, 13, ""}}},
		"json unknown":        {"spec.json", "{\n  \"cluster\": {\"name\": \"é\", \"nam\": 1, \"members\": {}},\n  \"loadBalancer\": {}\n}\n", []at{{2, 23, "DNS label"}, {2, 29, `no field "nam"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			res, diags := loadText(t, c.file, c.text)
			expect(t, c.text, res, diags, c.want)
		})
	}
}

// hostile is what no name, path, host or address may hold: each would mean something in one of the output formats.
var hostile = []string{" ", "a b", "a\nb", "a\tb", `a"b`, "a'b", "a`b", "a${b}", "a$b", "a%{b}", "a;b", "a}b", "a{b", "a#b", "a\\b", "a|b", "a,b", "a\x00b", "a\u2028b", "fe80::1%eth0", "fe80::1%x; }"}

// TestInjection puts hostile text wherever a spec takes a string.
func TestInjection(t *testing.T) {
	for path, good := range map[string]string{
		`cluster: name: %s`:                                            "prod",
		`cluster: version: %s`:                                         "3.6.4",
		`cluster: scheme: %s`:                                          "https",
		`cluster: members: {%s: address: "10.9.9.9"}`:                  "m",
		`cluster: members: x: address: %s`:                             "10.9.9.9",
		`cluster: members: "etcd-1": address6: %s`:                     "fd00::9",
		`cluster: members: "etcd-1": hostname: %s`:                     "a.example.com",
		`cluster: members: "etcd-1": zone: %s`:                         "eu-west-1a",
		`cluster: members: "etcd-1": advertiseClientURLs: [%s]`:        "https://a.example.com:2379",
		`cluster: members: "etcd-1": initialAdvertisePeerURLs: [%s]`:   "https://[fd00::1]:2380",
		`cluster: tls: trustedCAFile: %s`:                              "/etc/ca.pem",
		`cluster: tls: altNames: [%s]`:                                 "etcd",
		`cluster: tls: altIPs: [%s]`:                                   "10.0.1.100",
		`loadBalancer: host: %s`:                                       "lb.example.com",
		`loadBalancer: vip6: %s`:                                       "fd00::100",
		`loadBalancer: aliases: [%s]`:                                  "etcd.svc",
		`loadBalancer: listen: [%s]`:                                   "10.0.1.100",
		`loadBalancer: balance: %s`:                                    "source",
		`loadBalancer: timeouts: idle: %s`:                             "1h30m",
		`loadBalancer: healthCheck: path: %s`:                          "/health?exclude=NOSPACE",
		`loadBalancer: nodes: {%s: address: "10.9.9.9"}`:               "lb-1",
		`loadBalancer: nodes: x: address: %s`:                          "10.9.9.9",
		`loadBalancer: nodes: x: {address: "10.9.9.9", interface: %s}`: "eth0.100",
		`clients: networks: [%s]`:                                      "10.0.0.0/8",
		`clients: keepalive: %s`:                                       "none",
		`clients: kubeApiServers: [%s]`:                                "10.0.2.10",
		`clients: certificate: {ca: %s, cert: "/a", key: "/b"}`:        "/etc/ca@1+x.pem",
		`monitoring: networks: [%s]`:                                   "fd00::/64",
		`targets: haproxy: log: %s`:                                    "/run/log",
		`targets: terraform: aws: addresses: {%s: "10.0.1.5"}`:         "eu-west-1a",
		`targets: terraform: aws: addresses: z: %s`:                    "10.0.1.5",
		`targets: prometheus: labels: {%s: "x"}`:                       "team",
		`targets: prometheus: select: haproxy: {%s: "x"}`:              "job",
	} {
		if _, diags := loadText(t, "spec.cue", holds+fmt.Sprintf(path, cueString(good))+"\n"); diags.Has(diag.Error) {
			t.Errorf("%s: refuses %q: %v", path, good, diags)
		}
		for _, bad := range append(hostile, good+" ", good+"\n", " "+good) {
			res, diags := loadText(t, "spec.cue", holds+fmt.Sprintf(path, cueString(bad))+"\n")
			if len(res.Clusters) > 0 || !diags.Has(diag.Error) {
				t.Errorf("%s: accepts %q", path, bad)
				continue
			}
			if d := diags[0]; d.Span.Line == 0 {
				t.Errorf("%s: no line for %q", path, bad)
			}
		}
	}
}

func cueString(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\x00", `\u0000`)
	return `"` + r.Replace(s) + `"`
}
