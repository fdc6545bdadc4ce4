package runbook

import (
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// alerts writes one section an alert. Its heading is the alert's name: the anchor that the alert links to.
func (b *book) alerts() {
	for _, a := range b.Alerts {
		b.heading(2, a.Name.V)
		b.say("Severity " + code(a.Severity.V) + ", after " + topology.Short(a.For.V) + ": " + prose(a.Summary) + ".")
		b.say(prose(a.Description))
		b.fenced("promql", []string{a.Expr.V})
		if write := actions[a.Name.V]; write != nil {
			write(b)
		}
	}
}

// prose puts a placeholder for readers where Prometheus puts a label.
func prose(template string) string { return placeholders.Replace(template) }

var placeholders = strings.NewReplacer("{{ $labels.", "`<", " }}", ">`")

// actions are what to do, by the alert's name.
var actions = map[string]func(*book){
	"EtcdLBNoBackend":         (*book).noBackend,
	"EtcdLBBelowQuorum":       (*book).belowQuorum,
	"EtcdLBServerDown":        (*book).serverDown,
	"EtcdLBServerFlapping":    (*book).serverFlapping,
	"EtcdLBMetricsMissing":    (*book).proxySilent,
	"EtcdLBExporterDown":      (*book).proxySilent,
	"EtcdLBMembersDrifted":    (*book).membersDrifted,
	"EtcdLBConnectionErrors":  (*book).connectionErrors,
	"EtcdLBFrontendSaturated": (*book).saturated,
	"EtcdLBProcessSaturated":  (*book).processSaturated,
	"EtcdLBImbalanced":        (*book).imbalanced,
	"EtcdLBUpWithoutLeader":   (*book).noLeader,
	"EtcdNoLeader":            (*book).noLeader,
	"EtcdInsufficientMembers": (*book).insufficientMembers,
	"EtcdMemberDown":          (*book).memberDown,
	"EtcdMetricsMissing":      (*book).membersSilent,
	"EtcdUnreachable":         (*book).noLeader,
	"EtcdLBProbeFailing":      (*book).balancerProbe,
	"EtcdMemberProbeFailing":  (*book).memberProbe,
	"EtcdProbeMissing":        (*book).probeMissing,
	"EtcdCertificateExpiring": (*book).certificateExpiring,
}

const bypassLink = "[bypass the load balancer](#emergency-bypassing-the-load-balancer)"

// ask is what tells most problems apart: do the members answer without the load balancer?
func (b *book) ask() {
	b.say("Do the members answer without the load balancer?")
	b.run(b.direct("endpoint health"))
}

func (b *book) noBackend() {
	b.ask()
	b.say("If they do, " + bypassLink + " first. Then ask for their health as the load balancer does, from its machine: a refused or " +
		"lost connection is a firewall, a status other than 200 the member's own judgement.")
	b.run(b.checksFromProxy()...)
	b.say("If they do not, this is about etcd, not about the load balancer:")
	b.etcdJournal()
}

func (b *book) belowQuorum() {
	b.ask()
	b.say("If a majority answers, only this load balancer machine is cut off: look at its network, and let another take over. " +
		"If not, bring members back, the easiest first; with a majority up etcd recovers by itself:")
	b.etcdJournal()
	b.say("Only when a majority is lost for good: restore a snapshot into a new cluster. Nothing else brings it back.")
}

func (b *book) serverDown() {
	b.say("Ask for its health from the load balancer's machine:")
	b.run(b.checksFromProxy()...)
	b.say("On the member:")
	b.etcdJournal()
	b.say("If the machine is lost, remove the member from etcd and the spec, and add a new one; never add before you remove. " +
		"If it is in maintenance, next time [drain it](#draining-a-member): this alert is silent then.")
}

func (b *book) serverFlapping() {
	b.say("On the member, slow disks and networks show in etcd's log:")
	b.run("journalctl -u etcd --since -1h --grep 'took too long|slow fdatasync|lost leader|heartbeat'")
	b.say("Until the cause is found, [drain the member](#draining-a-member).")
}

// proxySilent is for a proxy that Prometheus hears nothing of.
func (b *book) proxySilent() {
	b.say("Do clients get through?")
	b.run(b.healthOfBalancer())
	if p := b.proxy("haproxy"); p != nil {
		b.say("If not, " + bypassLink + ". On " + b.machines() + ":")
		b.run(b.haproxyAnswers(p))
		if !p.Container {
			b.run("systemctl status haproxy", "journalctl -u haproxy --since -1h")
		}
	}
	b.say("If all of that is well, it is the scrape: its targets and who may read them (monitoring.networks in the spec).")
}

func (b *book) membersDrifted() {
	p := b.proxy("haproxy")
	if p == nil || p.Container {
		b.say("Build again, check the file, and restart the container with it:")
		b.run("haproxy -c -f haproxy/haproxy.cfg")
		return
	}
	b.say("On " + b.machines() + ", which servers does HAProxy have?")
	b.run(b.haproxyServers(p))
	b.say("Compare with [the members](#members), build again, and roll the file out as under [load balancer](#rolling-out).")
}

func (b *book) connectionErrors() {
	if p := b.proxy("haproxy"); p != nil && !p.Container {
		b.say("On HAProxy's machine: errors, retries and redispatches, by member:")
		b.run("echo 'show stat' " + socket + " | grep '^" + p.Pools[0].Name.V + ",' | cut -d, -f2,14,16,17")
	}
	b.say("On the member: the second column is the queue of connections that etcd has not accepted, the third its limit:")
	b.run("ss -Hltn 'sport = :" + b.clientPort() + "'")
	b.say("A bad network shows as retransmissions, in each connection now and in all:")
	b.run("ss -Htin 'sport = :" + b.clientPort() + "' | grep -o 'retrans:[0-9/]*' | sort | uniq -c")
}

func (b *book) saturated() {
	b.say("On HAProxy's machine, who holds the connections?")
	b.run("ss -Htn state established 'sport = :" + b.balancerPort() + "' " + peersOf)
	b.say("A client that opens ever more is broken: restart it. Otherwise raise " + code("loadBalancer: maxConnections") +
		" in the spec, build and roll out.")
}

func (b *book) processSaturated() {
	p := b.proxy("haproxy")
	if p != nil && !p.Container {
		b.run("echo 'show info' " + socket + " | grep -E '^(CurrConns|Maxconn|Ulimit-n|Process_num|Uptime):'")
	}
	b.say("Connections that are not etcd's belong to other listeners of the process. Old processes of earlier reloads hold connections of their own:")
	b.run("pgrep -a haproxy")
}

func (b *book) imbalanced() {
	if p := b.proxy("haproxy"); p != nil && !p.Container {
		b.run(b.haproxyServers(p))
	}
	b.say("Connections stay where they are until they end. [Drain](#draining-a-member) the busiest member and cut its connections: " +
		"clients come back at the others. Then let it in again.")
}

func (b *book) noLeader() {
	b.ask()
	b.say("Who sees whom? The members' status names the leader, and whom they cannot reach stands in their logs:")
	b.run(b.direct("endpoint status -w table"))
	b.etcdJournal()
	b.say("Members reach each other on port " + b.peerPort() + ", directly. The load balancer cannot help, and taking it away does not either.")
}

func (b *book) insufficientMembers() {
	b.ask()
	b.say("If they do, Prometheus is cut off from them: a firewall, or the port of the scrape. If not, bring members back, the easiest first:")
	b.etcdJournal()
}

func (b *book) memberDown() {
	b.ask()
	b.say("If this one does, its metrics are closed to Prometheus: a firewall, or the port of the scrape. If not, on the member:")
	b.etcdJournal()
}

func (b *book) membersSilent() {
	if checks := b.healthChecks(); len(checks) > 0 {
		b.say("From Prometheus' machine:")
		b.run(checks...)
	}
	b.ask()
	b.say("If that is well, it is the scrape: its job, its targets, and who may read them (monitoring.networks in the spec).")
}

// peersOf counts, in what ss prints, the connections of each other end.
const peersOf = "| awk '{print $NF}' | sed 's/:[0-9]*$//' | sort | uniq -c | sort -rn | head -50"

// checksFromProxy ask as the proxy's check does: for health where there is a port for it, else for a connection.
func (b *book) checksFromProxy() []string {
	if checks := b.healthChecks(); len(checks) > 0 {
		return checks
	}
	var out []string
	for _, m := range b.Etcd.Members {
		if !m.Learner.V {
			out = append(out, "nc -zvw 3 "+m.Host()+" "+b.clientPort())
		}
	}
	return out
}

func (b *book) etcdJournal() {
	b.run("systemctl status etcd", "journalctl -u etcd --since -15min")
}

func (b *book) clientPort() string   { return number(b.Etcd.ClientPort) }
func (b *book) peerPort() string     { return number(b.Etcd.PeerPort) }
func (b *book) balancerPort() string { return number(b.BalancerPort) }

func number(v topology.Value[int]) string { return strconv.Itoa(v.V) }
