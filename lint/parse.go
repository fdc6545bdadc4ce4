package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// unit is the files that a format's own program loads as one.
type unit struct {
	format *target.Target
	host   string
	files  []file
	beside bool // files stand beside these that the program may load with them
	alone  bool // no other file is about the same machine
}

// parse masks and parses files, those together that belong together, on all cores. What comes of it stands in the order of
// the files.
func (in *input) parse(files []file) {
	folders, machines := folders{}, newMachines(files)
	all := units(files)
	for i, u := range all {
		all[i].beside, all[i].alone = folders.beside(u), machines.alone(u.files[0])
	}
	done := make([]parsed, len(all))
	inParallel(len(all), func(i int) {
		guarded(all[i].size(), func() { done[i] = in.one(all[i]) })
	})
	for i, p := range done {
		in.diags = append(in.diags, p.diags...)
		in.texts.take(p.notes)
		if p.source != nil {
			in.others = append(in.others, *p.source)
		}
		done[i] = parsed{}
	}
}

// parsed is what becomes of a unit.
type parsed struct {
	source *source // nil: nothing
	notes  []note
	diags  diag.List
}

// one parses a unit.
func (in *input) one(u unit) (p parsed) {
	at := diag.Span{File: u.files[0].path}
	if fault := u.tooLarge(); fault != "" {
		p.diags.Error(at, "syntax", fault, "")
		return p
	}
	src, err := u.read()
	if err != nil {
		p.diags = unreadable(at.File, err)
		return p
	}
	if fault := tooMuch(src.Files); fault != "" {
		p.diags.Error(at, "syntax", fault, "")
		return p
	}
	s := source{host: u.host, unit: u}
	for i, f := range src.Files {
		p.notes = append(p.notes, noteOf(f.Path, f.Written, u.files[i].data != nil))
		s.files = append(s.files, f.Path)
	}
	if slices.ContainsFunc(u.files, func(f file) bool { return f.overfull }) {
		p.diags.Error(at, "syntax", fmt.Sprintf("more than %d files or patterns are included, "+
			"more than any configuration needs, so the others are not looked for; need fewer", maxIncludes), "")
	}
	t, diags := u.format.Parse(src)
	if doc := u.files[0].doc; doc == nil || !doc.open {
		p.diags = append(p.diags, told(diags)...)
	}
	if t != nil {
		s.Topology = t
		s = in.light(s)
		p.source = &s
	}
	return p
}

// size is how many bytes a unit has.
func (u unit) size() (n int64) {
	for _, f := range u.files {
		n += f.size
	}
	return n
}

// words is how many words a unit has.
func (u unit) words() (n int) {
	for _, f := range u.files {
		n += f.words
	}
	return n
}

// read reads the files of a unit and masks them.
func (u unit) read() (target.Source, error) {
	src := target.Source{Path: u.files[0].path, Host: u.host, Beside: u.beside, Alone: u.alone}
	for _, f := range u.files {
		written := f.data
		if written == nil {
			var err error
			if written, err = readText(f.path); err != nil {
				return src, err
			}
		}
		data, as := written, ""
		if f.doc != nil && f.doc.end() <= len(data) {
			data, as = f.doc.extract(data), f.doc.name
		}
		if !u.format.Binary {
			data = mask(data, u.format.Own)
		}
		src.Files = append(src.Files, target.File{Path: f.path, As: as, Data: data, Written: written})
	}
	return src, nil
}

// light judges a source without etcd's members at once, as if it were alone, and forgets its facts: most files of a large
// tree are so, and few of these turn out to be in a group. Virtual routers may be many, too. Of others the facts are
// forgotten as well once those of enough are kept.
func (in *input) light(s source) source {
	s.index()
	if s.NamesFiles() {
		return s
	}
	weight := s.weight()
	if len(s.own) == 0 || len(s.VRRP) > 0 {
		s.verdict = in.verdict([]source{s})
		s.Topology = nil
		weight = len(s.verdict.found)
	}
	if in.kept.Add(int64(weight)) > maxKept {
		s.Topology, s.verdict = nil, nil
	}
	return s
}

// weight is about how many facts a source has, each of which takes a KiB or two.
func (s source) weight() int {
	n := s.unit.words()/100 + len(s.Alerts) + len(s.VRRP) + len(s.mentions)
	for _, p := range s.Proxies {
		n += len(p.Listeners) + len(p.Pools)
		for _, b := range p.Pools {
			n += len(b.Servers)
		}
	}
	for _, f := range s.Firewalls {
		n += len(f.Rules)
	}
	for _, m := range s.Etcd.Members {
		n += len(m.ClientURLs) + len(m.PeerURLs)
	}
	return n
}

// whole reads the sources of a group again whose facts were forgotten. One that cannot be read any more is left out, and
// what is too much to be judged together.
func (in *input) whole(group []source) []source {
	var out []source
	words := 0
	for i, s := range group {
		if words += s.unit.words(); words > maxGroup && i > 0 {
			in.diags.Error(diag.Span{File: s.files[0]}, "syntax", fmt.Sprintf(
				"%d files about one cluster have more than %d words and brackets, more than is judged together, so this one and those behind it are not judged; need fewer",
				len(group), maxGroup), "lint the files of some machines by themselves")
			break
		}
		if s.Topology == nil {
			src, err := s.unit.read()
			if err != nil {
				continue
			}
			s.Topology, _ = s.unit.format.Parse(src)
		}
		out = append(out, s)
	}
	return out
}

// folders are the names in folders, read once each.
type folders map[string][]string

// beside reports whether files stand on disk beside those of a unit that its program may load with them.
func (f folders) beside(u unit) bool {
	if in := u.files[0].doc; in != nil {
		return in.partial
	}
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
		if f.doc != nil {
			key[2] = f.path + ":" + strconv.Itoa(f.doc.pieces[0].from)
		} else if f.format.Unit != nil {
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
	for _, u := range out { // programs read a folder by name, however it is named here
		slices.SortStableFunc(u.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	}
	included, index := make([]bool, len(out)), newIncluder(out)
	for i := range out {
		if included[i] || out[i].format.Includes == nil {
			continue
		}
		for _, j := range index.of(i) {
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
