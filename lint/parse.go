package lint

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// unit is the files that a format's own program loads as one.
type unit struct {
	format *target.Target
	host   string
	files  []file
}

// parse masks and parses files, those together that belong together.
func (in *input) parse(files []file) {
	folders := folders{}
	for _, u := range units(files) {
		src := target.Source{Path: u.files[0].path, Host: u.host, Beside: folders.beside(u)}
		var names []string
		for _, f := range u.files {
			in.texts[f.path] = f.data
			data := f.data
			if !u.format.Binary {
				data = mask(data, u.format.Own)
			}
			src.Files = append(src.Files, target.File{Path: f.path, Data: data, Written: f.data})
			names = append(names, f.path)
		}
		t, diags := u.format.Parse(src)
		in.diags = append(in.diags, diags...)
		if t != nil {
			in.others = append(in.others, source{Topology: t, host: u.host, files: names})
		}
	}
}

// folders are the names in folders, read once each.
type folders map[string][]string

// beside reports whether files stand on disk beside those of a unit that its program may load with them.
func (f folders) beside(u unit) bool {
	if u.format.Besides == nil || u.files[0].path == "-" {
		return false
	}
	folder := filepath.Dir(u.files[0].path)
	names, read := f[folder]
	if !read {
		entries, _ := os.ReadDir(folder) // what cannot be read holds nothing that is loaded
		for _, e := range entries {
			if u.format.Besides(e.Name()) {
				names = append(names, e.Name())
			}
		}
		f[folder] = names
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(u.files, func(own file) bool { return filepath.Base(own.path) == name })
	})
}

// units puts files together by their format's unit, then the files that others include behind these. An included file is
// in the unit of what includes it, and no unit of its own.
func units(files []file) []unit {
	var out []unit
	at := map[[3]string]int{}
	for _, f := range files {
		key := [3]string{f.format.Name, f.host, f.path}
		if f.format.Unit != nil {
			key[2] = f.format.Unit(f.path)
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, unit{format: f.format, host: f.host})
		}
		out[i].files = append(out[i].files, f)
	}
	included := make([]bool, len(out))
	for i := range out {
		if included[i] || out[i].format.Includes == nil {
			continue
		}
		for _, j := range includes(out, i) {
			included[j] = true
			out[i].files = append(out[i].files, out[j].files...)
		}
	}
	var whole []unit
	for i, u := range out {
		if !included[i] {
			whole = append(whole, u)
		}
	}
	return whole
}

// includes are the units that the i-th one includes, at any depth, in order.
func includes(all []unit, i int) []int {
	main := path.Dir(filepath.ToSlash(all[i].files[0].path))
	seen := map[int]bool{i: true}
	var out []int
	for next := []int{i}; len(next) > 0; next = next[1:] {
		f := all[next[0]].files[0]
		for _, pattern := range f.format.Includes(f.data) {
			for j, u := range all {
				name := path.Clean(filepath.ToSlash(u.files[0].path))
				if seen[j] || u.format != f.format || u.host != f.host || !named(pattern, name, main, path.Dir(filepath.ToSlash(f.path))) {
					continue
				}
				seen[j] = true
				out = append(out, j)
				next = append(next, j)
			}
		}
	}
	return out
}

// named reports whether an include's pattern names a file, as it stands or from one of the folders.
func named(pattern, file string, folders ...string) bool {
	candidates := []string{pattern}
	if !path.IsAbs(pattern) {
		candidates = nil
		for _, d := range folders {
			candidates = append(candidates, path.Join(d, pattern))
		}
	}
	return slices.ContainsFunc(candidates, func(c string) bool {
		ok, err := path.Match(c, file)
		return c == file || err == nil && ok
	})
}
