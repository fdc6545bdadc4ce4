package lint

import (
	"bytes"
	"path/filepath"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// shape is what tells a spec from other files of its language: which of the fields that matter it has.
type shape struct {
	pkg     string // CUE: the package; "" where the file stands alone
	cluster bool   // "cluster" is there
	members bool   // "cluster" has "members"
	lb      bool   // "loadBalancer" is there
	fleet   bool   // "clusters" is a map
	object  bool   // "apiVersion" or "kind": an object of Kubernetes
	broken  bool   // CUE that cannot be parsed
}

func (s shape) or(t shape) shape {
	return shape{
		s.pkg, s.cluster || t.cluster, s.members || t.members, s.lb || t.lb,
		s.fleet || t.fleet, s.object || t.object, s.broken || t.broken,
	}
}

// isSpec decides which CUE, YAML or JSON is a spec.
func (s shape) isSpec() bool {
	return !s.object && (s.fleet || s.members || s.cluster && s.lb)
}

// specFile is a spec as a call names it: one file, or the files of one CUE package in a folder.
type specFile struct {
	key   string // folder and package, or the file
	files []file
	shape shape
}

// specFiles are the specs among the files of a call, in the order they are met.
type specFiles []specFile

func (s *specFiles) add(f file, of shape) {
	key := f.path
	if of.pkg != "" {
		key = filepath.Dir(f.path) + "\x00" + of.pkg
	}
	for i := range *s {
		if u := &(*s)[i]; u.key == key {
			u.files, u.shape = append(u.files, f), u.shape.or(of)
			return
		}
	}
	*s = append(*s, specFile{key, []file{f}, of})
}

// drop forgets the packages that are no specs, and returns the number of files left.
func (s *specFiles) drop() int {
	n := 0
	*s = slices.DeleteFunc(*s, func(u specFile) bool { return !u.shape.isSpec() })
	for _, u := range *s {
		n += len(u.files)
	}
	return n
}

// shapeOf reads the shape of a file, as far as its syntax can be read. It is not ok where the file's name says that it
// is no spec.
func shapeOf(path string, data []byte) (s shape, ok bool) {
	if !bytes.Contains(data, []byte("cluster")) && !bytes.Contains(data, []byte("loadBalancer")) {
		data = nil // spare the parsers most files of a repository
	}
	switch filepath.Ext(path) {
	case ".cue":
		return cueShape(path, data), true
	case ".yaml", ".yml", ".json":
		if !bytes.Contains(data, []byte("loadBalancer")) && !bytes.Contains(data, []byte("clusters")) {
			data = nil
		}
		return yamlShape(path, data), true
	case "":
		if path == "-" {
			return cueShape(path, data), true
		}
	}
	return shape{}, false
}

// maybeSpec reports whether a file's name is one that a spec may have.
func maybeSpec(path string) bool {
	_, ok := shapeOf(path, nil)
	return ok
}

var (
	// topLevel is a field that a spec has, as YAML has it at the beginning of a line, and quoted is one in JSON.
	topLevel = pattern.New(`(?m)^clusters?\s*:`)
	quoted   = pattern.New(`"clusters?"\s*:\s*\{`)
	object   = pattern.New(`(?m)^apiVersion\s*:|"apiVersion"\s*:`)
)

// looksLikeSpec reports whether a file that is not to be parsed is a spec by its name and some of its words.
func looksLikeSpec(path string, data []byte) bool {
	field := topLevel
	switch filepath.Ext(path) {
	case ".cue":
		return true
	case ".yaml", ".yml":
	case ".json":
		field = quoted
	default:
		return false
	}
	return bytes.Contains(data, []byte("loadBalancer")) && field.Match(data) && !object.Match(data)
}

func cueShape(path string, data []byte) shape {
	if _, fault := schema.Scrambled(data); fault != "" {
		named := filepath.Ext(path) == ".cue"
		return shape{cluster: named, lb: named} // what is wrong is told when it is loaded
	}
	f, err := parser.ParseFile(path, data) // what cannot be parsed is reported when the spec is loaded
	if f == nil {
		return shape{broken: true}
	}
	s := shape{pkg: f.PackageName(), broken: err != nil}
	for name, values := range fields(f.Decls) {
		switch name {
		case "cluster":
			s.cluster = true
			for _, v := range values {
				_, has := fields(structs(v))["members"]
				s.members = s.members || has
			}
		case "loadBalancer":
			s.lb = true
		case "clusters":
			s.fleet = true
		case "apiVersion", "kind":
			s.object = true
		}
	}
	return s
}

// fields are the values of the regular fields among declarations, by name.
func fields(decls []ast.Decl) map[string][]ast.Expr {
	out := map[string][]ast.Expr{}
	for _, d := range decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if name, _, err := ast.LabelName(f.Label); err == nil {
			out[name] = append(out[name], f.Value)
		}
	}
	return out
}

// structs are the declarations of the struct literals that an expression unifies.
func structs(e ast.Expr) []ast.Decl {
	switch e := e.(type) {
	case *ast.StructLit:
		return e.Elts
	case *ast.BinaryExpr:
		return append(structs(e.X), structs(e.Y)...)
	case *ast.ParenExpr:
		return structs(e.X)
	}
	return nil
}

// yamlShape reads YAML, of which JSON is a part. A file that has no fields at its top level has no shape.
func yamlShape(path string, data []byte) shape {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		spec := looksLikeSpec(path, data)
		return shape{cluster: spec, lb: spec} // what is wrong is told when it is loaded
	}
	if len(doc.Content) == 0 {
		return shape{}
	}
	s := shape{}
	each(doc.Content[0], func(name string, v *yaml.Node) {
		switch name {
		case "cluster":
			s.cluster = true
		case "loadBalancer":
			s.lb = true
		case "clusters":
			each(v, func(_ string, entry *yaml.Node) {
				each(entry, func(name string, _ *yaml.Node) {
					s.fleet = s.fleet || name == "cluster" || name == "loadBalancer"
				})
			})
		case "apiVersion", "kind":
			s.object = true
		}
	})
	return s
}

func each(n *yaml.Node, do func(name string, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i].Value, n.Content[i+1])
	}
}
