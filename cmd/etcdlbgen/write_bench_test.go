package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// bigFleet has 14 files a cluster, of 3 KB each.
func bigFleet(clusters int, text string) tree {
	tr := tree{fleet: true}
	data := strings.Repeat(text+"\n", 3000/(len(text)+1))
	for i := range clusters {
		var pairs []string
		for j := range 14 {
			pairs = append(pairs, fmt.Sprintf("target%d/part%d/file%d", j%4, j%7, j), data)
		}
		tr.clusters = append(tr.clusters, cluster(fmt.Sprintf("c%d", i), pairs...))
	}
	return tr
}

// BenchmarkWrite measures the disk side of a build of 300 clusters alone.
func BenchmarkWrite(b *testing.B) {
	one, two := bigFleet(300, "one"), bigFleet(300, "two")
	b.Run("first", func(b *testing.B) {
		top := scratch(b)
		for i := range b.N {
			mustWrite(b, filepath.Join(top, fmt.Sprint(i)), one)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		dir := scratch(b)
		mustWrite(b, dir, one)
		for b.Loop() {
			if report := mustWrite(b, dir, one); report.written != 0 {
				b.Fatalf("%+v", report)
			}
		}
	})
	b.Run("changed", func(b *testing.B) {
		dir := scratch(b)
		mustWrite(b, dir, one)
		for i := 0; b.Loop(); i++ {
			mustWrite(b, dir, []tree{two, one}[i%2])
		}
	})
}
