package lint

import (
	"bytes"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

var (
	scripts     = pattern.New(`^#!\S*(sh|bash|env\s+(ba)?sh)\b`)
	commanding  = pattern.New(`(?m)^[ \t]*(sudo[ \t]+)?([\w./-]*/)?(ip6?tables(-legacy|-nft)?[ \t]+-|nft[ \t]+(add|insert)[ \t])`)
	redirects   = pattern.New(`<<(-?)\s*(["']?)\\?([A-Za-z_][A-Za-z0-9_]*)`)
	setsOurs    = pattern.New(`^(export\s+)?[A-Z][A-Z0-9_]*=.*(ETCD|etcd|2379)|^(export\s+)?ETCD[A-Z_]*=`)
	shells      = pattern.New(`(^|[\s|;&/"'(])(ssh|bash|sh|zsh)\s[^|]*$`)
	echoes      = pattern.New(`^[^#"']*\b(?:echo|printf)\s+(?:-\w+\s+)*(["'])`)
	prints      = pattern.New(`^\s*(?:sudo\s+)?(?:cat|echo|printf)\b[^|]*$`)
	destination = pattern.New(`(>>?|\btee\s+(?:-\S+\s+)*)\s*["']?([^\s"'<>|;&]+)`)
	opensIf     = pattern.New(`^\s*(?:if|case)\b`)
	turnsIf     = pattern.New(`^\s*(?:else|elif)\b|;;\s*$`)
	closesIf    = pattern.New(`(?:^|[;\s])(?:fi|esac)\s*(?:$|[;)&|#])`)
)

// isScript reports whether a file is one for a shell.
func isScript(p string, head []byte) bool {
	ext := extension(p)
	return ext == ".sh" || ext == ".bash" || scripts.Match(head)
}

// writer gathers the files that a script writes.
type writer struct {
	found     []inner
	latest    map[string]int   // index of the latest file of a name
	place     []branch         // where the script is
	where     map[int][]branch // of the pieces of each file
	ifs       int
	short     map[int]bool // files that began with a single line
	sets      map[int]bool // and those where it sets a variable
	groups    []group      // that are open
	functions map[string][]text
}

// branch is one of a condition's.
type branch struct{ condition, number int }

// follow keeps track of the conditions that a line opens, turns or closes.
func (w *writer) follow(command []byte) {
	switch opens, closes := opensIf.Match(command), closesIf.Match(command); {
	case opens && !closes:
		w.ifs++
		w.place = append(slices.Clip(w.place), branch{w.ifs, 0})
	case closes && !opens && len(w.place) > 0:
		w.place = w.place[:len(w.place)-1]
	case turnsIf.Match(command) && len(w.place) > 0:
		last := w.place[len(w.place)-1]
		last.number++
		w.place = append(slices.Clip(w.place[:len(w.place)-1]), last)
	}
}

// exclude reports whether two places are in different branches of one condition.
func exclude(a, b []branch) bool {
	return slices.ContainsFunc(a, func(x branch) bool {
		return slices.ContainsFunc(b, func(y branch) bool { return x.condition == y.condition && x.number != y.number })
	})
}

// fewLines is how many lines a text must have that is written line by line: less is a setting or a message.
const fewLines = 3

// written are the files that a script writes: bodies of here-documents, and quoted texts that echo gets. What is appended
// to a file belongs to it.
func written(data []byte, p piece) []inner {
	w := writer{latest: map[string]int{}, where: map[int][]branch{}, short: map[int]bool{}, sets: map[int]bool{}, functions: map[string][]text{}}
	for at := p.from; at < p.to; {
		command, next := lineAt(data[:p.to], at)
		w.follow(command)
		w.enclose(command)
		switch m, quoted := redirects.FindSubmatchIndex(command), echoes.FindSubmatchIndex(command); {
		case m != nil:
			mark, tabs := string(command[m[6]:m[7]]), m[2] < m[3]
			end, after := endOfDocument(data[:p.to], next, mark, tabs)
			if shells.Match(command[:m[0]]) && !destination.Match(command) {
				command = []byte("> commands.sh") // run, not written
				delete(w.latest, "commands.sh")
			}
			t := text{piece: piece{next, end, p.literal && m[4] < m[5], p.template}, open: end == after}
			w.add(t, command, prints.Match(command))
			next = after
		case quoted != nil:
			end := closing(data[:p.to], at+quoted[3], data[at+quoted[2]])
			if end == 0 {
				break
			}
			rest, after := lineAt(data[:p.to], end+1)
			if bytes.HasSuffix(rest, []byte("\\")) {
				more, further := lineAt(data[:p.to], after)
				rest, after = append(slices.Clip(rest[:len(rest)-1]), more...), further
			}
			literal := p.literal && data[at+quoted[2]] == '\''
			from, single := startOfText(data, at+quoted[3]), end <= at+len(command)
			t := text{piece: piece{from, end, literal, p.template}, single: single, sets: single && setsOurs.Match(data[from:end])}
			w.add(t, rest, !bytes.ContainsRune(rest, '|'))
			next = after
		}
		at = next
	}
	w.disclose()
	var out []inner
	for i, in := range w.found {
		if short := w.short[i] && len(in.pieces) < fewLines; !short || w.sets[i] {
			in.partial = in.partial || short
			out = append(out, in)
		}
	}
	return out
}

// text is what one command writes.
type text struct {
	piece
	single bool // line
	sets   bool // a variable, whose neighbours mean nothing to it
	open   bool // to the end of the script: the text of more than one file, perhaps
}

// add takes in a text that a command writes. What is printed in a group may be a part of more. A single line that goes to
// no file is a message.
func (w *writer) add(t text, command []byte, printed bool) {
	name, appended := destinationOf(command)
	switch n := len(w.groups); {
	case name == "" && printed && n > 0:
		w.groups[n-1].texts = append(w.groups[n-1].texts, t)
	case name != "" || !t.single:
		w.put(name, appended, t)
	}
}

// destinationOf is the file that a command writes to, and whether it appends.
func destinationOf(command []byte) (name string, appended bool) {
	for _, to := range destination.FindAllSubmatch(command, -1) {
		if !bytes.HasPrefix(to[2], []byte("/dev/")) {
			return strings.TrimPrefix(string(to[2]), "/"), string(to[1]) == ">>" || bytes.Contains(to[1], []byte("-a"))
		}
	}
	return "", false
}

// put adds to a file, or begins one. Where another branch has a file of the same name, which of the two is there, or both,
// only a run tells.
func (w *writer) put(name string, appended bool, texts ...text) {
	i, before := w.latest[name]
	before = before && name != ""
	if !before || !appended || exclude(w.where[i], w.place) {
		if before {
			w.found[i].partial = true
		}
		i = len(w.found)
		w.latest[name] = i
		w.where[i] = slices.Clone(w.place)
		w.found = append(w.found, inner{name: name, partial: before})
		w.short[i], w.sets[i] = texts[0].single, texts[0].sets
	} else {
		w.where[i] = append(w.where[i], w.place...)
	}
	for _, t := range texts {
		w.found[i].pieces = append(w.found[i].pieces, t.piece)
		w.found[i].open = w.found[i].open || t.open
	}
}

// endOfDocument is where a here-document ends, and where the script goes on. Behind the mark may stand what closes the
// quote or the bracket that holds the whole command.
func endOfDocument(data []byte, at int, mark string, tabs bool) (end, next int) {
	for at < len(data) {
		line, rest := lineAt(data, at)
		text := strings.TrimRight(string(line), "\r")
		if tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if strings.Trim(strings.TrimRight(text, `'")`), " ") == mark {
			return at, rest
		}
		at = rest
	}
	return len(data), len(data)
}

// closing is where a quoted text ends, or 0.
func closing(data []byte, at int, quote byte) int {
	for ; at < len(data); at++ {
		switch {
		case data[at] == quote:
			return at
		case data[at] == '\\' && quote == '"':
			at++
		}
	}
	return 0
}

// startOfText skips the break that a backslash takes out of a quoted text, so that it begins in a line of its own.
func startOfText(data []byte, at int) int {
	if bytes.HasPrefix(data[at:], []byte("\\\n")) {
		return at + 2
	}
	return at
}
