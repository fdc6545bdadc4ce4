package schema

import (
	"context"
	"errors"

	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"
)

// noRegistry refuses to fetch modules: a spec is evaluated without the network.
type noRegistry struct{}

var errNoRegistry = errors.New("modules are not fetched; vendor the package below cue.mod/pkg")

func (noRegistry) ModFile(context.Context, module.Version) (*modfile.File, error) {
	return nil, errNoRegistry
}

func (noRegistry) Fetch(context.Context, module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, errNoRegistry
}

func (noRegistry) ModuleVersions(context.Context, string) ([]string, error) {
	return nil, errNoRegistry
}
