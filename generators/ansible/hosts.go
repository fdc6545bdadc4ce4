package ansible

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// vars are variables by name. What a template computes or a vault hides is unknown.
type vars map[string]topology.Value[string]

// hostList is an inventory as it is written: groups, and the variables of groups and hosts.
type hostList struct {
	groups []*hostGroup
	hosts  map[string]vars
	read   map[named]bool // groups of YAML, which aliases can repeat without end
	diags  diag.List
}

type named struct {
	name string
	body *yaml.Node
}

type hostGroup struct {
	name     string
	hosts    []topology.Value[string]
	children []string
	vars     vars
	shown    bool // a host or child names it, not only a folder of variables
}

func (h *hostList) group(name string) *hostGroup {
	for _, g := range h.groups {
		if g.name == name {
			return g
		}
	}
	g := &hostGroup{name: name, vars: vars{}}
	h.groups = append(h.groups, g)
	return g
}

func (h *hostList) host(g *hostGroup, name topology.Value[string]) vars {
	if !slices.ContainsFunc(g.hosts, func(o topology.Value[string]) bool { return o.V == name.V }) {
		g.hosts = append(g.hosts, name)
	}
	g.shown = true
	return h.vars(name.V)
}

func (h *hostList) vars(host string) vars {
	if h.hosts[host] == nil {
		h.hosts[host] = vars{}
	}
	return h.hosts[host]
}

// members are the hosts of a group and of the groups below it.
func (h *hostList) members(group string, seen map[string]bool) []topology.Value[string] {
	if seen[group] {
		return nil
	}
	seen[group] = true
	g := h.group(group)
	out := slices.Clone(g.hosts)
	for _, child := range g.children {
		for _, name := range h.members(child, seen) {
			if !slices.ContainsFunc(out, func(o topology.Value[string]) bool { return o.V == name.V }) {
				out = append(out, name)
			}
		}
	}
	return out
}

// IsInventory reports whether a file is an inventory, in either of its formats.
func IsInventory(file string, data []byte) bool {
	if ext := path.Ext(file); ext == ".yml" || ext == ".yaml" {
		y, diags := target.ParseYAML(target.File{Path: file, Data: data}, "ansible")
		return len(diags) == 0 && len(y.Roots) > 0 && isGroups(y.Roots[0])
	} else if ext != "" && ext != ".ini" {
		return false
	}
	groups := false
	for line := range bytes.Lines(data) {
		m := section.FindStringSubmatch(strings.TrimSpace(string(line)))
		if m == nil {
			continue
		}
		if slices.Contains([]string{"Unit", "Service", "Install", "defaults"}, m[1]) { // systemd's, ansible.cfg's
			return false
		}
		groups = true
	}
	return groups
}

// isGroups reports whether a document is groups, of which at least one has hosts or children.
func isGroups(root *yaml.Node) bool {
	root = target.Resolve(root)
	if root == nil || root.Kind != yaml.MappingNode {
		return false
	}
	for i := 1; i < len(root.Content); i += 2 {
		for _, part := range []string{"hosts", "children"} {
			if n := target.Resolve(target.Field(root.Content[i], part)); n != nil && n.Kind == yaml.MappingNode {
				return true
			}
		}
	}
	return false
}

var (
	section = pattern.New(`^\[([^\]:]+)(?::(children|vars))?\]`)
	between = pattern.New(`\[([0-9]+):([0-9]+)\]`)
)

// ini reads the older format: groups as sections, a host and its variables a line.
func (h *hostList) ini(f target.File) {
	group, part := h.group("ungrouped"), ""
	number := 0
	for line := range bytes.Lines(f.Data) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		trimmed := strings.TrimSpace(text)
		if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		if m := section.FindStringSubmatch(trimmed); m != nil {
			group, part = h.group(m[1]), m[2]
			continue
		}
		at := func(word string) diag.Span {
			before, _, _ := strings.Cut(text, word)
			return diag.At(f.Path, number, 1+len([]rune(before)), len([]rune(word)))
		}
		words := shellWords(trimmed)
		switch part {
		case "children":
			group.children = append(group.children, words[0])
			h.group(words[0]).shown = true
		case "vars":
			if name, value, ok := strings.Cut(trimmed, "="); ok {
				value = strings.Trim(strings.TrimSpace(value), `"'`)
				group.vars.set(strings.TrimSpace(name), value, at(value))
			}
		default:
			for _, name := range expand(words[0]) {
				own := h.host(group, topology.SetAt(name, at(words[0])))
				for _, w := range words[1:] {
					if name, value, ok := strings.Cut(w, "="); ok {
						own.set(name, value, at(value))
					}
				}
			}
		}
	}
}

