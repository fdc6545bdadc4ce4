package haproxy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/haproxytech/config-parser/v5/common"
	"github.com/haproxytech/config-parser/v5/params"
	"github.com/haproxytech/config-parser/v5/parsers/simple"
	"github.com/haproxytech/config-parser/v5/types"
)

// printer collects the sections of a file. config-parser spells each directive. Its own document is not used: it begins
// each section with a parser for every keyword there is, which takes longer than all else.
type printer struct {
	head     []string // comment lines
	sections []*part
}

// part is one section of a file.
type part struct {
	kind, name string
	entries    []entry
}

// entry is one or more lines of one keyword, under a comment that says why.
type entry struct {
	rank  int // its place in the section
	why   string
	lines []common.ReturnResultLine
}

// order is how config-parser sorts the keywords that this package writes, by kind of section: what it reads and writes
// again stays the same file.
var order = map[string][]string{
	"global": {
		"chroot", "user", "group", "maxconn", "stats socket", "hard-stop-after", "log", "spread-checks",
	},
	"defaults": {
		"mode", "log", "option redispatch", "option dontlognull", "option clitcpka", "option srvtcpka", "timeout check",
		"timeout connect", "timeout client", "timeout client-fin", "timeout server", "timeout server-fin", "retries",
	},
	"frontend": {
		"mode", "maxconn", "bind", "acl", "monitor-uri", "monitor fail", "log", "option tcplog", "option dontlognull",
		"option clitcpka", "option dontlog-normal", "option httplog", "timeout http-request", "timeout client",
		"timeout client-fin", "stats", "http-request", "default_backend",
	},
	"backend": {
		"mode", "balance", "option redispatch", "option srvtcpka", "option tcp-check", "tcp-check", "option httpchk",
		"http-check", "log", "timeout check", "timeout tunnel", "timeout server", "timeout server-fin", "timeout connect",
		"default-server", "server", "retries",
	},
}

// section starts a section.
func (p *printer) section(kind, name string) *part {
	s := &part{kind: kind, name: name}
	p.sections = append(p.sections, s)
	return s
}

// keyword is what config-parser has for each keyword: it spells the lines of the data it is set to.
type keyword interface {
	Init()
	GetParserName() string
	Set(data common.ParserData, index int) error
	ResultAll() (lines []common.ReturnResultLine, comments []string, err error)
}

// add writes the lines of a keyword, one for each of data, under a comment that says why. A library that refuses what
// this package always asks of it is a bug here, hence the panics.
func (s *part) add(k keyword, why string, data ...common.ParserData) {
	if len(data) == 0 {
		return
	}
	k.Init()
	for _, d := range data {
		if err := k.Set(d, -1); err != nil {
			panic(fmt.Sprintf("haproxy: %s %s: %s: %v", s.kind, s.name, k.GetParserName(), err))
		}
	}
	lines, _, err := k.ResultAll()
	rank := slices.Index(order[s.kind], k.GetParserName())
	if err != nil || rank < 0 {
		panic(fmt.Sprintf("haproxy: %s %s: %s has rank %d: %v", s.kind, s.name, k.GetParserName(), rank, err))
	}
	s.entries = append(s.entries, entry{rank, why, lines})
}

// bytes is the file.
func (p *printer) bytes() []byte {
	var out []byte
	for _, text := range p.head {
		out = append(out, "# "+text+"\n"...)
	}
	for _, s := range p.sections {
		out = append(out, "\n"+strings.TrimSpace(s.kind+" "+s.name)+"\n"...)
		slices.SortStableFunc(s.entries, func(a, b entry) int { return cmp.Compare(a.rank, b.rank) })
		for _, d := range s.entries {
			out = append(out, "  # "+d.why+"\n"...)
			for _, l := range d.lines {
				out = append(out, "  "+l.Data...)
				if l.Comment != "" {
					out = append(out, " # "+l.Comment...)
				}
				out = append(out, '\n')
			}
		}
	}
	return out
}

func (s *part) word(k keyword, value, why string) { s.add(k, why, types.StringC{Value: value}) }

func (s *part) number(k keyword, value int, why string) {
	s.add(k, why, types.Int64C{Value: int64(value)})
}

func (s *part) timeout(which, value, why string) {
	s.add(&simple.Timeout{Name: which}, why, types.SimpleTimeout{Value: value})
}

func (s *part) option(which, why string) {
	s.add(&simple.Option{Name: which}, why, types.SimpleOption{})
}

// flag and with are parameters of a server or default-server line.
func flag(name string) params.ServerOption { return &params.ServerOptionWord{Name: name} }

func with(name, value string) params.ServerOption {
	return &params.ServerOptionValue{Name: name, Value: value}
}
