package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The laws hold for the clusters of every golden case and for random specs.
func eachCluster(t *testing.T, law func(t testing.TB, c *schema.Cluster)) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			res, diags, err := schema.Load(schema.Input{Paths: []string{filepath.Join(dir, specOf(t, dir))}})
			if err != nil || diags.Has(diag.Error) {
				t.Fatal(diags, err)
			}
			for _, c := range res.Clusters {
				law(t, c)
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		dir := t.TempDir()
		rapid.Check(t, func(rt *rapid.T) {
			c, err := load(dir, randomSpec(rt))
			if err != nil {
				rt.Fatal(err)
			}
			law(failing{t, rt}, c)
		})
	})
}

// failing is a test whose failures rapid shrinks.
type failing struct {
	testing.TB
	rt *rapid.T
}

func (f failing) Fatalf(format string, args ...any) { f.rt.Fatalf(format, args...) }
func (f failing) Errorf(format string, args ...any) { f.rt.Errorf(format, args...) }

// alike compares what two ways of saying the same have in common: not where it stands, and not whether it is a default.
var alike = cmp.Options{
	cmpopts.IgnoreTypes(diag.Span{}),
	cmpopts.EquateEmpty(),
	cmp.Transformer("known", func(s topology.State) bool { return s != topology.Unknown }),
	cmpopts.EquateComparable(topology.Value[string]{}.Span),
	cmp.Comparer(func(a, b fmt.Stringer) bool { return a.String() == b.String() }),
}

// TestRoundTrip is the first law: what a target writes reads back as the facts that its format can express.
func TestRoundTrip(t *testing.T) {
	said, refused := map[string]int{}, map[string]int{}
	eachCluster(t, func(t testing.TB, c *schema.Cluster) {
		for _, tg := range generators.Targets {
			if tg.Render == nil || tg.Parse == nil || c.Targets[tg.Name] == nil {
				continue
			}
			top, files, diags := generators.Compile(c, "spec.cue", []string{tg.Name})
			if diags.Has(diag.Error) {
				refused[tg.Name]++ // said to be beyond the target
				continue
			}
			want := topology.Restrict(top, tg.Name, tg.Facts)
			got := parsed(t, tg, files)
			got.Format = tg.Name
			if d := cmp.Diff(want, got, alike); d != "" {
				t.Fatalf("%s reads back otherwise (-want +got):\n%s", tg.Name, d)
			}
			said[tg.Name]++
		}
	})
	for _, tg := range generators.Targets {
		if tg.Render != nil && tg.Parse != nil && said[tg.Name] <= refused[tg.Name] {
			t.Errorf("target %s: %d specs rendered, %d refused", tg.Name, said[tg.Name], refused[tg.Name])
		}
	}
}

// parsed reads what a target wrote: all its sources that it detects, as one.
func parsed(t testing.TB, tg target.Target, files []generators.File) *topology.Topology {
	t.Helper()
	units := map[string]*target.Source{}
	for _, f := range files {
		if f.Target != tg.Name || !tg.Detect(f.Path, f.Data) {
			continue
		}
		unit := f.Path
		if tg.Unit != nil {
			unit = tg.Unit(f.Path)
		}
		if units[unit] == nil {
			units[unit] = &target.Source{Path: f.Path}
		}
		units[unit].Files = append(units[unit].Files, target.File{Path: f.Path, Data: f.Data})
	}
	all := &topology.Topology{}
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		top, diags := tg.Parse(*units[unit])
		if len(diags) > 0 {
			t.Fatalf("%s does not read what it wrote: %v", tg.Name, diags)
		}
		all.Proxies = append(all.Proxies, top.Proxies...)
		all.Firewalls = append(all.Firewalls, top.Firewalls...)
		all.Alerts = append(all.Alerts, top.Alerts...)
		all.Scrapes = append(all.Scrapes, top.Scrapes...)
	}
	return all
}

// TestNoSilence is the third law: whatever a spec sets shows in some file, or in a diagnostic.
func TestNoSilence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := randomSpec(rt)
		paths := leaves(spec, nil)
		path := rapid.SampledFrom(paths).Draw(rt, "leaf")
		before, told, err := outcome(t.TempDir(), spec)
		if err != nil {
			rt.Fatal(err)
		}
		_ = told
		remove(spec, path)
		after, _, err := outcome(t.TempDir(), spec)
		if err == nil && before == after {
			rt.Logf("%v has no effect", path)
		}
	})
}

// outcome is everything a spec leads to, as one text.
func outcome(dir string, spec object) (files string, told diag.List, err error) {
	c, err := load(dir, spec)
	if err != nil {
		return "", nil, err
	}
	_, out, diags := generators.Compile(c, "spec.cue", nil)
	data, err := json.Marshal(out)
	return string(data), diags, err
}

// leaves lists the paths of all values in a spec.
func leaves(o object, path []string) [][]string {
	var out [][]string
	for _, k := range slices.Sorted(maps.Keys(o)) {
		at := append(slices.Clone(path), k)
		if sub, ok := o[k].(object); ok && len(sub) > 0 {
			out = append(out, leaves(sub, at)...)
		} else {
			out = append(out, at)
		}
	}
	return out
}

func remove(o object, path []string) {
	for _, k := range path[:len(path)-1] {
		o = o[k].(object)
	}
	delete(o, path[len(path)-1])
}
