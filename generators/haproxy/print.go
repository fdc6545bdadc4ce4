package haproxy

import (
	"fmt"
	"sync"

	parser "github.com/haproxytech/config-parser/v5"
	"github.com/haproxytech/config-parser/v5/common"
	"github.com/haproxytech/config-parser/v5/options"
	"github.com/haproxytech/config-parser/v5/params"
	"github.com/haproxytech/config-parser/v5/types"
)

// printer collects directives in the types of config-parser, which orders and prints them.
type printer struct{ to parser.Parser }

// part is one section of a printer.
type part struct {
	*printer
	kind parser.Section
	name string
}

// newPrinter starts a file with comment lines. A library that refuses what this package always asks of it is a bug
// here, hence the panics.
func newPrinter(head []string) *printer {
	// Without NoNamedDefaultsFrom every section would be printed with a "from".
	to, err := parser.New(options.NoNamedDefaultsFrom)
	if err != nil {
		panic(fmt.Sprintf("haproxy: new printer: %v", err))
	}
	p := &printer{to: to}
	for _, text := range head {
		part{p, parser.Comments, parser.CommentsSectionName}.add("#", "", types.Comments{Value: text})
	}
	return p
}

// creating guards config-parser's one package variable, which it sets whenever a section is created.
var creating sync.Mutex

// section starts a section; global is there from the beginning.
func (p *printer) section(kind parser.Section, name string) part {
	if kind == parser.Global {
		return part{p, kind, parser.GlobalSectionName}
	}
	creating.Lock()
	defer creating.Unlock()
	if err := p.to.SectionsCreate(kind, name); err != nil {
		panic(fmt.Sprintf("haproxy: section %s %s: %v", kind, name, err))
	}
	return part{p, kind, name}
}

// add writes a directive, once for each of data, under a comment that says why.
func (s part) add(directive, why string, data ...common.ParserData) {
	for _, d := range data {
		if err := s.to.Set(s.kind, s.name, directive, d); err != nil {
			panic(fmt.Sprintf("haproxy: %s %s: %s: %v", s.kind, s.name, directive, err))
		}
	}
	if why == "" || len(data) == 0 {
		return
	}
	if err := s.to.SetPreComments(s.kind, s.name, directive, []string{why}); err != nil {
		panic(fmt.Sprintf("haproxy: %s %s: comment of %s: %v", s.kind, s.name, directive, err))
	}
}

func (s part) word(directive, value, why string) {
	s.add(directive, why, types.StringC{Value: value})
}

func (s part) number(directive string, value int, why string) {
	s.add(directive, why, types.Int64C{Value: int64(value)})
}

func (s part) timeout(which, value, why string) {
	s.add("timeout "+which, why, types.SimpleTimeout{Value: value})
}

func (s part) option(which, why string) {
	s.add("option "+which, why, types.SimpleOption{})
}

// flag and with are parameters of a server or default-server line.
func flag(name string) params.ServerOption { return &params.ServerOptionWord{Name: name} }

func with(name, value string) params.ServerOption {
	return &params.ServerOptionValue{Name: name, Value: value}
}