func (v vars) set(name, value string, at diag.Span) {
	if strings.Contains(value, "{{") || strings.HasPrefix(value, "$ANSIBLE_VAULT") {
		v[name] = topology.UnknownAt[string](at)
		return
	}
	v[name] = topology.SetAt(value, at)
}

// shellWords splits a line at blanks outside of quotes, up to a comment.
func shellWords(line string) []string {
	var out []string
	var word strings.Builder
	var quote rune
	started := false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, started = c, true
		case c == '#' && !started:
			return out
		case c == ' ' || c == '\t':
			if started {
				out = append(out, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(c)
			started = true
		}
	}
	if started {
		out = append(out, word.String())
	}
	return out
}

// mostHosts is how many hosts a range may stand for.
const mostHosts = 256

// expand makes hosts of a range: "etcd-[01:03]" is three of them.
func expand(name string) []string {
	m := between.FindStringSubmatch(name)
	if m == nil {
		return []string{name}
	}
	from, err1 := strconv.Atoi(m[1])
	to, err2 := strconv.Atoi(m[2])
	if err1 != nil || err2 != nil || to < from || to-from >= mostHosts {
		return []string{name}
	}
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, strings.Replace(name, m[0], fmt.Sprintf("%0*d", len(m[1]), i), 1))
	}
	return out
}

// yaml reads the newer format: groups that hold hosts, children and variables.
func (h *hostList) yaml(f target.File) {
	y, diags := target.ParseYAML(f, "ansible")
	h.diags = append(h.diags, diags...)
	for _, root := range y.Roots {
		each(root, func(name, body *yaml.Node) { h.yamlGroup(y, name.Value, target.Resolve(body)) })
	}
}

func (h *hostList) yamlGroup(y *target.YAML, name string, body *yaml.Node) {
	if h.read[named{name, body}] {
		return
	}
	h.read[named{name, body}] = true
	g := h.group(name)
	g.shown = true
	each(target.Field(body, "hosts"), func(host, own *yaml.Node) {
		for _, name := range expand(host.Value) {
			fill(h.host(g, topology.SetAt(name, y.Span(host))), y, own)
		}
	})
	fill(g.vars, y, target.Field(body, "vars"))
	each(target.Field(body, "children"), func(child, inner *yaml.Node) {
		g.children = append(g.children, child.Value)
		h.yamlGroup(y, child.Value, target.Resolve(inner))
	})
}

func each(n *yaml.Node, do func(key, value *yaml.Node)) {
	n = target.Resolve(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}

// fill adds the variables of a mapping: scalars, and lists of scalars as in the command line, with commas.
func fill(v vars, y *target.YAML, n *yaml.Node) {
	each(n, func(key, value *yaml.Node) {
		value = target.Resolve(value)
		switch {
		case value.Kind == yaml.ScalarNode && value.Tag != "!vault" && value.Tag != "!!null":
			v.set(key.Value, value.Value, y.Span(key))
		case value.Kind == yaml.SequenceNode:
			var items []string
			for _, item := range target.Items(value) {
				if item.Kind == yaml.ScalarNode {
					items = append(items, item.Value)
				}
			}
			v.set(key.Value, strings.Join(items, ","), y.Span(key))
		default:
			v[key.Value] = topology.UnknownAt[string](y.Span(key))
		}
	})
}

// beside reads a file of group_vars or host_vars: whose variables it holds, its path says.
func (h *hostList) beside(f target.File) {
	y, diags := target.ParseYAML(f, "ansible")
	h.diags = append(h.diags, diags...)
	parts := strings.Split(path.Clean(f.Path), "/")
	for i, part := range parts {
		if part != "group_vars" && part != "host_vars" || i+1 >= len(parts) {
			continue
		}
		owner := strings.TrimSuffix(strings.TrimSuffix(parts[i+1], ".yml"), ".yaml")
		to := h.group(owner).vars
		if part == "host_vars" {
			to = h.vars(owner)
		}
		for _, root := range y.Roots {
			fill(to, y, root)
		}
		return
	}
}
