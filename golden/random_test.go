package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/schema"
)

// object is a struct of a spec.
type object = map[string]any

// Names that an output format could take for something else.
var oddNames = []string{
	"1", "0x1", "for", "server", "default", "global", "backend", "listen", "true", "null", "each", "self", "none",
	"etcd-1", "etcd-2", "a-b-c", "9z", "upstream", "down", "count", "on", "y", "1e3", "key", "module", "var",
}

// randomSpec draws a spec that holds.
func randomSpec(t *rapid.T) object {
	d := drawer{t: t}
	d.families = rapid.SampledFrom([]string{"4", "4", "4", "6", "dual", "mixed"}).Draw(t, "families")
	d.https = rapid.Bool().Draw(t, "https")
	d.local = d.chance("local", 6)
	d.metrics = d.chance("metrics", 2)
	d.peer = rapid.SampledFrom([]int{2380, 12380}).Draw(t, "peer")
	targets := d.targets()
	spec := object{"cluster": d.cluster(), "loadBalancer": d.loadBalancer(targets), "clients": d.clients()}
	if d.chance("monitoring", 2) {
		spec["monitoring"] = object{"networks": d.networks("monitoring", "10.8")}
	}
	if targets != nil {
		if clients := spec["clients"].(object); (!d.https || clients["certificate"] != nil) && !d.chance("without kubernetes", 3) {
			targets["kubernetes"] = object{"overrides": []any{"/events", "apps/deployments"}[:rapid.IntRange(0, 2).Draw(t, "overrides")]}
		}
		spec["targets"] = targets
		d.passthrough(spec)
		d.azure(spec)
		d.byHand(targets)
		d.failover(spec)
	}
	return spec
}

type drawer struct {
	t            *rapid.T
	families     string
	https, local bool
	metrics      bool
	peer         int
}

// chance is true once in n.
func (d *drawer) chance(label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(d.t, label) == 0
}

func (d *drawer) name(label string) string {
	if d.chance(label+" odd", 3) {
		return rapid.SampledFrom(oddNames).Draw(d.t, label)
	}
	return rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?`).Draw(d.t, label)
}

func (d *drawer) path(label string) string {
	return "/etc/etcd/ssl/" + rapid.StringMatching(`[A-Za-z0-9_@+.-]{1,12}`).Draw(d.t, label) + ".pem"
}

// address is the i-th of a block, in the family that the spec uses there.
func (d *drawer) address(block, i int) string {
	v4, v6 := fmt.Sprintf("10.%d.0.%d", block, i+10), fmt.Sprintf("fd00:%d::%x", block, i+16)
	switch {
	case d.families == "6", d.families == "mixed" && i%2 == 1:
		return v6
	}
	return v4
}

func (d *drawer) second(o object, field string, block, i int) {
	if d.families == "dual" {
		o[field] = fmt.Sprintf("fd00:%d::%x", block, i+16)
	}
}

func (d *drawer) cluster() object {
	t := d.t
	members := object{}
	n := rapid.IntRange(1, 9).Draw(t, "members")
	for i := range n {
		m := object{"address": d.address(1, i)}
		d.second(m, "address6", 1, i)
		if d.chance("hostname", 3) {
			m["hostname"] = fmt.Sprintf("m%d.Example.com", i)
		}
		if d.chance("zone", 3) {
			m["zone"] = fmt.Sprintf("zone-%d", i%3)
		}
		if i > 0 && d.chance("learner", 6) {
			m["learner"] = true
		}
		if i > 0 && d.chance("drain", 6) {
			m["drain"] = true
		}
		name := d.name("member")
		for members[name] != nil {
			name = fmt.Sprintf("%s%d", name, i)
		}
		members[name] = m
	}
	c := object{
		"name":    rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,21}[a-z0-9])?`).Draw(t, "cluster"),
		"members": members,
		"ports":   object{"client": rapid.SampledFrom([]int{2379, 12379}).Draw(t, "client"), "peer": d.peer},
		"scheme":  map[bool]string{true: "https", false: "http"}[d.https],
	}
	if v := rapid.SampledFrom([]string{"", "3.4.23", "3.4.29", "3.5", "3.5.10", "3.5.11", "3.6.4", "3.10.1"}).Draw(t, "version"); v != "" {
		c["version"] = v
	}
	if d.metrics {
		c["metrics"] = object{"port": 2381, "scheme": rapid.SampledFrom([]string{"http", "http", "https"}).Draw(t, "metrics scheme")}
	}
	if d.chance("clientHTTP", 4) {
		c["ports"].(object)["clientHTTP"] = 2382
	}
	if d.https && d.chance("tls", 2) {
		c["tls"] = object{"clientCertAuth": rapid.Bool().Draw(t, "client cert auth"), "trustedCAFile": d.path("trusted CA")}
	}
	return c
}

