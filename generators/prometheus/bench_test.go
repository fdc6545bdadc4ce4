package prometheus

import (
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

func BenchmarkRender(b *testing.B) {
	top, options := lowered(b, specs["full"])
	b.ReportAllocs()
	for b.Loop() {
		render(top, options, target.Header{Spec: "spec.cue"})
	}
}
