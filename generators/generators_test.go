package generators_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// TestNoTargetIsForgotten finds folders that declare a target and are not in the list.
func TestNoTargetIsForgotten(t *testing.T) {
	sources, err := filepath.Glob("*/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	declared := regexp.MustCompile(`(?m)^var Target = target\.Target\{`)
	for _, file := range sources {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file))
		if !declared.Match(text) {
			continue
		}
		if !slices.ContainsFunc(generators.Targets, func(tg target.Target) bool { return tg.Name == name }) {
			t.Errorf("%s is not in the list: add the line %s.Target, to Targets in generators.go", file, name)
		}
	}
}

// TestTargetsAreWhole holds the contract that the func fields cannot express.
func TestTargetsAreWhole(t *testing.T) {
	for _, tg := range generators.Targets {
		t.Run(tg.Name, func(t *testing.T) {
			if tg.Doc == "" || tg.Render == nil && tg.Parse == nil {
				t.Error("a target has a line of documentation, and writes or reads")
			}
			if (tg.Parse == nil) != (tg.Detect == nil) {
				t.Error("what is read is detected, and the reverse")
			}
			if tg.Parse != nil && tg.Comment == "" {
				t.Error("what is read needs a comment sign, for suppressions")
			}
		})
	}
}