func (d *drawer) loadBalancer(targets object) object {
	t := d.t
	cert := d.path("check cert")
	lb := object{
		"port":           rapid.SampledFrom([]int{2379, 443, 32379}).Draw(t, "port"),
		"balance":        rapid.SampledFrom([]string{"leastconn", "roundrobin", "source"}).Draw(t, "balance"),
		"maxConnections": rapid.IntRange(1, 100000).Draw(t, "max connections"),
		"healthCheck": object{
			// Before HAProxy 3.0 a key of its own is found only beside its certificate.
			"certificate": object{"ca": d.path("check CA"), "cert": cert, "key": cert + ".key"},
			"interval":    rapid.SampledFrom([]string{"250ms", "2s", "7s", "1m"}).Draw(t, "interval"),
			"timeout":     rapid.SampledFrom([]string{"500ms", "1s", "3s"}).Draw(t, "timeout"),
			"fall":        rapid.IntRange(1, 12).Draw(t, "fall"),
			"rise":        rapid.IntRange(1, 12).Draw(t, "rise"),
		},
		"timeouts": object{
			"connect":       rapid.SampledFrom([]string{"300ms", "1s", "4s"}).Draw(t, "connect"),
			"idle":          rapid.SampledFrom([]string{"61s", "90s", "10m", "1h", "2h30m", "576h"}).Draw(t, "idle"),
			"hardStopAfter": rapid.SampledFrom([]string{"90s", "30m", "24h"}).Draw(t, "hard stop"),
		},
	}
	via := []string{"tcp", "client"}
	if d.metrics {
		via = append(via, "metrics", "metrics")
	}
	if d.chance("via", 2) {
		lb["healthCheck"].(object)["via"] = rapid.SampledFrom(via).Draw(t, "via kind")
	}
	_, moving := targets["keepalived"]
	if !moving && d.chance("host", 2) {
		lb["host"] = "etcd-lb.internal.example.com"
	} else {
		lb["vip"] = d.address(2, 0)
		d.second(lb, "vip6", 2, 0)
	}
	if d.chance("aliases", 3) {
		lb["aliases"] = []any{"etcd.kube-system.svc", "10.2.0.200", "etcd"}
	}
	if d.https && d.chance("termination", 6) {
		d.terminate(lb)
	}
	if d.local {
		lb["placement"] = "local"
		return lb
	}
	_, firewall := targets["iptables"]
	_, nft := targets["nftables"]
	firewall = firewall || nft
	if firewall || moving || d.chance("nodes", 2) {
		nodes := object{}
		least := 1
		if moving {
			least = 2
		}
		for i := range rapid.IntRange(least, 3).Draw(t, "node count") {
			n := object{"address": d.address(3, i), "interface": "eth0"}
			if d.chance("priority", 2) {
				n["priority"] = 99 + i
			}
			d.second(n, "address6", 3, i)
			nodes[fmt.Sprintf("lb-%d", i)] = n
		}
		lb["nodes"] = nodes
		if d.chance("listen", 4) {
			lb["listen"] = []any{d.address(3, 0)}
		}
	}
	return lb
}

// terminate has the load balancer end TLS. Checks then present what it presents to members.
func (d *drawer) terminate(lb object) {
	shown, own := d.path("listener certificate"), d.path("backend certificate")
	lb["mode"] = "termination"
	lb["termination"] = object{
		"certificate": object{"cert": shown, "key": shown + ".key"}, "clientCA": d.path("client CA"),
		"backendCertificate": object{"cert": own, "key": own + ".key"},
	}
	delete(lb["healthCheck"].(object), "certificate")
}

func (d *drawer) networks(label, prefix string) []any {
	out := []any{}
	for i := range rapid.IntRange(1, 3).Draw(d.t, label) {
		out = append(out, fmt.Sprintf("%s.%d.0/24", prefix, i))
	}
	if d.families != "4" {
		out = append(out, "fd00:99::/64")
	}
	return out
}

func (d *drawer) clients() object {
	c := object{"networks": d.networks("networks", "10.20")}
	if d.chance("direct", 2) {
		c["direct"] = d.networks("direct", "10.21")
	}
	if d.chance("kube", 3) {
		c["kubeApiServers"] = []any{"10.22.0.5"}
	}
	if d.chance("keepalive", 2) {
		c["keepalive"] = rapid.SampledFrom([]string{"10s", "30s", "none"}).Draw(d.t, "keepalive")
	}
	if d.https && d.chance("client certificate", 2) {
		c["certificate"] = object{"ca": d.path("ca"), "cert": d.path("cert"), "key": d.path("key")}
	}
	return c
}

