package prometheus

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Prometheus' own tool takes every file, and every alert fires and is silent as the tests say.
func TestPromtool(t *testing.T) {
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top, files, _ := rendered(t, spec)
			base := "etcd-lb-" + top.Name.V
			files["prometheus.yml"] = append([]byte("rule_files: [prometheus/rules/*.yml]\n"),
				files["prometheus/scrape/"+base+".yml"]...) // scrape_config_files is of 2.43
			dir := folder(t, files)
			for _, args := range [][]string{
				{"check", "rules", filepath.Join(dir, "prometheus/rules", base+".yml")},
				{"test", "rules", filepath.Join(dir, "prometheus/tests", base+"_test.yml")},
				{"check", "config", "--syntax-only", filepath.Join(dir, "prometheus.yml")},
			} {
				if out, err := promtool(t, args...); err != nil {
					t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
		})
	}
}

// Two clusters in one Prometheus share neither a file nor a job name, even where the user's own job is one for both.
func TestClustersShareAPrometheus(t *testing.T) {
	const shared = "targets: {haproxy: {}, prometheus: select: {haproxy: job: \"haproxy\", etcd: {job: \"etcd\"}}}\n"
	one := members(3) + metrics + shared
	_, files, _ := rendered(t, one)
	_, others, _ := rendered(t, strings.Replace(one, `name: "prod"`, `name: "test"`, 1))
	jobs := map[string]int{}
	for path, data := range others {
		if _, taken := files[path]; taken {
			t.Errorf("both clusters write %s", path)
		}
		files[path] = data
	}
	for path, data := range files {
		if strings.HasPrefix(path, "prometheus/scrape/") && strings.HasSuffix(path, ".yml") {
			for line := range strings.Lines(string(data)) {
				if strings.Contains(line, "job_name:") {
					jobs[line]++
				}
			}
		}
	}
	if len(jobs) != 4 || slices.Max(slices.Collect(maps.Values(jobs))) != 1 {
		t.Errorf("job names over both clusters: %v; want four, each once", jobs)
	}
	files["prometheus.yml"] = []byte("rule_files: [prometheus/rules/*.yml]\n")
	dir := folder(t, files)
	if out, err := promtool(t, "check", "config", filepath.Join(dir, "prometheus.yml")); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
