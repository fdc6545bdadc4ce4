package schema

import (
	"bytes"
	"path/filepath"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestJSONSchema: an editor accepts every golden spec, and underlines what Load refuses about a single value.
func TestJSONSchema(t *testing.T) {
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("spec.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("spec.schema.json")
	if err != nil {
		t.Fatal(err)
	}

	specs, err := filepath.Glob("../golden/build/*/spec.*")
	if err != nil || len(specs) < 10 {
		t.Fatalf("want the golden specs, have %v %v", specs, err)
	}
	for _, path := range specs {
		l := &loader{in: Input{Paths: []string{path}}, src: &sources{files: map[string]*source{}}, ctx: cuecontext.New()}
		v, err := l.load()
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance(t, v)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}

	fleet := `clusters: eu: {cluster: members: "etcd-1": address: "10.0.1.10", loadBalancer: vip: "10.0.1.100"}` + "\n"
	for _, spec := range []string{holds, fleet, fleet + `defaults: loadBalancer: timeouts: idle: "2h"`} {
		if err := schema.Validate(instance(t, cuecontext.New().CompileString(spec))); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, spec := range []string{
		`cluster: members: {}`,
		fleet + holds,
		fleet + `defaults: loadBalancer: port: 70000`,
		fleet + `clusters: eu: loadBalancer: prot: 1`,
		fleet + `clusters: "E U": {}`,
		`clusters: {}`,
		holds + `loadBalancer: host: "-lb"`,
		holds + `loadBalancer: host: "10.0.0.1"`,
		holds + `loadBalancer: vip6: "fe80::1%eth0"`,
		holds + `loadBalancer: vip6: "lb"`,
		holds + `loadBalancer: aliases: ["a b"]`,
		holds + `loadBalancer: port: "2379"`,
		holds + `loadBalancer: mode: "dsr"`,
		holds + `loadBalancer: timeouts: idle: 60`,
		holds + `cluster: auth: "no"`,
		holds + `cluster: members: "Etcd 1": {}`,
		holds + `cluster: tls: trustedCAFile: "ca.crt verify none"`,
		holds + `clients: networks: ["10.0.2.0"]`,
		holds + `targets: squid: {}`,
		holds + `targets: terraform: aws: provider: 4`,
		holds + `targets: prometheus: labels: severity: "x"`,
	} {
		if schema.Validate(instance(t, cuecontext.New().CompileString(spec))) == nil {
			t.Errorf("the JSON Schema accepts\n%s", spec)
		}
	}
}

func instance(t *testing.T, v interface{ MarshalJSON() ([]byte, error) }) any {
	t.Helper()
	text, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
