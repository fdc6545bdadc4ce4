package golden

import (
	"fmt"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/terraform/terraformtest"
)

// alarms follow the number of members, where that moves the quorum or its share.
var alarms = map[string]bool{"aws_cloudwatch_metric_alarm.quorum": true, "azurerm_monitor_metric_alert.quorum": true}

// TestMemberAlone changes the members of a spec whose modules are applied: what is planned then is about that member
// alone, and about the alarm.
func TestMemberAlone(t *testing.T) {
	tf := terraformtest.Start(t)
	for _, cloud := range []string{"aws", "azure", "gcp"} {
		for _, step := range []struct {
			name, action  string
			before, after int
		}{
			{"added", "create", 4, 5},
			{"removed", "delete", 5, 4},
			{"of three", "create", 3, 4},
		} {
			t.Run(cloud+" "+step.name, func(t *testing.T) {
				dir := t.TempDir()
				rewriteModule(t, dir, cloud, step.before)
				tf.Apply(t, dir)
				if rest := tf.Plan(t, dir); len(rest) > 0 {
					t.Fatalf("an apply leaves %v to do", rest)
				}
				rewriteModule(t, dir, cloud, step.after)
				own := 0
				key := fmt.Sprintf("[%q]", fmt.Sprint("etcd-", max(step.before, step.after)))
				for address, action := range tf.Plan(t, dir) {
					switch {
					case strings.HasSuffix(address, key) && action == step.action:
						own++
					case !alarms[address] || action != "update":
						t.Errorf("%s: %s", address, action)
					}
				}
				if own == 0 {
					t.Error("nothing is planned for the member")
				}
			})
		}
	}
}

// rewriteModule writes the module of a cloud for so many members over the one that is there, whose state stays.
func rewriteModule(t *testing.T, dir, cloud string, members int) {
	t.Helper()
	all := object{}
	for i := range members {
		all[fmt.Sprint("etcd-", i+1)] = object{"address": fmt.Sprintf("10.0.1.%d", 10+i), "zone": "europe-west1-b"}
	}
	c, err := load(t.TempDir(), object{
		"cluster":      object{"name": "prod", "metrics": object{"port": 2381}, "members": all},
		"loadBalancer": object{"host": "etcd-lb.example.com", "vip": "10.0.1.100"},
		"clients":      object{"networks": []any{"10.0.2.0/24"}, "direct": []any{"10.0.9.0/24"}},
		"monitoring":   object{"networks": []any{"10.0.8.0/24"}},
		"targets":      object{"terraform": object{cloud: object{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := modules(c)[cloud]
	if len(files) == 0 {
		t.Fatalf("no module for %s", cloud)
	}
	files["terraform.tfvars"] = string(terraformtest.Variables(t, []byte(files["tests/etcd-prod.tftest.hcl"])))
	overwrite(t, dir, files)
}
