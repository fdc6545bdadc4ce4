package terraform

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// sameFacts compares facts: where they stand, and whether a format's default says them, does not matter.
var sameFacts = cmp.Options{
	cmpopts.IgnoreTypes(diag.Span{}),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmp.Comparer(func(a, b topology.State) bool { return (a == topology.Unknown) == (b == topology.Unknown) }),
}

func reread(t *testing.T, artifacts []target.Artifact) *topology.Topology {
	t.Helper()
	src := target.Source{Path: "terraform/aws"}
	for _, a := range artifacts {
		if Target.Detect(a.Path, a.Data) {
			src.Files = append(src.Files, target.File{Path: a.Path, Data: a.Data})
		}
	}
	got, diags := Target.Parse(src)
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %+v", diags)
	}
	return got
}

// What the module says of the cluster is what the spec says of it, so that rules judge both alike.
func TestRoundTrip(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			want := topology.Restrict(c.topology(), targetName, Target.Facts)
			got := reread(t, built(t, c))
			if len(got.Endpoints) != 1 || !strings.HasPrefix(got.Endpoints[0].V, "https://") {
				t.Errorf("the module tells the endpoints %v, want one", got.Endpoints)
			}
			got.Endpoints = nil // which a spec says otherwise
			if diff := cmp.Diff(want, got, sameFacts); diff != "" {
				t.Errorf("facts differ (-spec +module):\n%s", diff)
			}
		})
	}
}
