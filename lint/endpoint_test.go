package lint_test

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// TestEndpoints: what clients dial may be written in every way that people write it; nothing at all is a mistake.
func TestEndpoints(t *testing.T) {
	const declared = "cluster: tls: {altNames: [\"etcd-lb.example.com\"], altIPs: [\"fd00::100\", \"10.0.1.100\"]}\n"
	in(t, map[string]string{"spec.cue": minimal + declared})
	for _, e := range []string{
		"fd00::100", "[fd00::100]", "[fd00::100]:2379", "https://[fd00::100]:2379", "10.0.1.100", "::ffff:10.0.1.100",
		"ETCD-LB.example.com.:2379", "https://10.0.1.100:2379, fd00::100",
	} {
		if _, got := run(t, lint.Options{Endpoints: []string{e}, Rules: []string{"cert-lb-san"}}); len(got) > 0 {
			t.Errorf("%s: %v", e, got)
		}
	}
	if _, got := run(t, lint.Options{Endpoints: []string{"fd00::101"}, Rules: []string{"cert-lb-san"}}); !strings.Contains(strings.Join(got, " "), "cert-lb-san") {
		t.Errorf("another address: %v", got)
	}
	for _, e := range []string{"", ",", "fe80::1%eth0", ":2379"} {
		if _, err := lint.Run(lint.Options{Endpoints: []string{e}}); !isUsage(err) {
			t.Errorf("%q: %v", e, err)
		}
	}
}
