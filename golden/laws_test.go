package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/lint/rules"
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
	var members []topology.Member
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		top, diags := tg.Parse(*units[unit])
		if len(diags) > 0 {
			t.Fatalf("%s does not read what it wrote: %v", tg.Name, diags)
		}
		all.Proxies = append(all.Proxies, top.Proxies...)
		all.Firewalls = append(all.Firewalls, top.Firewalls...)
		all.VRRP = append(all.VRRP, top.VRRP...)
		if !cmp.Equal(all.Alerts, top.Alerts, alike) { // else the same once more, as an object of Kubernetes
			all.Alerts = append(all.Alerts, top.Alerts...)
		}
		all.Scrapes = append(all.Scrapes, top.Scrapes...)
		for _, d := range top.Dialers {
			if !slices.ContainsFunc(all.Dialers, func(o topology.Dialer) bool { return cmp.Equal(d, o, alike) }) {
				all.Dialers = append(all.Dialers, d) // the same way may stand in several files
			}
		}
		members = append(members, top.Etcd.Members...)
	}
	all.Etcd = topology.EtcdOf(members)
	return all
}

// TestSelfLint is the second law: what build writes lints with no finding that the spec itself does not raise.
func TestSelfLint(t *testing.T) {
	eachCluster(t, func(t testing.TB, c *schema.Cluster) {
		top, files, diags := generators.Compile(c, "spec.cue", nil)
		if diags.Has(diag.Error) {
			return
		}
		raised := map[[2]string]bool{}
		for _, rule := range rules.All {
			if rule.Check == nil {
				continue
			}
			for _, d := range rule.Check(&topology.Group{Sources: []*topology.Topology{top}}) {
				raised[[2]string{rule.ID, d.Subject}] = true
			}
		}
		dir := t.TempDir()
		for _, f := range files {
			path := filepath.Join(dir, filepath.FromSlash(f.Path))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		res, err := lint.Run(lint.Options{Paths: []string{dir}, Now: time.Unix(0, 0)})
		var nothing *schema.UsageError
		if errors.As(err, &nothing) && len(c.Targets) < 3 {
			return // only documents, which nobody lints
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, d := range res.Diagnostics {
			if !raised[[2]string{d.Rule, d.Subject}] {
				t.Errorf("%s:%d: %s [%s] (%s) is not raised by the spec", d.Span.File, d.Span.Line, d.Message, d.Rule, d.Subject)
			}
		}
	})
}

// silent are the values of a spec that are for the linter alone. (cluster.auth is for a constraint alone.)
var silent = []string{"clients.keepalive"}

// TestNoSilence is the third law: whatever a spec sets shows in some file or in a diagnostic. Each value of a spec that
// sets all of them to something else than its default is taken out, which must change what build writes or says.
func TestNoSilence(t *testing.T) {
	for _, file := range []string{"testdata/dedicated.json", "testdata/local.json", "testdata/azure.json", "testdata/gcp.json", "testdata/termination.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parse := func() object {
			spec := object{}
			if err := json.Unmarshal(data, &spec); err != nil {
				t.Fatal(err)
			}
			return spec
		}
		before := outcome(t, parse())
		for _, path := range leaves(parse(), nil) {
			spec := parse()
			remove(spec, path)
			if name := strings.Join(path, "."); outcome(t, spec) == before && !slices.Contains(silent, name) {
				t.Errorf("%s: %s shows in no file and no diagnostic", file, name)
			}
		}
	}
}

// outcome is everything a spec leads to, as one text.
func outcome(t *testing.T, spec object) string {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "spec.json")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	res, diags, err := schema.Load(schema.Input{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, c := range res.Clusters {
		_, files, more := generators.Compile(c, "spec.json", nil)
		diags = append(diags, more...)
		for _, f := range files {
			fmt.Fprintf(&all, "%s\n%s", f.Path, f.Data)
		}
	}
	for _, d := range diags {
		fmt.Fprintln(&all, d.Rule, d.Message)
	}
	return all.String()
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
