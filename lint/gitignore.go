package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// gitIgnore knows what git ignores below a folder: the rules of .gitignore files, of the folders above it in the same
// repository as well.
type gitIgnore struct {
	rules  []ignoreRule // the last that matches decides; of the folder that is walked and those above it
	faults diag.List    // of files that are not heeded
}

type ignoreRule struct {
	below   string // the folder it holds for, with a separator at the end
	tail    string // that all it matches ends with
	pattern *regexp.Regexp
	negated bool
	folders bool // the rule is for folders only
	size    int  // of its line
}

// newGitIgnore reads the rules that hold in dir, an absolute path, from its repository's root down to its parent.
func newGitIgnore(dir string) *gitIgnore {
	g := &gitIgnore{}
	var above []string
	for d := dir; ; d = filepath.Dir(d) {
		if d != dir {
			above = append(above, d)
		}
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			exclude := filepath.Join(d, ".git", "info", "exclude")
			g.read(d, exclude, exclude)
			break
		}
		if d == filepath.Dir(d) {
			return g // no repository
		}
	}
	for i := len(above) - 1; i >= 0; i-- {
		g.enter(above[i], above[i])
	}
	return g
}

// enter adds the rules of a folder, shown as it is called, and forgets those of folders that have been left.
func (g *gitIgnore) enter(dir, shown string) {
	g.rules = slices.DeleteFunc(g.rules, func(r ignoreRule) bool { return !strings.HasPrefix(withSeparator(dir), r.below) })
	g.read(dir, filepath.Join(dir, ".gitignore"), filepath.Join(shown, ".gitignore"))
}

// maxIgnored bounds the rules that hold in a folder, in bytes: each file is compared with all of them.
const maxIgnored = 64 << 10

func withSeparator(dir string) string {
	return strings.TrimSuffix(dir, string(filepath.Separator)) + string(filepath.Separator)
}

func (g *gitIgnore) read(dir, file, shown string) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return // no rules
	}
	size := info.Size()
	for _, r := range g.rules {
		size += int64(r.size)
	}
	if size > maxIgnored {
		g.faults.Error(diag.Span{File: shown}, "syntax", fmt.Sprintf(
			"%d KiB of rules say what git ignores here, more than any repository needs, so these are not heeded, and what git ignores is "+
				"judged; need at most %d KiB", size>>10, maxIgnored>>10), "")
		return
	}
	data, err := readText(file)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data[:min(len(data), maxIgnored)])) {
		if r, ok := newIgnoreRule(dir, strings.TrimRight(line, "\r\n")); ok {
			g.rules = append(g.rules, r)
		}
	}
}

// ignores reports whether git ignores a file or folder, an absolute path. What lies in an ignored folder is not asked.
func (g *gitIgnore) ignores(file string, isDir bool) bool {
	for i := len(g.rules) - 1; i >= 0; i-- {
		r := g.rules[i]
		rel, ok := strings.CutPrefix(file, r.below)
		if !ok || r.folders && !isDir || !strings.HasSuffix(file, r.tail) {
			continue
		}
		if r.pattern.MatchString(filepath.ToSlash(rel)) {
			return !r.negated
		}
	}
	return false
}

// maxStars is how many stars a rule may have that is heeded: each makes all paths more work.
const maxStars = 16

func newIgnoreRule(dir, line string) (ignoreRule, bool) {
	r := ignoreRule{below: withSeparator(dir), size: len(line)}
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = strings.TrimSuffix(line, " ")
	}
	if line == "" || line[0] == '#' {
		return r, false
	}
	if line[0] == '!' {
		r.negated, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		r.folders, line = true, strings.TrimSuffix(line, "/")
	}
	if strings.Count(line, "*") > maxStars {
		return r, false
	}
	r.tail = line[strings.LastIndexAny(line, `*?[]\/`)+1:]
	prefix := "^"
	if !strings.Contains(line, "/") {
		prefix = "^(.*/)?"
	}
	pattern, err := regexp.Compile(prefix + globPattern(strings.TrimPrefix(line, "/")) + "$")
	r.pattern = pattern
	return r, err == nil && line != ""
}

// globPattern turns one of git's globs into a regular expression.
func globPattern(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		rest := glob[i:]
		switch c := glob[i]; {
		case strings.HasPrefix(rest, "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString("(.*/)?")
			i += 2
		case rest == "**" && i > 0 && glob[i-1] == '/':
			b.WriteString(".+")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[' && strings.Contains(rest, "]"):
			end := strings.Index(rest, "]")
			b.WriteString(strings.Replace(rest[:end+1], "[!", "[^", 1))
			i += end
		case c == '\\' && len(rest) > 1:
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			i++
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return b.String()
}
