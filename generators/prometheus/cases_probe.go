package prometheus

import "fmt"

// The ways of probes, as they stand in the label via.
const (
	byBalancer = "balancer"
	byMembers  = "members"
)

func probed(way, instance string, up int) sample {
	return series("probe_success", always(up), label{"via", way}, label{"instance", instance})
}

// ways are a load balancer and two members, the first one of which does not answer.
func ways(balancer, other int) []sample {
	return []sample{probed(byBalancer, "lb", balancer), probed(byMembers, "m-1", 0), probed(byMembers, "m-2", other)}
}

func unreachable(stage) testCase {
	return testCase{fires: ways(0, 0), silent: ways(0, 1), why: "a member answers", by: []string{}}
}

func balancerProbe(stage) testCase {
	return testCase{fires: ways(0, 1), silent: ways(0, 0), why: "no member answers either, so it is not the load balancer"}
}

func memberProbe(stage) testCase {
	fires := ways(1, 1)
	fires[0], fires[1] = fires[1], fires[0] // the alert is on the member
	return testCase{fires: fires, silent: ways(0, 1), why: "the load balancer does not answer either"}
}

func probeMissing(stage) testCase {
	return testCase{absent: true, silent: ways(0, 0), why: "the probes are reported, if only as failing"}
}

func certificateExpiring(stage) testCase {
	const day = 24 * 60 * 60
	until := func(days int) []sample {
		return []sample{series("probe_ssl_earliest_cert_expiry", fmt.Sprintf("%dx%d", days*day, 3*minutes), label{"instance", "lb"})}
	}
	return testCase{fires: until(13), silent: until(15), why: "there is time left"}
}
