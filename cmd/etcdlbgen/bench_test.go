//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The speed of build is stated against bare CUE evaluation of the same spec and schema (testdata/bare), as ratios of
// interleaved runs of whole processes: the machine's own speed cancels out.

// usage is what one run of a process took.
type usage struct {
	cpu, wall time.Duration
	rss       int64 // bytes at its peak
}

func measure(b *testing.B, args ...string) usage {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	wall := time.Since(start)
	s := cmd.ProcessState
	return usage{s.UserTime() + s.SystemTime(), wall, s.SysUsage().(*syscall.Rusage).Maxrss << 10}
}

// median of what runs took.
func median(runs []usage, of func(usage) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func cpu(runs []usage) float64 { return median(runs, func(u usage) float64 { return u.cpu.Seconds() }) }

// interleaved runs both n times, one after the other.
func interleaved(b *testing.B, n int, ours, bare func() usage) (o, c []usage) {
	b.Helper()
	for range n {
		c = append(c, bare())
		o = append(o, ours())
	}
	return o, c
}

// programs builds etcdlbgen and the bare evaluation.
func programs(b *testing.B) (ours, bare string) {
	b.Helper()
	ours = buildProgram(b)
	bare = filepath.Join(b.TempDir(), "bare")
	if out, err := exec.Command("go", "build", "-o", bare, "./testdata/bare").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return ours, bare
}

// fleetSpec writes a fleet of n clusters with five members, two load balancer machines and four targets each.
func fleetSpec(b *testing.B, n int) string {
	b.Helper()
	var s strings.Builder
	s.WriteString("clusters: {\n")
	for i := range n {
		net := fmt.Sprintf("10.%d.%d", i/250, i%250)
		fmt.Fprintf(&s, "\t\"c%d\": {\n\t\tcluster: metrics: port: 2381\n\t\tcluster: members: {\n", i)
		for m := range 5 {
			fmt.Fprintf(&s, "\t\t\t\"etcd-%d\": address: \"%s.%d\"\n", m, net, 10+m)
		}
		fmt.Fprintf(&s, "\t\t}\n\t\tloadBalancer: {\n\t\t\thost: \"etcd-%d.example.com\"\n", i)
		fmt.Fprintf(&s, "\t\t\tnodes: {\"lb-1\": address: \"%s.20\", \"lb-2\": address: \"%s.21\"}\n\t\t}\n", net, net)
		fmt.Fprintf(&s, "\t\tclients: networks: [\"%s.128/25\"]\n\t\ttargets: {haproxy: {}, nginx: edition: \"plus\", iptables: {}, prometheus: {}}\n\t}\n", net)
	}
	s.WriteString("}\n")
	path := filepath.Join(b.TempDir(), "fleet.cue")
	if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// memory is a folder on tmpfs where there is one, so that the disk is not measured.
func memory(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "etcdlbgen-bench-")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// fresh builds into a folder that is not there yet.
func fresh(b *testing.B, program, spec, dir string) usage {
	b.Helper()
	out := filepath.Join(dir, "out")
	if err := os.RemoveAll(out); err != nil {
		b.Fatal(err)
	}
	return measure(b, program, "build", spec, "-o", out)
}

// BenchmarkOneCluster states the CPU of building the minimal spec; process start is most of it.
func BenchmarkOneCluster(b *testing.B) {
	program, bare := programs(b)
	spec, err := filepath.Abs("../../golden/build/minimal/spec.cue")
	if err != nil {
		b.Fatal(err)
	}
	dir := memory(b)
	for b.Loop() {
		ours, base := interleaved(b, 101,
			func() usage { return fresh(b, program, spec, dir) },
			func() usage { return measure(b, bare, "#Spec", spec) })
		b.ReportMetric(cpu(ours)/cpu(base), "CPU/bare")
	}
}

// BenchmarkFleet states a fleet of 300 clusters with four targets, and an unchanged second build.
func BenchmarkFleet(b *testing.B) {
	program, bare := programs(b)
	spec, dir := fleetSpec(b, 300), memory(b)
	for b.Loop() {
		ours, base := interleaved(b, 11,
			func() usage { return fresh(b, program, spec, dir) },
			func() usage { return measure(b, bare, "#Fleet", spec) })
		b.ReportMetric(cpu(ours)/cpu(base), "CPU/bare")
		b.ReportMetric(median(ours, func(u usage) float64 { return u.wall.Seconds() / u.cpu.Seconds() }), "wall/CPU")
		again := measure(b, program, "build", spec, "-o", filepath.Join(dir, "out"))
		b.ReportMetric(again.cpu.Seconds()/cpu(ours), "unchanged/first")
	}
}

// BenchmarkGrowth states that CPU grows with the number of clusters and no faster, and the memory of a thousand.
func BenchmarkGrowth(b *testing.B) {
	program := buildProgram(b)
	dir := memory(b)
	for b.Loop() {
		per := map[int]float64{}
		for _, n := range []int{500, 1000, 5000} {
			u := fresh(b, program, fleetSpec(b, n), dir)
			per[n] = u.cpu.Seconds() / float64(n)
			if n == 1000 {
				b.ReportMetric(float64(u.rss)/(1<<20), "MiB/1000")
			}
		}
		b.ReportMetric(per[5000]/per[500], "per-cluster-5000/500")
	}
}
