package prometheus

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// testCase shows an alert firing once, and silent where a careless expression would fire.
type testCase struct {
	fires, silent []sample
	why           string // what keeps the silent one silent
	// by are the labels that the expression keeps of the first firing series; nil: all.
	by []string
	// absent says that the expression fires on nothing, with the labels it selects by.
	absent bool
}

// sample is a time series of a case, with a value a minute. What the alert's expression selects by is added to its
// labels, and series that the expression does not read are left out.
type sample struct {
	metric string
	values string // in promtool's notation
	labels []label
}

// always is the notation of a value that stays.
func always(v int) string { return strconv.Itoa(v) + "x" + strconv.Itoa(minutes) }

// rising is that of a counter.
func rising(perMinute int) string { return "0+" + always(perMinute) }

// series is a sample with the labels that tell it from others of the case.
func series(metric, values string, labels ...label) sample { return sample{metric, values, labels} }

// stage is what the cases are played with.
type stage struct {
	servers []string // of the pool
	usable  []string // those that get connections
	voters  []string // instances of etcd's voting members
	others  []string // instances of learners, where the scrape names them
}

func newStage(t *topology.Topology) stage {
	var s stage
	if p := balancer(t); p != nil {
		for _, v := range p.Pools[0].Servers {
			s.servers = append(s.servers, v.Name.V)
			if !v.Drain.V {
				s.usable = append(s.usable, v.Name.V)
			}
		}
	}
	instances := memberInstances(t)
	for i, m := range t.Etcd.Members {
		switch {
		case !m.Learner.V && instances == nil:
			s.voters = append(s.voters, m.Name.V)
		case !m.Learner.V:
			s.voters = append(s.voters, instances[i].V)
		case instances != nil:
			s.others = append(s.others, instances[i].V)
		}
	}
	return s
}

// memberInstances are the members' scrape targets in their order, or nil where not each has one.
func memberInstances(t *topology.Topology) []topology.Value[string] {
	for _, s := range memberScrapes(t) {
		if len(s.Targets) == len(t.Etcd.Members) {
			return s.Targets
		}
	}
	return nil
}

func quorum(n int) int { return n/2 + 1 }

// byProxy are the labels of an aggregation over one scraped process.
var byProxy = []string{"job", "instance"}

// cases has one for each alert that there is.
var cases = map[string]func(stage) testCase{
	"EtcdLBNoBackend":         noBackend,
	"EtcdLBBelowQuorum":       belowQuorum,
	"EtcdLBServerDown":        serverDown,
	"EtcdLBServerFlapping":    flapping,
	"EtcdLBMetricsMissing":    proxyMissing,
	"EtcdLBExporterDown":      exporterDown,
	"EtcdLBMembersDrifted":    drifted,
	"EtcdLBConnectionErrors":  connectionErrors,
	"EtcdLBFrontendSaturated": frontendSaturated,
	"EtcdLBProcessSaturated":  processSaturated,
	"EtcdLBImbalanced":        imbalanced,
	"EtcdLBUpWithoutLeader":   upWithoutLeader,
	"EtcdNoLeader":            noLeader,
	"EtcdInsufficientMembers": insufficient,
	"EtcdMemberDown":          memberDown,
	"EtcdMetricsMissing":      etcdMissing,
	"EtcdUnreachable":         unreachable,
	"EtcdLBProbeFailing":      balancerProbe,
	"EtcdMemberProbeFailing":  memberProbe,
	"EtcdProbeMissing":        probeMissing,
	"EtcdCertificateExpiring": certificateExpiring,
}

func noBackend(stage) testCase {
	return testCase{
		fires:  []sample{series("haproxy_backend_active_servers", always(0))},
		silent: []sample{series("haproxy_backend_active_servers", always(1))},
		why:    "one server is left",
	}
}

func belowQuorum(s stage) testCase {
	n := quorum(len(s.usable))
	return testCase{
		fires:  []sample{series("haproxy_backend_active_servers", always(n-1))},
		silent: []sample{series("haproxy_backend_active_servers", always(n))},
		why:    "a quorum is left",
	}
}

func serverDown(s stage) testCase {
	server := s.servers[0]
	state := func(name string, v int) sample {
		return series("haproxy_server_status", always(v), label{"server", server}, label{"state", name})
	}
	return testCase{
		fires:  []sample{state("DOWN", 1), state("UP", 0), state("DRAIN", 0)},
		silent: []sample{state("DOWN", 0), state("UP", 0), state("DRAIN", 1)},
		why:    "the server is drained, so not up but not down either",
	}
}

func flapping(s stage) testCase {
	const metric = "haproxy_server_check_up_down_total"
	twice := fmt.Sprintf("0x%d 1x3 2x%d", minutes-8, minutes)
	return testCase{
		fires:  []sample{series(metric, rising(1), label{"server", s.servers[0]})},
		silent: []sample{series(metric, twice, label{"server", s.servers[0]})},
		why:    "one restart is two changes",
	}
}

