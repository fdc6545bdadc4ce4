package lint

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxIncludes bounds the patterns that one file includes, by itself and by what it includes, and the files that these name.
const maxIncludes = 5000

// chain is the file that begins the chain of includes.
func (f file) chain() string {
	if f.root != "" {
		return f.root
	}
	return f.path
}

// include reads the files that others include, if they lie below the folder of these.
func (c *collector) include() {
	work, done := map[string]int{}, map[string]bool{}
	for i := 0; i < len(c.files); i++ {
		f := c.files[i]
		folder := filepath.Dir(f.path)
		for _, pattern := range f.includes {
			pattern, below := within(folder, pattern)
			key := strings.Join([]string{f.chain(), f.host, f.format.Name, pattern}, "\x00")
			if !below || done[key] {
				continue
			}
			done[key] = true
			if work[f.chain()] += effort(pattern); work[f.chain()] > maxIncludes {
				break
			}
			found, _ := filepath.Glob(pattern) // a pattern that is none names nothing
			for _, p := range found {
				if work[f.chain()] <= maxIncludes && local(folder, p) && c.included(p, f) {
					work[f.chain()]++
				}
			}
		}
	}
	for i, f := range c.files {
		c.files[i].overfull = work[f.path] > maxIncludes
	}
}

// effort is how many files to look for a pattern is as much work as: it is compared with all in a folder, and so is each
// part of it.
func effort(pattern string) int {
	n := 1
	for _, c := range meta {
		n += 20 * strings.Count(pattern, string(c))
	}
	return n
}

// within is the pattern as seen from the working directory, and whether what it names lies below the folder.
func within(folder, pattern string) (string, bool) {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(folder, pattern)
	}
	fixed := pattern
	if i := strings.IndexAny(pattern, meta); i >= 0 {
		fixed = pattern[:i] + "x"
	}
	return pattern, local(folder, fixed)
}

// meta are the characters that make a pattern of a path.
const meta = `*?[\`

// local reports whether a file lies below a folder.
func local(folder, p string) bool {
	rel, err := filepath.Rel(folder, p)
	return err == nil && filepath.IsLocal(rel)
}

// included reads a file in the format and from the machine of the file that includes it, if it was not read before.
func (c *collector) included(p string, by file) bool {
	if c.seen[p] {
		return false
	}
	info, err := os.Stat(p)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	c.seen[p] = true
	if c.exhausted() {
		c.unread = append(c.unread, p)
		return true
	}
	f := file{path: p, host: by.host, format: by.format, size: info.Size(), root: by.chain()}
	if f.size <= MaxFile {
		f.data, err = readText(p)
	}
	if err != nil {
		c.unreadable(p, err)
		return true
	}
	c.read++
	f.words = words(f.data)
	c.cost += f.cost()
	if fault := refusal(f); fault != "" {
		c.refuse(f, fault)
		return true
	}
	f.includes = f.format.Includes(f.data)
	f.data = nil // it can be read again
	c.files = append(c.files, f)
	return true
}

// includer finds the units that others include.
type includer struct {
	all    []unit
	names  []string         // of the first file of each
	byName map[string][]int // units, by that name
	byDir  map[string][]int // and by its folder
}

func newIncluder(all []unit) *includer {
	x := &includer{all: all, byName: map[string][]int{}, byDir: map[string][]int{}}
	for i, u := range all {
		name := path.Clean(filepath.ToSlash(u.files[0].path))
		x.names = append(x.names, name)
		x.byName[name] = append(x.byName[name], i)
		x.byDir[path.Dir(name)] = append(x.byDir[path.Dir(name)], i)
	}
	return x
}

// of are the units that the i-th one includes, at any depth, in order. They are looked for in the folder of the file that
// includes them, and in that of the first.
func (x *includer) of(i int) []int {
	first := x.all[i]
	main := path.Dir(x.names[i])
	seen, done := map[int]bool{i: true}, map[string]bool{}
	var out []int
	work := 0
	for next := []int{i}; len(next) > 0; next = next[1:] {
		for _, pattern := range x.all[next[0]].files[0].includes {
			patterns := []string{pattern}
			if !path.IsAbs(pattern) {
				patterns = []string{path.Join(main, pattern), path.Join(path.Dir(x.names[next[0]]), pattern)}
			}
			for _, p := range patterns {
				if work > 2*maxIncludes { // each is looked for in two folders
					first.files[0].overfull = true
					return out
				}
				if done[p] {
					continue
				}
				done[p] = true
				work += effort(p)
				for _, j := range x.named(p) {
					if u := x.all[j]; !seen[j] && u.format == first.format && u.host == first.host {
						seen[j] = true
						out = append(out, j)
						next = append(next, j)
					}
				}
			}
		}
	}
	return out
}

// named are the units whose first file a pattern names.
func (x *includer) named(pattern string) []int {
	candidates := x.byDir[path.Dir(pattern)]
	switch {
	case !strings.ContainsAny(pattern, meta):
		return x.byName[pattern]
	case strings.ContainsAny(path.Dir(pattern), meta):
		candidates = nil
		for j := range x.all {
			candidates = append(candidates, j)
		}
	}
	var out []int
	for _, j := range candidates {
		if ok, err := path.Match(pattern, x.names[j]); x.names[j] == pattern || err == nil && ok {
			out = append(out, j)
		}
	}
	return out
}
