package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"etcdlbgen": main, "build-child": buildChild})
}

// TestScripts runs the program as a user does: the scripts say what a command prints, writes and exits with.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits N COMMAND… runs a command that must exit with N.
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: exits CODE COMMAND…")
				}
				code := "0"
				if err := ts.Exec(args[1], args[2:]...); err != nil {
					code = lastWord(err.Error())
				}
				if code != args[0] {
					ts.Fatalf("want exit code %s, have %s", args[0], code)
				}
			},
		},
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "NO_COLOR=1")
			return os.MkdirAll(e.WorkDir, 0o755)
		},
	})
}

func lastWord(s string) string {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == ' ' {
			return s[i+1:]
		}
	}
	return s
}
