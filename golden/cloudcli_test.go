package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/generators/terraform"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// TestScriptsAndModules puts a cluster's load balancers up by the scripts of target cloudcli, on a cloud that only keeps
// what it is told, and compares what it then has with what the Terraform modules of the same spec say.
func TestScriptsAndModules(t *testing.T) {
	fake, err := cloudclitest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]object{
		"plain":         {},
		"by connecting": {"loadBalancer": object{"healthCheck": object{"via": "tcp", "interval": "10s", "fall": 5}}},
		"within zones":  {"targets": object{"aws": object{"crossZone": false, "targetType": "ip", "deletionProtection": true}, "gcp": object{"globalAccess": true}}},
		"idle":          {"loadBalancer": object{"timeouts": object{"idle": "90m"}}, "clients": object{"networks": []any{"10.0.3.0/24", "fd00:3::/64"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := cloudclitest.New(t, fake, "ETCD_LB_VPC_ID=vpc-0a", "ETCD_LB_SUBNETS=a=subnet-1 b=subnet-2", "ETCD_LB_PROJECT=example",
				"ETCD_LB_REGION=europe-west1", "ETCD_LB_NETWORK=main", "ETCD_LB_SUBNETWORK=main")
			modules := map[string][]target.File{}
			for path, data := range bothWays(t, more) {
				dir, file := filepath.Split(path)
				if dir == "cloudcli/" {
					b.Write(file, data)
				} else if strings.HasSuffix(file, ".tf") {
					modules[filepath.Base(dir)] = append(modules[filepath.Base(dir)], target.File{Path: path, Data: []byte(data)})
				}
			}
			for cloud, read := range map[string]func(cloudState) string{"aws": awsFacts, "gcp": gcpFacts} {
				b.Must(cloud+".sh", "apply")
				module, diags := terraform.Target.Parse(target.Source{Path: "terraform/" + cloud, Files: modules[cloud]})
				if len(diags) > 0 {
					t.Fatal(diags)
				}
				got := read(stateOf(t, b))
				if want := moduleFacts(module, modules[cloud], cloud); got != want {
					t.Errorf("%s: the script makes\n%s\nand the module\n%s", cloud, got, want)
				}
				if err := os.Remove(filepath.Join(b.Dir, "state")); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// bothWays are the files of a spec for both targets.
func bothWays(t *testing.T, more object) map[string]string {
	t.Helper()
	members := object{}
	for i := range 3 {
		members[fmt.Sprint("etcd-", i+1)] = object{"address": fmt.Sprintf("10.0.1.%d", 10+i), "zone": "europe-west1-b"}
	}
	spec := object{
		"cluster":      object{"name": "prod", "metrics": object{"port": 2381}, "members": members},
		"loadBalancer": object{"host": "etcd-lb.example.com", "vip": "10.0.1.100"},
		"clients":      object{"networks": []any{"10.0.2.0/24"}, "direct": []any{"10.0.9.0/24"}},
		"monitoring":   object{"networks": []any{"10.0.8.0/24"}},
	}
	for section, values := range more {
		for field, v := range values.(object) {
			if section != "targets" {
				spec[section].(object)[field] = v
			}
		}
	}
	scripts, ok := more["targets"].(object)
	if !ok {
		scripts = object{"aws": object{}, "gcp": object{}}
	}
	spec["targets"] = object{"terraform": scripts, "cloudcli": scripts, "etcd": object{}}
	c, err := load(t.TempDir(), spec)
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := generators.Compile(c, "spec.cue", []string{"terraform", "cloudcli"})
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Data)
	}
	return out
}

type cloudState struct {
	Have map[string][]map[string]any
}

func stateOf(t *testing.T, b *cloudclitest.Bench) cloudState {
	t.Helper()
	var s cloudState
	if err := json.Unmarshal([]byte(b.State()), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

var threshold = regexp.MustCompile(`\sthreshold +=\s(\d+)`)

// moduleFacts are what a module says, in lines.
func moduleFacts(m *topology.Topology, files []target.File, cloud string) string {
	p := m.Proxies[0]
	c := p.Pools[0].Check
	out := []string{fmt.Sprintf("check %s %d %s every %v within %v, up %d, down %d", strings.ToLower(string(c.Kind.V)), c.Port.V, c.Path.V,
		c.Interval.V.Seconds(), c.Timeout.V.Seconds(), c.Rise.V, c.Fall.V)}
	for _, f := range m.Firewalls {
		for _, r := range f.Rules {
			for _, port := range r.Ports {
				source := r.From.V.String()
				if r.FromName.Known() {
					source = r.FromName.V
				}
				out = append(out, strings.TrimSpace(fmt.Sprintf("%s admits %s to %d", f.Role, source, port.First)))
			}
		}
	}
	if cloud == "gcp" {
		out = append(out, fmt.Sprint("port ", p.Listeners[0].Binds[0].Port.V), fmt.Sprint("cut on down ", p.Pools[0].CutOnDown.V))
		return ordered(out)
	}
	out = append(out, fmt.Sprint("port ", p.Listeners[0].Binds[0].Port.V), fmt.Sprint("idle ", p.Listeners[0].Routes[0].Idle.V.Seconds()),
		fmt.Sprint("cross zone ", p.CrossZone.V), fmt.Sprint("cut on down ", p.Pools[0].CutOnDown.V), fmt.Sprint("cut on removal ", p.Pools[0].CutOnRemoval.V),
		fmt.Sprint("keeps source ", p.Pools[0].KeepsSource.V))
	for _, s := range p.Pools[0].Servers {
		out = append(out, fmt.Sprintf("member %s %d", s.Host.V, s.Port.V))
	}
	for _, f := range files {
		if m := threshold.FindSubmatch(f.Data); m != nil {
			out = append(out, "quorum "+string(m[1]))
		}
	}
	return ordered(out)
}

func ordered(lines []string) string {
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// awsFacts are the same of what AWS has.
func awsFacts(s cloudState) string {
	attributes := map[string]any{}
	for _, a := range s.Have["attributes"] {
		for k, v := range a {
			attributes[k] = v
		}
	}
	group, listener := s.Have["targets"][0], s.Have["listener"][0]
	out := []string{
		checkFacts(group["HealthCheckProtocol"], group["HealthCheckPort"], group["HealthCheckPath"], group["HealthCheckIntervalSeconds"],
			group["HealthCheckTimeoutSeconds"], group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]),
		fmt.Sprint("port ", listener["Port"]), fmt.Sprint("idle ", attributes["tcp.idle_timeout.seconds"]),
		fmt.Sprint("cross zone ", attributes["load_balancing.cross_zone.enabled"]),
		fmt.Sprint("cut on down ", attributes["target_health_state.unhealthy.connection_termination.enabled"]),
		fmt.Sprint("cut on removal ", attributes["deregistration_delay.connection_termination.enabled"]),
		fmt.Sprint("keeps source ", attributes["preserve_client_ip.enabled"]),
		"quorum " + strings.TrimSuffix(fmt.Sprint(s.Have["alarm"][0]["Threshold"]), ".0"),
	}
	for _, m := range s.Have["registered"] {
		out = append(out, fmt.Sprintf("member %v %v", m["Id"], m["Port"]))
	}
	roles := map[any]string{}
	for _, g := range s.Have["group"] {
		roles[g["GroupId"]] = map[bool]string{true: "balancer", false: "members"}[strings.HasSuffix(fmt.Sprint(g["GroupName"]), "-lb")]
	}
	for _, r := range s.Have["rule"] {
		var source any = "?"
		for _, field := range []string{"CidrIpv4", "CidrIpv6"} {
			if r[field] != nil {
				source = r[field]
			}
		}
		if by, ok := r["ReferencedGroupInfo"].(map[string]any); ok {
			source = roles[by["GroupId"]]
		}
		if r["IsEgress"] == false {
			out = append(out, fmt.Sprintf("%s admits %v to %v", roles[r["GroupId"]], source, r["FromPort"]))
		}
	}
	return ordered(out)
}

func checkFacts(kind, port, path, interval, timeout, rise, fall any) string {
	if path == nil {
		path = ""
	}
	return fmt.Sprintf("check %s %v %v every %v within %v, up %v, down %v", strings.ToLower(fmt.Sprint(kind)), port, path, interval, timeout, rise, fall)
}

// gcpFacts are the same of what Google has.
func gcpFacts(s cloudState) string {
	check := s.Have["health-checks"][0]
	kind, asked := "tcp", map[string]any{}
	for _, k := range []string{"tcp", "http"} {
		if of, ok := check[k+"HealthCheck"].(map[string]any); ok {
			kind, asked = k, of
		}
	}
	out := []string{
		checkFacts(kind, asked["port"], asked["requestPath"], check["checkIntervalSec"], check["timeoutSec"], check["healthyThreshold"], check["unhealthyThreshold"]),
		fmt.Sprint("port ", strings.Trim(fmt.Sprint(s.Have["forwarding-rules"][0]["ports"]), "[]")),
		fmt.Sprint("cut on down ", strings.Contains(fmt.Sprint(s.Have["backend-services"][0]["connectionTrackingPolicy"]), "NEVER_PERSIST")),
	}
	for _, w := range s.Have["firewall-rules"] {
		for _, field := range []string{"sourceRanges", "sourceTags"} {
			sources, _ := w[field].([]any)
			for _, source := range sources {
				for _, allow := range w["allowed"].([]any) {
					out = append(out, fmt.Sprintf("admits %v to %s", source, strings.TrimPrefix(fmt.Sprint(allow), "tcp:")))
				}
			}
		}
	}
	return ordered(out)
}
