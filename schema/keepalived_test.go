package schema

import (
	"fmt"
	"strings"
	"testing"
)

// TestFleetRouters: two clusters of a fleet may share a router id in different networks only.
func TestFleetRouters(t *testing.T) {
	entry := func(name string, network, first, id int) string {
		return fmt.Sprintf(`clusters: %[1]s: {
	cluster: members: a: address: "10.%[2]d.0.%[3]d"
	loadBalancer: vip: "10.%[2]d.0.%[4]d"
	loadBalancer: nodes: x: {address: "10.%[2]d.0.%[5]d", interface: "eth0"}
	loadBalancer: nodes: y: {address: "10.%[2]d.0.%[6]d", interface: "eth0"}
	targets: {haproxy: {}, keepalived: virtualRouterID: %[7]d}
}
`, name, network, first, first+1, first+2, first+3, id)
	}
	for name, c := range map[string]struct {
		text string
		want []at
	}{
		"one network, one id":   {entry("a", 1, 10, 7) + entry("b", 1, 20, 7), []at{{13, 54, `clusters "b" and "a" both have the virtualRouterID 7`}}},
		"one network, two ids":  {entry("a", 1, 10, 7) + entry("b", 1, 20, 8), nil},
		"two networks, one id":  {entry("a", 1, 10, 7) + entry("b", 2, 20, 7), nil},
		"the third of them all": {entry("a", 1, 10, 7) + entry("b", 2, 20, 7) + entry("c", 1, 30, 7), []at{{20, 54, `clusters "c" and "a"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			res, diags := loadText(t, "spec.cue", c.text)
			if c.want != nil {
				expect(t, c.text, res, diags, c.want)
				if len(diags) == 1 && (len(diags[0].Related) != 1 || diags[0].Related[0].Span.Line != 6) {
					t.Errorf("the other one is at %v", diags[0].Related)
				}
			} else if len(diags) > 0 {
				t.Errorf("refused: %v", diags)
			}
		})
	}
}

// TestRouterFamily: nodes talk in a family that an address moves in and that all of them have.
func TestRouterFamily(t *testing.T) {
	const node = `loadBalancer: nodes: {"lb-%d": {address: %q, %s interface: "eth0"}}` + "\n"
	for name, c := range map[string]struct {
		vips string
		six  [2]bool // whether a node has IPv6 beside
		want string
	}{
		"IPv4":             {`vip: "10.0.1.100"`, [2]bool{}, "4"},
		"both":             {`vip: "10.0.1.100", vip6: "fd00::100"`, [2]bool{true, true}, "4"},
		"IPv6 beside":      {`vip: "fd00::100"`, [2]bool{true, true}, "6"},
		"IPv6 of one":      {`vip: "fd00::100"`, [2]bool{true, false}, ""},
		"second of either": {`vip: "10.0.1.100", vip6: "fd00::100"`, [2]bool{false, true}, "4"},
	} {
		text := strings.Replace(holds, `vip: "10.0.1.100"`, "{"+c.vips+"}", 1) + router + proxied + "\n"
		for i, six := range c.six {
			second := ""
			if six {
				second = fmt.Sprintf(`address6: "fd00::%d",`, i+1)
			}
			text += fmt.Sprintf(node, i+1, fmt.Sprintf("10.0.1.%d", 101+i), second)
		}
		res, _ := loadText(t, "spec.cue", text)
		got := ""
		for _, cluster := range res.Clusters {
			family, _ := cluster.RouterFamily()
			got = fmt.Sprint(family)
		}
		if got != c.want {
			t.Errorf("%s: want %q, have %q", name, c.want, got)
		}
	}
}
