// Command bare is what etcdlbgen's speed is stated against: CUE's own evaluation of a spec with its schema, and nothing
// else. It takes the definition to unify with, and the spec.
package main

import (
	"fmt"
	"os"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"

	"github.com/etcdlbgen/etcdlbgen/schema"
)

func main() {
	ctx := cuecontext.New()
	spec := ctx.BuildInstance(load.Instances(os.Args[2:], &load.Config{Env: []string{}})[0])
	whole := ctx.CompileBytes(schema.Source).LookupPath(cue.ParsePath(os.Args[1])).Unify(spec)
	if err := whole.Validate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
