package prometheus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// With target kubernetes there is an object of the Prometheus operator that holds the rules of the rule file, all of them
// and as they are; without it there is none.
func TestRuleObject(t *testing.T) {
	const path = "prometheus/kubernetes/etcd-lb-prod.yml"
	spec := members(3) + metrics + certificate
	if _, files, _ := rendered(t, spec); files[path] != nil {
		t.Errorf("%s is written without target kubernetes", path)
	}
	_, files, _ := rendered(t, spec+"targets: {haproxy: {}, prometheus: {}, kubernetes: {}}")
	var file struct{ Groups []any }
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct{ Groups []any }
	}
	for into, data := range map[any][]byte{&file: files["prometheus/rules/etcd-lb-prod.yml"], &object: files[path]} {
		if err := yaml.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	if object.APIVersion != "monitoring.coreos.com/v1" || object.Kind != "PrometheusRule" || object.Metadata.Name != "etcd-lb-prod" {
		t.Errorf("it is %s %s, %q", object.APIVersion, object.Kind, object.Metadata.Name)
	}
	if d := cmp.Diff(file.Groups, object.Spec.Groups); d != "" || len(file.Groups) == 0 {
		t.Errorf("rules differ (-file +object):\n%s", d)
	}
}
