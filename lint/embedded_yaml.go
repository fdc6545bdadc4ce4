package lint

import (
	"bytes"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

var (
	// holds is what makes YAML of interest that is of no format by itself: blocks of text, and a word of ours.
	holds = pattern.New(`(?m)[:-][ \t]+[|][-+0-9]*[ \t]*(#.*)?\r?$`)
	ours  = pattern.New(`(?i)etcd|2379|haproxy|keepalived|nginx|iptables|nft\b|\.rules|groups:`)
	// documents are what is YAML by its text.
	documents = pattern.New(`(?m)^(#cloud-config|apiVersion:|kind:|write_files:|services:)`)
	// alerting are the rules of Prometheus.
	alerting = pattern.New(`(?m)^[ \t]*groups:[ \t]*$`)
	// opening is a line that a block of text follows, with what stands before it, its key, and dashes before the key.
	opening = pattern.New(`^([ \t]*(?:-[ \t]+)*)(?:"?([A-Za-z0-9_./{}$ -]+?)"?[ \t]*:[ \t]+)?[|][-+0-9]*[ \t]*(?:#.*)?$`)
	// calling is a command that stands on a line of its own, of a playbook or of cloud-init.
	calling = pattern.New(`^[ \t]*(?:-[ \t]+)*(?:(?:ansible\.builtin\.)?(?:shell|command|raw|cmd)[ \t]*:[ \t]+|-[ \t]+)["']?((?:sudo[ \t]+)?(?:[\w./-]*/)?(?:ip6?tables(?:-legacy|-nft)?[ \t]+-|nft[ \t]+(?:add|insert)[ \t])[^"'\n]*)["']?[ \t]*$`)
	calls   = pattern.New(`(?m)` + `^[ \t]*(?:-[ \t]+)*(?:[a-z.]+[ \t]*:[ \t]+|-[ \t]+)["']?(?:sudo[ \t]+)?(?:[\w./-]*/)?(?:ip6?tables(?:-legacy|-nft)?[ \t]+-|nft[ \t]+(?:add|insert)[ \t])`)
	// settings is etcd's own section of a CoreOS cloud-config.
	settings = pattern.New(`^[ \t]+etcd2?[ \t]*:[ \t]*(?:#.*)?$`)
	coreOS   = pattern.New(`(?m)^[ \t]*coreos[ \t]*:[ \t]*(?:#.*)?\r?$`)
	naming   = pattern.New(`^(?:path|dest|destination|name|filename)[ \t]*:[ \t]*["']?([^\s"']+)`)
)

// holdsText reports whether a file is YAML with blocks of text that may be files.
func holdsText(p string, head []byte) bool {
	ext := extension(p)
	return (ext == ".yaml" || ext == ".yml" || documents.Match(head)) && (holds.Match(head) && ours.Match(head) || calls.Match(head) || coreOS.Match(head))
}

// blocks are the blocks of text in YAML, as ConfigMaps, cloud-init and playbooks have them, and etcd's settings among
// those of CoreOS. They are looked for line by line, since templates are no YAML.
func blocks(data []byte, p piece) []inner {
	var out []inner
	loose := inner{name: "commands.sh"} // commands that stand by themselves, in order
	rows := rowsOf(data, p)
	core := -1 // the column of a coreos section that a line is in
	for i := 0; i < len(rows); i++ {
		switch {
		case coreOS.Match(rows[i].text):
			core = rows[i].indent
		case core >= 0 && !rows[i].inside(core):
			core = -1
		case core >= 0 && settings.Match(rows[i].text):
			end := i + 1
			for end < len(rows) && rows[end].inside(rows[i].indent) {
				end++
			}
			if end > i+1 {
				out = append(out, inner{name: "etcd.conf.yml", pieces: []piece{{rows[i+1].at, rows[end-1].next, p.literal, p.template}}})
			}
			i = end - 1
			continue
		}
		if c := calling.FindSubmatchIndex(rows[i].text); c != nil {
			loose.pieces = append(loose.pieces, piece{rows[i].at + c[2], rows[i].at + c[3], p.literal, p.template})
		}
		m := opening.FindSubmatchIndex(rows[i].text)
		if m == nil {
			continue
		}
		column, key := m[3], ""
		if m[4] >= 0 {
			key = string(rows[i].text[m[4]:m[5]])
		}
		if m[4] < 0 { // an entry of a list
			column = bytes.LastIndexByte(rows[i].text[:m[3]], '-')
		}
		end := i + 1
		for end < len(rows) && rows[end].inside(column) {
			end++
		}
		if end == i+1 {
			continue
		}
		if !strings.ContainsAny(key, "./") {
			key = nameOf(rows, i, end, column)
		}
		out = append(out, inner{name: strings.TrimPrefix(key, "/"), pieces: []piece{{rows[i+1].at, rows[end-1].next, p.literal, p.template}}})
		i = end - 1
	}
	if len(loose.pieces) > 0 {
		out = append(out, loose)
	}
	return out
}

// row is a line of YAML.
type row struct {
	at, next int
	text     []byte
	indent   int  // where a key in it begins, dashes before it taken in
	dash     bool // it begins an entry of a list
	blank    bool
}

func rowsOf(data []byte, p piece) []row {
	var out []row
	for at := p.from; at < p.to; {
		line, next := lineAt(data[:p.to], at)
		text := bytes.TrimRight(line, " \t\r")
		rest := bytes.TrimLeft(text, " \t-")
		out = append(out, row{
			at: at, next: next, text: text, indent: len(text) - len(rest), blank: len(text) == 0,
			dash: bytes.HasPrefix(bytes.TrimLeft(text, " \t"), []byte("- ")),
		})
		at = next
	}
	return out
}

// inside reports whether a line belongs to a block whose key begins in a column, as a line of a template does anywhere.
func (r row) inside(column int) bool {
	text := bytes.TrimLeft(r.text, " \t")
	return r.blank || len(r.text)-len(text) > column || bytes.HasPrefix(text, []byte("{{")) || bytes.HasPrefix(text, []byte("{%"))
}

// maxSiblings is how many lines around a block are looked at for its name.
const maxSiblings = 200

// nameOf is what the keys beside a block say that it is installed as, or those beside the key above it; "" for nothing.
func nameOf(rows []row, from, to, column int) string {
	for range 2 {
		first := from
		for first > 0 && from-first < maxSiblings && (!rows[first].dash || rows[first].indent != column) && (rows[first-1].blank || rows[first-1].indent >= column) {
			first--
		}
		last := to
		for last < len(rows) && last-to < maxSiblings && (rows[last].blank || rows[last].indent >= column && (!rows[last].dash || rows[last].indent != column)) {
			last++
		}
		for _, r := range slices.Concat(rows[first:from+1], rows[to:last]) {
			text := r.text[min(r.indent, len(r.text)):]
			if m := naming.FindSubmatchIndex(text); m != nil && r.indent == column {
				return string(text[m[2]:m[3]])
			}
		}
		if first == 0 || rows[first].dash {
			break
		}
		from, to, column = first-1, last, rows[first-1].indent
	}
	return ""
}
