//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.yaml.in/yaml/v3"
)

// Prometheus runs on a machine with the rules and the scrape configuration that were built.
type Prometheus struct {
	*Host
	Alerts []string // the names of all alerts in the rules
}

var (
	waits  = regexp.MustCompile(`(?m)^( +for: ).*$`)
	alerts = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)
)

// Prometheus starts one. It scrapes and judges each second, and of the rules each `for` is changed, to two seconds:
// what is proved is that alerts fire, not that Prometheus can wait.
func (r *Rig) Prometheus(h *Host, b *Built) *Prometheus {
	r.Helper()
	rules, err := os.ReadFile(b.Path("prometheus/rules/etcd-lb-rig.yml"))
	if err != nil {
		r.Fatal(err)
	}
	scrape, err := os.ReadFile(b.Path("prometheus/scrape/etcd-lb-rig.yml"))
	if err != nil {
		r.Fatal(err)
	}
	// Debian's Prometheus is too old for scrape_config_files, so its one key comes into the main file.
	var config map[string]any
	if err := yaml.Unmarshal(scrape, &config); err != nil {
		r.Fatal(err)
	}
	config["global"] = map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
	config["rule_files"] = []string{"rules.yml"}
	for _, job := range config["scrape_configs"].([]any) {
		if job := job.(map[string]any); job["metrics_path"] == "/probe" { // a probe takes several handshakes
			job["scrape_interval"], job["scrape_timeout"] = "2s", "2s"
		}
	}
	main, err := yaml.Marshal(config)
	if err != nil {
		r.Fatal(err)
	}
	for name, data := range map[string][]byte{"rules.yml": waits.ReplaceAll(rules, []byte("${1}2s")), "prometheus.yml": main} {
		if err := os.WriteFile(filepath.Join(h.dir, name), data, 0o644); err != nil {
			r.Fatal(err)
		}
	}
	p := &Prometheus{Host: h}
	for _, m := range alerts.FindAllSubmatch(rules, -1) {
		p.Alerts = append(p.Alerts, string(m[1]))
	}
	h.Start(nil, need(r, "prometheus"), "--config.file="+filepath.Join(h.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(h.dir, "tsdb"), "--web.listen-address=127.0.0.1:9090")
	r.eventually(30*time.Second, "Prometheus is ready", func() error {
		_, err := h.get("http://127.0.0.1:9090/-/ready")
		return err
	})
	return p
}

// Blackbox starts an exporter with the module that was built.
func (r *Rig) Blackbox(h *Host, b *Built) *Process {
	r.Helper()
	p := h.Start(nil, need(r, "prometheus-blackbox-exporter"), "--config.file="+b.Path("prometheus/blackbox/etcd-lb-rig.yml"),
		"--web.listen-address=127.0.0.1:9115")
	r.eventually(30*time.Second, "the blackbox exporter is ready", func() error {
		_, err := h.get("http://127.0.0.1:9115/-/healthy")
		return err
	})
	return p
}

// Firing are the names of the alerts that fire.
func (p *Prometheus) Firing() []string {
	p.rig.Helper()
	body, err := p.get("http://127.0.0.1:9090/api/v1/alerts")
	if err != nil {
		p.rig.Fatal(err)
	}
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		p.rig.Fatal(err)
	}
	var names []string
	for _, a := range answer.Data.Alerts {
		if name := a.Labels["alertname"]; a.State == "firing" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// incident is a fault and the alerts that it sets off, among others perhaps.
type incident struct {
	name   string
	alerts []string
	make   func(*watched) (end func())
}

// watched is a town with Prometheus and an exporter that asks etcd as clients do.
type watched struct {
	*town
	*Prometheus
	blackbox *Process
}

// incidents are in an order that matters: the counters that the first two read remember the later ones for minutes.
var incidents = []incident{
	{"a check that fails again and again", []string{"EtcdLBServerFlapping"}, flap},
	{"a port that refuses clients and passes checks", []string{"EtcdLBConnectionErrors"}, refuse},
	{"a killed member", []string{"EtcdLBServerDown", "EtcdMemberDown", "EtcdMemberProbeFailing"}, func(w *watched) func() {
		_, end := w.kill(w.Members[0])
		return end
	}},
	{"a member cut off from its peers", []string{"EtcdNoLeader"}, func(w *watched) func() {
		_, end := isolate(w.Cluster, nil)
		return end
	}},
	{"two members killed", []string{"EtcdLBBelowQuorum", "EtcdInsufficientMembers"}, func(w *watched) func() { return w.killAll(2) }},
	{"all members killed", []string{"EtcdLBNoBackend", "EtcdMetricsMissing", "EtcdUnreachable"}, func(w *watched) func() { return w.killAll(3) }},
	{"no quorum behind a check that only connects", []string{"EtcdLBUpWithoutLeader"}, blind},
	{"a proxy that is gone", []string{"EtcdLBMetricsMissing", "EtcdLBExporterDown", "EtcdLBProbeFailing"}, func(w *watched) func() {
		w.haproxy.Kill()
		return w.restartProxy
	}},
	{"an exporter that is gone", []string{"EtcdProbeMissing"}, func(w *watched) func() {
		w.blackbox.Kill()
		return w.blackbox.Restart
	}},
	{"a certificate that ends in a week", []string{"EtcdCertificateExpiring"}, func(w *watched) func() {
		w.PKI.IssueFor("etcd-1", time.Now().Add(-time.Hour), 7*24*time.Hour, memberNames(0)...)
		return func() { w.PKI.Issue("etcd-1", memberNames(0)...) }
	}},
	{"a server that was taken out by hand", []string{"EtcdLBMembersDrifted"}, func(w *watched) func() {
		return w.reconfigure(w.built, regexp.MustCompile(`(?m)^ +server etcd-3 .*\n`))
	}},
	{"members that came back empty", []string{"EtcdLBImbalanced"}, imbalance},
	{"more clients than the listener admits", []string{"EtcdLBFrontendSaturated"}, func(w *watched) func() { return w.connect(55) }},
	{"a process full of scrapers", []string{"EtcdLBProcessSaturated"}, scrapers},
}

// Every alert fires when its fault is made, and none on a healthy cluster. An alert that is new needs an incident here.
func TestAlerts(t *testing.T) {
	town := newTown(t, Spec{Clients: 60, More: []string{"targets: prometheus: probe: {}"}})
	w := &watched{town, town.Prometheus(town.monitor, town.built), town.Blackbox(town.monitor, town.built)}
	for _, name := range w.Alerts {
		if !slices.ContainsFunc(incidents, func(i incident) bool { return slices.Contains(i.alerts, name) }) {
			t.Errorf("no incident sets off %s", name)
		}
	}
	end := w.connect(6)
	time.Sleep(12 * time.Second)
	if firing := w.Firing(); len(firing) > 0 {
		t.Errorf("on a healthy cluster: %v", firing)
	}
	end()
	for _, i := range incidents {
		for _, name := range i.alerts {
			if slices.Contains(w.Firing(), name) {
				t.Errorf("%s: %s fires before", i.name, name)
			}
		}
		start := time.Now()
		end := i.make(w)
		w.eventually(30*time.Second, i.name, func() error {
			firing := w.Firing()
			for _, name := range i.alerts {
				if !slices.Contains(firing, name) {
					return fmt.Errorf("%s does not fire, but %v", name, firing)
				}
			}
			return nil
		})
		t.Logf("%s: %v within %v", i.name, i.alerts, time.Since(start).Round(time.Second))
		end()
		w.calm(i.alerts)
	}
}

// calm waits until what an incident set off is over, where it is not remembered.
func (w *watched) calm(alerts []string) {
	w.Helper()
	w.eventually(60*time.Second, "the end of an incident", func() error {
		for _, name := range w.Firing() {
			if name != "EtcdLBServerFlapping" && name != "EtcdLBConnectionErrors" {
				return fmt.Errorf("%s still fires after %v", name, alerts)
			}
		}
		return nil
	})
}

// flap lets a member's check fail three times.
func flap(w *watched) func() {
	for range 3 {
		end := w.Members[0].drop("ip saddr "+w.haproxy.Addr()+" tcp dport 2381", "ip daddr "+w.haproxy.Addr()+" tcp sport 2381")
		w.state("etcd-1", "DOWN")
		end()
		w.state("etcd-1", "UP")
	}
	return func() {}
}

// state waits until HAProxy thinks so of a member.
func (w *watched) state(server, state string) {
	w.Helper()
	w.eventually(20*time.Second, server+" is "+state, func() error { return w.haproxy.thinks(w.monitor, server, state) })
}

// refuse lets the kernel of a member refuse the load balancer's connections, as with a full accept queue.
func refuse(w *watched) func() {
	end := w.Members[1].filter("input", "tcp dport 2379 ip saddr "+w.haproxy.Addr()+" reject with tcp reset")
	for range 120 { // a third of them meets it
		w.connect(1)()
	}
	return end
}

func (w *watched) killAll(n int) func() {
	for _, m := range w.Members[:n] {
		m.Kill()
	}
	return func() {
		for _, m := range w.Members[:n] {
			m.Restart()
		}
		for _, m := range w.Members {
			w.ready(m)
		}
	}
}

func (w *watched) restartProxy() {
	w.haproxy.Restart()
	w.haproxy.listens()
}

// reconfigure runs HAProxy with another configuration, without what fits an expression.
func (w *watched) reconfigure(b *Built, without *regexp.Regexp) func() {
	w.Helper()
	own := w.haproxy.args
	data, err := os.ReadFile(b.Path("haproxy/haproxy.cfg"))
	if err != nil {
		w.Fatal(err)
	}
	path := filepath.Join(w.haproxy.dir, "other.cfg")
	if err := os.WriteFile(path, without.ReplaceAll(data, nil), 0o644); err != nil {
		w.Fatal(err)
	}
	w.haproxy.Kill()
	w.haproxy.args = append(slices.Clone(own[:len(own)-1]), path)
	w.restartProxy()
	return func() {
		w.haproxy.Kill()
		w.haproxy.args = own
		w.restartProxy()
	}
}

// blind puts a check that only connects before members without a quorum.
func blind(w *watched) func() {
	spec := Spec{Version: w.Etcd.Version, Members: 3, Nodes: 1, More: []string{`loadBalancer: healthCheck: via: "tcp"`}}
	back := w.reconfigure(w.Build(spec), regexp.MustCompile(`^$`))
	revive := w.killAll(2)
	return func() {
		revive()
		back()
	}
}

// connect opens connections through the load balancer, each of a client of its own.
func (w *watched) connect(n int) func() {
	w.Helper()
	var open []*clientv3.Client
	for range n {
		cli := w.Client(w.client, vip)
		open = append(open, cli)
		works(w.TB.(*testing.T), w.Cluster, "a connection", get(cli))
	}
	return func() {
		for _, cli := range open {
			cli.Close()
		}
	}
}

// imbalance makes all clients go to one member: the others are cut off while they come.
func imbalance(w *watched) func() {
	var heal []func()
	for _, m := range w.Members[1:] {
		heal = append(heal, m.drop("ip saddr "+w.haproxy.Addr(), "ip daddr "+w.haproxy.Addr()))
		w.state(m.Name, "DOWN")
	}
	end := w.connect(40)
	for _, h := range heal {
		h()
	}
	return end
}

// scrapers hold connections to the metrics port. HAProxy cuts each that says nothing for five seconds, so they come
// anew, one after the other.
func scrapers(w *watched) func() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range 530 { // of 60 + 512
		running.Go(func() {
			for ctx.Err() == nil {
				conn, err := w.monitor.Dial(ctx, "tcp", net.JoinHostPort(w.haproxy.Addr(), "8405"))
				select {
				case <-ctx.Done():
				case <-time.After(4 * time.Second):
				}
				if err == nil {
					conn.Close()
				}
			}
		})
		time.Sleep(4 * time.Millisecond)
	}
	return func() {
		stop()
		running.Wait()
	}
}