func proxyMissing(stage) testCase {
	return testCase{
		absent: true,
		silent: []sample{series("haproxy_backend_active_servers", always(0))},
		why:    "the pool is reported, if only as empty",
	}
}

func exporterDown(stage) testCase {
	pool := series("haproxy_backend_active_servers", fmt.Sprintf("3x%d stale", minutes/2))
	return testCase{
		fires:  []sample{series("up", always(0)), pool},
		silent: []sample{series("up", always(1)), pool},
		why:    "the exporter answers again",
	}
}

// drifted has a server too many; of the right ones each counts, whether up or not.
func drifted(s stage) testCase {
	pool := func(servers []string) []sample {
		var out []sample
		for i, server := range servers {
			out = append(out, series("haproxy_server_status", always(min(i, 1)), label{"server", server}))
		}
		return out
	}
	return testCase{
		fires:  pool(append(slices.Clone(s.servers), "stranger")),
		silent: pool(s.servers),
		why:    "a server that is not up is still a member",
		by:     byProxy,
	}
}

func connectionErrors(s stage) testCase {
	counters := func(errors, retries, redispatches int) []sample {
		var out []sample
		for _, c := range []struct {
			of        string
			perMinute int
		}{{"connection_errors", errors}, {"retry_warnings", retries}, {"redispatch_warnings", redispatches}} {
			out = append(out, series("haproxy_server_"+c.of+"_total", rising(c.perMinute), label{"server", s.servers[0]}))
		}
		return out
	}
	return testCase{
		fires:  counters(0, 6, 3), // with redispatch there need not be a single error
		silent: counters(1, 2, 1),
		why:    "a few retries are no outage",
	}
}

func frontendSaturated(stage) testCase {
	full := func(n int) []sample {
		return []sample{
			series("haproxy_frontend_current_sessions", always(n)),
			series("haproxy_frontend_limit_sessions", always(100)),
		}
	}
	return testCase{fires: full(81), silent: full(80), why: "exactly the threshold"}
}

func processSaturated(stage) testCase {
	full := func(n int) []sample {
		return []sample{
			series("haproxy_process_current_connections", always(n)),
			series("haproxy_process_max_connections", always(100)),
			series("haproxy_frontend_limit_sessions", always(90)),
		}
	}
	return testCase{fires: full(81), silent: full(80), why: "exactly the threshold"}
}

func imbalanced(s stage) testCase {
	sessions := func(first, each int) []sample {
		var out []sample
		for i, server := range s.usable {
			n := each
			if i == 0 {
				n = first
			}
			out = append(out,
				series("haproxy_server_current_sessions", always(n), label{"server", server}),
				series("haproxy_server_status", always(1), label{"server", server}))
		}
		return append(out, series("haproxy_backend_current_sessions", always(first+each*(len(s.usable)-1))))
	}
	return testCase{
		fires:  sessions(100, 10),
		silent: sessions(9, 1),
		why:    "a handful of connections is never even",
		by:     byProxy,
	}
}

// leaders are the members' views, the first one of which may differ.
func leaders(s stage, first, others int) []sample {
	var out []sample
	for i, instance := range slices.Concat(s.voters, s.others) {
		v := others
		if i == 0 {
			v = first
		}
		out = append(out, series("etcd_server_has_leader", always(v), label{"instance", instance}))
	}
	return out
}

func upWithoutLeader(s stage) testCase {
	pool := func(active int) sample { return series("haproxy_backend_active_servers", always(active)) }
	return testCase{
		fires:  append(leaders(s, 0, 0), pool(len(s.usable))),
		silent: append(leaders(s, 0, 0), pool(0)),
		why:    "the pool is empty, as it should be",
		by:     []string{},
	}
}

func noLeader(s stage) testCase {
	return testCase{fires: leaders(s, 0, 1), silent: leaders(s, 1, 1), why: "every member has a leader"}
}

func insufficient(s stage) testCase {
	answering := func(n int) []sample {
		var out []sample
		for i, instance := range s.voters {
			v := 0
			if i < n {
				v = 1
			}
			out = append(out, series("up", always(v), label{"instance", instance}))
		}
		for _, learner := range s.others {
			out = append(out, series("up", always(1), label{"instance", learner})) // which has no vote
		}
		return out
	}
	n := quorum(len(s.voters))
	return testCase{fires: answering(n - 1), silent: answering(n), why: "a quorum is left", by: []string{}}
}

func memberDown(s stage) testCase {
	return testCase{
		fires:  []sample{series("up", always(0), label{"instance", s.voters[0]})},
		silent: []sample{series("up", always(1), label{"instance", s.voters[0]})},
		why:    "the member answers",
	}
}

func etcdMissing(s stage) testCase {
	return testCase{absent: true, silent: leaders(s, 0, 0), why: "etcd reports, if only that it has no leader"}
}