func (d *drawer) targets() object {
	t := d.t
	if d.chance("implied targets", 6) {
		return nil
	}
	output := func(l string) string { return rapid.SampledFrom([]string{"file", "fragment"}).Draw(t, l) }
	targets := object{"runbook": object{}}
	add := func(name string, options object) {
		if !d.chance("without "+name, 4) {
			targets[name] = options
		}
	}
	add("haproxy", object{
		"output": output("haproxy output"), "statsPage": rapid.Bool().Draw(t, "stats"), "container": rapid.Bool().Draw(t, "container"),
	})
	add("nginx", object{"edition": rapid.SampledFrom([]string{"oss", "plus"}).Draw(t, "edition"), "output": output("nginx output")})
	add("terraform", object{"aws": object{
		"provider":   rapid.SampledFrom([]int{5, 6}).Draw(t, "provider"),
		"targetType": rapid.SampledFrom([]string{"ip", "instance"}).Draw(t, "target type"),
		"crossZone":  rapid.Bool().Draw(t, "cross zone"),
		"addresses":  object{"zone-0": "10.30.0.5", "zone-1": "10.30.1.5"},
	}})
	add("iptables", object{"mode": rapid.SampledFrom([]string{"enforce", "observe"}).Draw(t, "mode")})
	add("nftables", object{"mode": rapid.SampledFrom([]string{"enforce", "observe"}).Draw(t, "nft mode")})
	_, haproxy := targets["haproxy"]
	if _, nginx := targets["nginx"]; (haproxy || nginx) && !d.local && d.families != "mixed" && d.chance("keepalived", 2) {
		keepalived := object{"virtualRouterID": rapid.IntRange(1, 255).Draw(t, "router id")}
		if haproxy && nginx && d.chance("asks nginx", 2) {
			keepalived["proxy"] = "nginx"
		}
		targets["keepalived"] = keepalived
	}
	add("prometheus", object{
		"labels": object{"team": rapid.StringMatching(`[ -~]{0,12}`).Draw(t, "label")},
		"probe":  object{"port": rapid.IntRange(1, 65535).Draw(t, "exporter port")},
	})
	add("grafana", object{})
	add("endpoints", object{})
	add("certificates", object{})
	add("ansible", object{})
	add("etcd", object{})
	return targets
}

// passthrough adds GCP's load balancer now and then. It keeps the port, so mostly both are the same.
func (d *drawer) passthrough(spec object) {
	clouds, ok := spec["targets"].(object)["terraform"].(object)
	if !ok || !d.chance("gcp", 3) {
		return
	}
	clouds["gcp"] = object{"provider": rapid.SampledFrom([]int{6, 7}).Draw(d.t, "google"), "globalAccess": rapid.Bool().Draw(d.t, "global access")}
	if d.chance("gcp alone", 2) {
		delete(clouds, "aws")
	}
	lb, ports := spec["loadBalancer"].(object), spec["cluster"].(object)["ports"].(object)
	if !d.chance("ports as drawn", 8) {
		lb["port"] = ports["client"]
	}
}

// azure adds Azure's load balancer now and then. It sends clients to IPv4 addresses alone, so mostly members have some.
func (d *drawer) azure(spec object) {
	clouds, ok := spec["targets"].(object)["terraform"].(object)
	if !ok || !d.chance("azure", 3) || (d.families == "6" || d.families == "mixed") && !d.chance("families as drawn", 8) {
		return
	}
	clouds["azure"] = object{"provider": rapid.SampledFrom([]int{4, 5}).Draw(d.t, "azurerm")}
	if d.chance("azure alone", 2) {
		delete(clouds, "aws")
		delete(clouds, "gcp")
	}
}

// byHand adds the scripts of the clouds now and then, beside the modules or instead of them.
func (d *drawer) byHand(targets object) {
	clouds, ok := targets["terraform"].(object)
	if !ok || !d.chance("scripts", 2) {
		return
	}
	scripts := object{}
	for _, cloud := range []string{"aws", "gcp"} {
		if options, ok := clouds[cloud].(object); ok {
			scripts[cloud] = maps.Clone(options)
			delete(scripts[cloud].(object), "provider")
		}
	}
	if len(scripts) == 0 {
		return
	}
	targets["cloudcli"] = scripts
	if clouds["azure"] == nil && d.chance("scripts alone", 2) {
		delete(targets, "terraform")
	}
}

// failover adds a name for several load balancers now and then.
func (d *drawer) failover(spec object) {
	clouds, ok := spec["targets"].(object)["terraform"].(object)
	if _, named := spec["loadBalancer"].(object)["host"]; !ok || !named || !d.chance("failover", 2) {
		return
	}
	endpoints := object{}
	for i := range rapid.IntRange(2, 4).Draw(d.t, "endpoints") {
		block := rapid.SampledFrom([]string{"10.33.0.%d", "10.33.0.%d", "198.51.100.%d"}).Draw(d.t, "endpoint block")
		endpoints[fmt.Sprintf("%s%d", d.name("endpoint"), i)] = object{
			"address": fmt.Sprintf(block, i+1), "priority": rapid.IntRange(1, 3).Draw(d.t, "endpoint priority"),
		}
	}
	clouds["dnsFailover"] = object{
		"provider": rapid.SampledFrom([]string{"route53", "clouddns"}).Draw(d.t, "dns"), "zone": "Z1", "endpoints": endpoints,
	}
}

// load writes a spec as JSON and loads it.
func load(dir string, spec object) (*schema.Cluster, error) {
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "spec.json")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return nil, err
	}
	res, diags, err := schema.Load(schema.Input{Paths: []string{path}})
	if err != nil {
		return nil, err
	}
	if len(res.Clusters) != 1 {
		return nil, fmt.Errorf("spec\n%s\nis refused: %v", data, diags)
	}
	return res.Clusters[0], nil
}
